import { type Command, InvalidArgumentError, Option } from 'commander';
import type { StoredEntry } from '../../audit/storedEntry.ts';
import { LIMITS } from '../../core/limits.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

/** Options that choose entries, of `audit list` and `audit export`. */
export interface AuditFilterOptions {
  readonly since?: Date;
  readonly until?: Date;
  readonly actor?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly integration?: string;
  readonly target?: string;
}

interface Options extends AuditFilterOptions {
  readonly limit?: number;
}

const DEFAULT_ROWS = 50;
const MAX_ROWS = 10_000;

export function auditList(): Command {
  const made = command<Options>('list', 'Who did what, newest first', (invocation) =>
    withApp(invocation, async ({ audit }) => {
      const { out, options } = invocation;
      const wanted = options.limit ?? DEFAULT_ROWS;
      // Where no server runs, nothing else gives what was recorded its place.
      await audit.flush();
      const entries: StoredEntry[] = [];
      for (let full = true; full && entries.length < wanted; ) {
        const limit = Math.min(wanted - entries.length, LIMITS.recordsPageSizeMax);
        const last = entries.at(-1);
        const before = last === undefined ? null : { occurredAt: new Date(last.time), seq: last.seq };
        const page = await audit.list(filterOf(options), limit, before);
        entries.push(...page);
        full = page.length === limit;
      }
      if (out.json) return out.data(entries);
      if (entries.length === 0) return out.say('Nothing was recorded.');
      out.table(
        ['SEQ', 'TIME', 'ACTOR', 'ACTION', 'OUTCOME', 'TARGET', 'FROM'],
        entries.map((one) => [
          one.seq,
          one.time,
          `${one.actor.kind} ${one.actor.id}`,
          one.action,
          one.outcome,
          one.target === undefined ? null : `${one.target.kind} ${one.target.id}`,
          one.origin?.address ?? null,
        ]),
      );
    }),
  );
  return withFilter(made).option('--limit <number>', `at most so many; default ${DEFAULT_ROWS}`, toCount);
}

export function withFilter(made: Command): Command {
  return made
    .option('--since <time>', 'not before this time, such as 2026-01-31 or 2026-01-31T12:00:00Z', toTime)
    .option('--until <time>', 'before this time', toTime)
    .option('--actor <id>', 'of this user, key or other actor')
    .option('--action <action>', 'such as integration.created')
    .addOption(new Option('--outcome <outcome>', 'with this outcome').choices(['success', 'failure', 'denied']))
    .option('--integration <id>', 'about this integration')
    .option('--target <id>', 'done to this');
}

export function filterOf({ since, until, actor, action, outcome, integration, target }: AuditFilterOptions) {
  return { since, until, actor, action, outcome, integrationId: integration, target };
}

function toTime(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('It takes a time in ISO 8601, such as 2026-01-31 or 2026-01-31T12:00:00Z.');
}

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0 && count <= MAX_ROWS) return count;
  throw new InvalidArgumentError(`It takes a number from 1 to ${MAX_ROWS}; "audit export" gives everything.`);
}
