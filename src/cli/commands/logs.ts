import { type Command, InvalidArgumentError, Option } from 'commander';
import type { App } from '../../app.ts';
import { durationOf, timeOf } from '../../logging/search/timeRange.ts';
import { type IntegrationLog, LOG_LEVELS, type LogLevel, type LogOptions, SYSTEM } from '../../logging/types.ts';
import { command, type Invocation } from '../command.ts';
import { UsageError } from '../errors.ts';
import { findIntegration } from '../findIntegration.ts';
import { IntegrationNames } from '../integrationNames.ts';
import { logLine } from '../logLine.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly follow?: true;
  readonly since?: string;
  readonly level?: LogLevel;
  readonly query?: string;
  readonly integration?: string;
  readonly operation?: string;
  readonly trace?: string;
  readonly limit?: number;
}

const DEFAULT_RECORDS = 100;
/** What is shown of before, where somebody comes to see what happens. */
const DEFAULT_BEFORE_FOLLOWING = 10;
const MAX_RECORDS = 10_000;

export function logs(): Command {
  return command<Options>('logs', 'What happened: search the logs, or follow them', (invocation) =>
    withApp(invocation, (app) => show(app, invocation)),
  )
    .option('-f, --follow', 'stay and print what comes, until Ctrl-C')
    .option('--since <time>', 'a time back such as 15m, 24h or 7d, or a time in ISO 8601; default 24h')
    .addOption(new Option('--level <level>', 'this level and all above it').choices([...LOG_LEVELS]))
    .option('--query <search>', "Lucene style, as in 'timeout AND NOT attributes.status:404'")
    .option('--integration <integration>', 'of this integration, or of "system"')
    .option('--operation <id>', 'of this operation')
    .option('--trace <id>', 'of this trace')
    .option('--limit <number>', `the newest so many; default ${DEFAULT_RECORDS}`, toCount);
}

async function show(app: App, { options, out, signal }: Invocation<Options>): Promise<void> {
  const { integration, since, level, query, operation, trace } = options;
  const scope = await scopeOf(app, integration);
  const choice = { level, searchQuery: query, operationId: operation, traceId: trace };
  const pretty = process.stdout.isTTY === true && !out.json;
  const names = new IntegrationNames(app.integrationService);
  const print = async (log: IntegrationLog) =>
    out.write(`${pretty ? logLine(log, await names.of(log.integrationId)) : JSON.stringify(log)}\n`);
  const past = { ...choice, timeRange: since === undefined ? undefined : rangeOf(since) };
  if (options.follow === true) {
    const limit = options.limit ?? (since === undefined ? DEFAULT_BEFORE_FOLLOWING : MAX_RECORDS);
    for await (const log of app.logs.follow(scope, past, limit, signal)) await print(log);
    return;
  }
  const limit = options.limit ?? DEFAULT_RECORDS;
  const found = await app.logs.history.newest(scope, past, limit);
  for (const log of found.reverse()) await print(log);
  if (found.length === limit) out.hint(`there may be more than these ${limit}: --limit takes up to ${MAX_RECORDS}`);
  if (found.length === 0) out.hint('nothing was found; --since takes a longer time, such as 7d');
}

async function scopeOf(app: App, integration: string | undefined): Promise<string | null> {
  if (integration === undefined) return null;
  return integration === SYSTEM ? SYSTEM : (await findIntegration(app, integration)).id;
}

function rangeOf(since: string): LogOptions['timeRange'] {
  if (durationOf(since) !== null) return since;
  if (timeOf(since, Date.now()) !== null) return { from: since };
  throw new UsageError('--since takes a time back such as 15m, 24h or 7d, or a time such as 2026-01-31T12:00:00Z.');
}

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0 && count <= MAX_RECORDS) return count;
  throw new InvalidArgumentError(`It takes a number from 1 to ${MAX_RECORDS}.`);
}
