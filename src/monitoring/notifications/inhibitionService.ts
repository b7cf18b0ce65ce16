import { z } from 'zod';
import type { AuditTrail } from '../../audit/types.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import { changeOf, toJson } from './auditing.ts';
import { InhibitionRuleNotFoundError } from './errors.ts';
import type { InhibitionRule } from './inhibition.ts';
import { labelName, type Matcher, matchersSchema, matchesEverything } from './labelMatchers.ts';

const MAX_RULES = 100;
/** Alerts that ended are known for a day. */
const MAX_LINGER_MS = 12 * 3_600_000;

export const inhibitionSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'takes text without control characters'),
  sourceMatchers: matchersSchema.min(1).describe('While such an alert fires …'),
  targetMatchers: matchersSchema.min(1).describe('… these are not told of …'),
  equal: z.array(labelName).max(20).default([]).describe('… where these labels are the same.'),
  lingerMs: z.int().min(0).max(MAX_LINGER_MS).default(0).describe('And for so long after the first has ended.'),
});
export type InhibitionInput = z.input<typeof inhibitionSchema>;

export interface StoredInhibition extends InhibitionRule {
  readonly name: string;
  readonly createdAt: string;
}

/** Causes that hold back what follows from them. */
export class InhibitionService {
  readonly #database: Database;
  readonly #audit: AuditTrail;

  constructor(options: { database: Database; audit: AuditTrail }) {
    this.#database = options.database;
    this.#audit = options.audit;
  }

  /** All of them, at most 100. */
  async list(): Promise<StoredInhibition[]> {
    const rows = await this.#database.db.selectFrom('inhibition_rules').selectAll().orderBy('id').execute();
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      sourceMatchers: row.source_matchers as Matcher[],
      targetMatchers: row.target_matchers as Matcher[],
      equal: row.equal_labels,
      lingerMs: row.linger_ms,
      createdAt: row.created_at.toISOString(),
    }));
  }

  /** A rule made under the same `name` before is what it is now. @throws InvalidInputError */
  async add(input: InhibitionInput, name: string = newIdName()): Promise<StoredInhibition> {
    const data = parseInput(inhibitionSchema, input, 'The inhibition rule');
    if (matchesEverything(data.sourceMatchers)) {
      const detail = 'match every alert. Name at least one label with a value.';
      throw invalidInput('The inhibition rule', [{ pointer: '/sourceMatchers', detail }]);
    }
    const id = namedId('inhibitionRule', name);
    await this.#database.transaction(async (tx) => {
      await tx.selectFrom('notification_intake').select('id').forUpdate().execute();
      const others = await tx.selectFrom('inhibition_rules').select('id').where('id', '!=', id).execute();
      if (others.length >= MAX_RULES) {
        const detail = `There are ${MAX_RULES} inhibition rules already, which is the limit. Delete one first.`;
        throw invalidInput('The inhibition rule', [{ pointer: '', detail }]);
      }
      const row = {
        name: data.name,
        source_matchers: JSON.stringify(data.sourceMatchers),
        target_matchers: JSON.stringify(data.targetMatchers),
        equal_labels: data.equal,
        linger_ms: data.lingerMs,
      };
      await tx
        .insertInto('inhibition_rules')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      await this.#audit.record(tx, { ...changeOf('inhibitionRule', id, 'inhibitionRule.added'), after: toJson(data) });
    });
    return (await this.list()).find((rule) => rule.id === id)!;
  }

  /** @throws InhibitionRuleNotFoundError */
  async delete(id: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const deleted = await tx
        .deleteFrom('inhibition_rules')
        .where('id', '=', id)
        .returning(['name', 'source_matchers', 'target_matchers', 'equal_labels', 'linger_ms'])
        .executeTakeFirst();
      if (deleted === undefined) throw new InhibitionRuleNotFoundError(id);
      await this.#audit.record(tx, {
        ...changeOf('inhibitionRule', id, 'inhibitionRule.deleted'),
        before: toJson(deleted),
      });
    });
  }
}
