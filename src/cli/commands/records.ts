import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { App } from '../../app.ts';
import { LIMITS } from '../../core/limits.ts';
import type { RecordChange } from '../../sync/types.ts';
import { command, type Invocation } from '../command.ts';
import { UsageError } from '../errors.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly stream?: string;
  readonly cursor?: string;
  readonly limit?: number;
  readonly format?: 'table' | 'ndjson' | 'csv';
  readonly follow?: boolean;
}

const FOLLOW_INTERVAL_MS = 1_000;
const TABLE_ROWS = 50;

export function records(): Command {
  return command<Options>('records <integration>', 'Read what was synced, in the order it changed', (invocation) =>
    withApp(invocation, (app) => read(app, invocation)),
  )
    .option('--stream <stream>', 'only of this stream')
    .option('--cursor <cursor>', 'go on after an earlier read, which named this cursor')
    .option('--limit <number>', `at most so many; ${TABLE_ROWS} in a table, else all`, toCount)
    .addOption(
      new Option(
        '--format <format>',
        'table at a terminal, else ndjson; csv takes --stream and gives all of it',
      ).choices(['table', 'ndjson', 'csv']),
    )
    .option('--follow', 'ndjson: stay and print what changes, until Ctrl-C');
}

async function read(app: App, invocation: Invocation<Options>): Promise<void> {
  const { args, options, out } = invocation;
  const format = options.format ?? (process.stdout.isTTY && !options.follow ? 'table' : 'ndjson');
  check(options, format, out.json);
  const { id } = await findIntegration(app, args[0]!);
  if (out.json) {
    const limit = options.limit ?? LIMITS.recordsPageSizeMax;
    return out.data(await app.sync.changes(id, { stream: options.stream, cursor: options.cursor, limit }));
  }
  if (format === 'csv') {
    for await (const chunk of app.sync.export(id, options.stream!, 'csv')) await out.write(chunk);
    return;
  }
  const found: RecordChange[] = [];
  let cursor = options.cursor;
  for await (const page of pages(app, id, invocation, format === 'table' ? TABLE_ROWS : Number.POSITIVE_INFINITY)) {
    cursor = page.nextCursor;
    if (format === 'table') found.push(...page.records);
    else for (const record of page.records) await out.write(`${JSON.stringify(record)}\n`);
  }
  if (format === 'table') {
    out.table(
      ['STREAM', 'KEY', 'CHANGE', 'CHANGED', 'DATA'],
      found.map((one) => [one.stream, one.key, one.change, one.changedAt, shorten(JSON.stringify(one.data))]),
    );
  }
  if (cursor !== undefined) out.hint(`what changes from here on: --cursor ${cursor}`);
}

/** Pages of the change feed up to the limit; with --follow, without an end but Ctrl-C. */
async function* pages(app: App, id: string, { options, signal }: Invocation<Options>, defaultLimit: number) {
  let left = options.limit ?? defaultLimit;
  let { cursor } = options;
  while (left > 0) {
    signal.throwIfAborted();
    const limit = Math.min(left, LIMITS.recordsPageSizeMax);
    const page = await app.sync.changes(id, { stream: options.stream, cursor, limit });
    if (page.records.length > 0 || !options.follow) yield page;
    left -= page.records.length;
    cursor = page.nextCursor;
    if (page.hasMore) continue;
    if (!options.follow) return;
    await delay(FOLLOW_INTERVAL_MS, undefined, { signal });
  }
}

function check({ stream, cursor, limit, follow }: Options, format: string, json: boolean): void {
  if (json && follow) throw new UsageError('--follow prints a line a record; use it without --json.');
  if (follow && format !== 'ndjson') throw new UsageError('--follow goes with --format ndjson only.');
  if (format !== 'csv') return;
  if (stream === undefined)
    throw new UsageError('--format csv takes --stream, because streams differ in their columns.');
  if (cursor !== undefined || limit !== undefined)
    throw new UsageError('--format csv gives the whole stream as it is now; --cursor and --limit go with ndjson.');
}

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It takes a number from 1 on.');
}

function shorten(text: string): string {
  const room = Math.max(20, (process.stdout.columns ?? 160) - 90);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}
