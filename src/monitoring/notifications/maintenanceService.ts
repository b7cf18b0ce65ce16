import { z } from 'zod';
import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import { author, changeOf, toJson } from './auditing.ts';
import { MaintenanceWindowNotFoundError } from './errors.ts';
import { type Matcher, matchersSchema } from './labelMatchers.ts';
import { cronFault, isOpen, nextBeginning } from './maintenanceTimes.ts';
import { timesOf } from './muteQueries.ts';
import { commentText } from './silenceService.ts';

const MAX_WINDOWS = 200;
const MINUTE_MS = 60_000;
const MAX_RECURRING_MS = 7 * 24 * 60 * MINUTE_MS;
const MAX_ONCE_MS = 366 * 24 * 60 * MINUTE_MS;

const once = z.strictObject({ startsAt: z.iso.datetime({ offset: true }), endsAt: z.iso.datetime({ offset: true }) });
const recurring = z.strictObject({
  cron: z.string().min(9).max(100).describe('Five fields: when it begins.'),
  timezone: z.string().min(1).max(100).default('UTC'),
  durationMs: z.int().min(MINUTE_MS).max(MAX_RECURRING_MS),
});

export const maintenanceSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'takes text without control characters'),
  matchers: matchersSchema.default([]).describe('None: every alert.'),
  times: z.union([once, recurring]),
  comment: commentText.describe('Why.'),
});
export type MaintenanceInput = z.input<typeof maintenanceSchema>;

export interface MaintenanceWindow {
  readonly id: string;
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly times:
    | { readonly startsAt: string; readonly endsAt: string }
    | { readonly cron: string; readonly timezone: string; readonly durationMs: number };
  readonly author: string;
  readonly comment: string;
  readonly createdAt: string;
  readonly open: boolean;
  /** When it opens next; null when it does not. */
  readonly opensAt: string | null;
}

/** Times of planned work, in which alerts that match are not told of. */
export class MaintenanceService {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #clock: Clock;

  constructor(options: { database: Database; audit: AuditTrail; clock: Clock }) {
    this.#database = options.database;
    this.#audit = options.audit;
    this.#clock = options.clock;
  }

  /** All of them, at most 200. */
  async list(): Promise<MaintenanceWindow[]> {
    const rows = await this.#database.db.selectFrom('maintenance_windows').selectAll().orderBy('id').execute();
    const nowMs = this.#clock.now();
    return rows.map((row) => {
      const times = timesOf(row);
      const next = nextBeginning(times, nowMs);
      return {
        id: row.id,
        name: row.name,
        matchers: row.matchers as Matcher[],
        times:
          row.cron === null
            ? { startsAt: row.starts_at!.toISOString(), endsAt: row.ends_at!.toISOString() }
            : { cron: row.cron, timezone: row.timezone!, durationMs: row.duration_ms! },
        author: row.author,
        comment: row.comment,
        createdAt: row.created_at.toISOString(),
        open: isOpen(times, nowMs),
        opensAt: next === null ? null : new Date(next).toISOString(),
      };
    });
  }

  /** A window made under the same `name` before is what it is now. @throws InvalidInputError */
  async add(input: MaintenanceInput, name: string = newIdName()): Promise<MaintenanceWindow> {
    const data = parseInput(maintenanceSchema, input, 'The maintenance window');
    const { times } = data;
    const fault = 'cron' in times ? cronFault(times.cron, times.timezone) : null;
    const problems = fault === null ? [] : [{ pointer: '/times/cron', detail: `${fault}.` }];
    if ('startsAt' in times) {
      const lengthMs = Date.parse(times.endsAt) - Date.parse(times.startsAt);
      if (lengthMs <= 0) problems.push({ pointer: '/times/endsAt', detail: 'is not after the start.' });
      if (lengthMs > MAX_ONCE_MS) problems.push({ pointer: '/times/endsAt', detail: 'is more than 366 days later.' });
    }
    if (problems.length > 0) throw invalidInput('The maintenance window', problems);
    const id = namedId('maintenanceWindow', name);
    await this.#database.transaction(async (tx) => {
      await tx.selectFrom('notification_intake').select('id').forUpdate().execute();
      const others = await tx.selectFrom('maintenance_windows').select('id').where('id', '!=', id).execute();
      if (others.length >= MAX_WINDOWS) {
        const detail = `There are ${MAX_WINDOWS} windows already, which is the limit. Delete one first.`;
        throw invalidInput('The maintenance window', [{ pointer: '', detail }]);
      }
      const row = {
        name: data.name,
        matchers: JSON.stringify(data.matchers),
        starts_at: 'startsAt' in times ? new Date(times.startsAt) : null,
        ends_at: 'startsAt' in times ? new Date(times.endsAt) : null,
        cron: 'cron' in times ? times.cron : null,
        timezone: 'cron' in times ? times.timezone : null,
        duration_ms: 'cron' in times ? times.durationMs : null,
        author: author(),
        comment: data.comment,
      };
      await tx
        .insertInto('maintenance_windows')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      await this.#audit.record(tx, {
        ...changeOf('maintenanceWindow', id, 'maintenanceWindow.added'),
        after: toJson(data),
      });
    });
    return (await this.list()).find((window) => window.id === id)!;
  }

  /** @throws MaintenanceWindowNotFoundError */
  async delete(id: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const deleted = await tx
        .deleteFrom('maintenance_windows')
        .where('id', '=', id)
        .returning(['name', 'matchers', 'cron', 'starts_at', 'ends_at'])
        .executeTakeFirst();
      if (deleted === undefined) throw new MaintenanceWindowNotFoundError(id);
      await this.#audit.record(tx, {
        ...changeOf('maintenanceWindow', id, 'maintenanceWindow.deleted'),
        before: toJson(deleted),
      });
    });
  }
}
