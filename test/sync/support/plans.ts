import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type pg from 'pg';
import { expect } from 'vitest';
import type { Schema } from '../../../src/store/schema.ts';

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: Node[];
}

/** Plans of the statements that `use` sends; only those are carried out that it needs the answers of, unexplained. */
async function plansOf(
  pool: pg.Pool,
  use: (db: Transaction<Schema>) => Promise<unknown>,
  needed: (text: string) => boolean,
): Promise<Node[]> {
  const plans: Node[] = [];
  const explaining = {
    query: async (text: string, parameters: unknown[]) => {
      if (needed(text)) return await pool.query(text, parameters);
      const { rows } = await pool.query(`explain (format json) ${text}`, parameters);
      plans.push(rows[0]['QUERY PLAN'][0].Plan);
      return { command: 'SELECT', rowCount: 0, rows: [] };
    },
    release() {},
  };
  const explainer = { connect: async () => explaining, end: async () => {} };
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: explainer as never }) });
  // Whoever asks for a row that is not there fails, after its statement was explained.
  await use(db as unknown as Transaction<Schema>).catch((error: unknown) => expect(error).toBeInstanceOf(TypeError));
  expect(plans.length).toBeGreaterThan(0);
  return plans;
}

const flat = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flat)];

/** The indexes used; fails when a table is read from end to end. */
export async function indexesUsed(
  pool: pg.Pool,
  use: (db: Transaction<Schema>) => Promise<unknown>,
  needed: (text: string) => boolean = () => false,
): Promise<string[]> {
  const nodes = (await plansOf(pool, use, needed)).flatMap(flat);
  const scanned = nodes.filter((node) => node['Node Type'].endsWith('Seq Scan')).map((node) => node['Relation Name']);
  expect(scanned).toEqual([]);
  return [...new Set(nodes.map((node) => node['Index Name']).filter((name) => name !== undefined))].sort();
}
