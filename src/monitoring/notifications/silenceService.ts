import { sql } from 'kysely';
import { z } from 'zod';
import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import { author, changeOf, toJson } from './auditing.ts';
import { SilenceNotFoundError, SilenceOverError } from './errors.ts';
import { type Matcher, matchersSchema, matchesEverything } from './labelMatchers.ts';

const MAX_SILENCES = 1_000;
const MAX_DURATION_MS = 366 * 24 * 3_600_000;

export const commentText = z
  .string()
  .trim()
  .min(1)
  .max(1_000)
  .regex(/^[\P{Cc}\n]*$/u, 'takes text without control characters');

/** The end is not optional: a silence that nobody ends is how outages go unheard. */
export const silenceSchema = z.strictObject({
  matchers: matchersSchema.min(1),
  startsAt: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
  endsAt: z.iso.datetime({ offset: true }),
  comment: commentText.describe('Why.'),
});
export type SilenceInput = z.input<typeof silenceSchema>;

export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly author: string;
  readonly comment: string;
  readonly createdAt: string;
  readonly state: 'pending' | 'active' | 'expired';
}

/** Alerts that match are not told of for a while; they are evaluated all the same. */
export class SilenceService {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #clock: Clock;

  constructor(options: { database: Database; audit: AuditTrail; clock: Clock }) {
    this.#database = options.database;
    this.#audit = options.audit;
    this.#clock = options.clock;
  }

  /** Newest first; `before` is the last id of the page before. Without `expired` only those that hold or will hold. */
  async list(options: { limit: number; before?: string; expired?: boolean }): Promise<Silence[]> {
    let query = this.#database.db.selectFrom('silences').selectAll().orderBy('id', 'desc').limit(options.limit);
    if (options.before !== undefined) query = query.where('id', '<', options.before);
    if (options.expired !== true) query = query.where('ends_at', '>', new Date(this.#clock.now()));
    return (await query.execute()).map((row) => this.#toSilence(row));
  }

  /** @throws SilenceNotFoundError */
  async get(id: string): Promise<Silence> {
    const row = await this.#database.db.selectFrom('silences').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SilenceNotFoundError(id);
    return this.#toSilence(row);
  }

  /** A silence made under the same `name` before is what it is now. @throws InvalidInputError */
  async add(input: SilenceInput, name: string = newIdName()): Promise<Silence> {
    const data = parseInput(silenceSchema, input, 'The silence');
    const nowMs = this.#clock.now();
    const startsAt = new Date(data.startsAt ?? nowMs);
    const endsAt = new Date(data.endsAt);
    const problems = problemsOf(data.matchers, startsAt, endsAt, nowMs);
    if (problems.length > 0) throw invalidInput('The silence', problems);
    const id = namedId('silence', name);
    await this.#database.transaction(async (tx) => {
      const { count } = await tx
        .selectFrom('silences')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('ends_at', '>', new Date(nowMs))
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_SILENCES) {
        const detail = `There are ${MAX_SILENCES} silences already, which is the limit. End one first.`;
        throw invalidInput('The silence', [{ pointer: '', detail }]);
      }
      const row = {
        matchers: JSON.stringify(data.matchers),
        starts_at: startsAt,
        ends_at: endsAt,
        author: author(),
        comment: data.comment,
      };
      await tx
        .insertInto('silences')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      await this.#audit.record(tx, { ...changeOf('silence', id, 'silence.added'), after: toJson(data) });
    });
    return await this.get(id);
  }

  /** Ends it now; it stays readable for 90 days. @throws SilenceNotFoundError, SilenceOverError */
  async end(id: string): Promise<Silence> {
    const now = new Date(this.#clock.now());
    return await this.#database.transaction(async (tx) => {
      const row = await tx.selectFrom('silences').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
      if (row === undefined) throw new SilenceNotFoundError(id);
      if (row.ends_at <= now) throw new SilenceOverError(id);
      if (row.starts_at >= now) await tx.deleteFrom('silences').where('id', '=', id).execute();
      else
        await tx.updateTable('silences').set({ ends_at: now, updated_at: sql`now()` }).where('id', '=', id).execute();
      await this.#audit.record(tx, {
        ...changeOf('silence', id, 'silence.ended'),
        before: { endsAt: row.ends_at.toISOString() },
        after: { endsAt: now.toISOString() },
      });
      return this.#toSilence({ ...row, ends_at: now });
    });
  }

  #toSilence(row: {
    id: string;
    matchers: unknown;
    starts_at: Date;
    ends_at: Date;
    author: string;
    comment: string;
    created_at: Date;
  }): Silence {
    const nowMs = this.#clock.now();
    return {
      id: row.id,
      matchers: row.matchers as Matcher[],
      startsAt: row.starts_at.toISOString(),
      endsAt: row.ends_at.toISOString(),
      author: row.author,
      comment: row.comment,
      createdAt: row.created_at.toISOString(),
      state: row.ends_at.getTime() <= nowMs ? 'expired' : row.starts_at.getTime() <= nowMs ? 'active' : 'pending',
    };
  }
}

function problemsOf(matchers: readonly Matcher[], startsAt: Date, endsAt: Date, nowMs: number) {
  const problems = [];
  if (matchesEverything(matchers)) {
    const detail = 'match every alert. Name at least one label with a value.';
    problems.push({ pointer: '/matchers', detail });
  }
  if (endsAt <= startsAt) problems.push({ pointer: '/endsAt', detail: 'is not after the start.' });
  else if (endsAt.getTime() <= nowMs) problems.push({ pointer: '/endsAt', detail: 'has passed.' });
  else if (endsAt.getTime() - startsAt.getTime() > MAX_DURATION_MS)
    problems.push({ pointer: '/endsAt', detail: 'is more than 366 days after the start.' });
  return problems;
}
