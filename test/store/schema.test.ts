import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dumpSchema, SCHEMA_FILE } from '../../scripts/dumpSchema.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();

test('docs/schema.sql is what the migrations make', async () => {
  expect(await dumpSchema(database.current.pool)).toBe(readFileSync(SCHEMA_FILE, 'utf8'));
});

test('the declared types are those of the tables', async () => {
  const { rows } = await database.current.pool.query(`
    select table_name as "table", column_name as "column",
      case udt_name when '_float8' then 'double precision[]' else data_type end as type,
      is_nullable = 'YES' as nullable, column_default is not null as generated
    from information_schema.columns
    where table_schema = 'public' and table_name not in (select relname from pg_class where relispartition)
    order by table_name collate "C", ordinal_position`);
  const declared = readDeclaredTables();
  expect(new Set(Object.keys(declared))).toEqual(new Set(rows.map((row) => row.table)));
  for (const row of rows) {
    const type = declared[row.table]?.[row.column];
    expect(acceptedTypes(row), `${row.table}.${row.column} is declared as ${type}`).toContain(type);
  }
  for (const [table, columns] of Object.entries(declared)) {
    expect(Object.keys(columns), table).toEqual(rows.filter((row) => row.table === table).map((row) => row.column));
  }
});

interface Column {
  type: string;
  nullable: boolean;
  generated: boolean;
}

const TYPES: Record<string, string> = {
  text: 'string',
  bigint: 'number',
  integer: 'number',
  smallint: 'number',
  real: 'number',
  'double precision': 'number',
  'double precision[]': 'number[]',
  boolean: 'boolean',
  bytea: 'Buffer',
  ARRAY: 'string[]',
  'timestamp with time zone': 'Date',
  // Read as text.
  date: 'string',
};

/** How a column may be declared; `words` stands for a union of string literals. */
function acceptedTypes({ type, nullable, generated }: Column): string[] {
  if (type === 'jsonb') return [generated ? 'GeneratedJson' : nullable ? 'NullableJson' : 'Json'];
  const base = TYPES[type]!;
  const bases = base === 'string' ? [base, 'words'] : [base];
  return bases.map((one) => (generated ? `Generated<${one}>` : nullable ? `${one} | null` : one));
}

/** Reads src/store/tables: table to column to type. */
function readDeclaredTables(): Record<string, Record<string, string>> {
  const folder = new URL('../../src/store/tables/', import.meta.url);
  const source = readdirSync(folder)
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
  const interfaces: Record<string, Record<string, string>> = {};
  const declared: Record<string, string> = {};
  for (const [, name, body] of source.matchAll(/interface (\w+) \{\n([^}]*)\}/g)) {
    const columns: Record<string, string> = {};
    for (const [, column, type] of body!.matchAll(/^ {2}(\w+): (.*);$/gm)) {
      columns[column!] = type!.replace(/'\w+'( \| '\w+')*/, 'words').replace(/Json<.*>$/, 'Json');
    }
    if (name!.endsWith('Tables')) Object.assign(declared, columns);
    else interfaces[name!] = columns;
  }
  return Object.fromEntries(Object.entries(declared).map(([table, name]) => [table, interfaces[name]!]));
}
