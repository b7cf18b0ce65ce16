import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Integration } from '../../integrations/types.ts';
import type { SyncResult } from '../../sync/types.ts';
import { collect, command, type Invocation } from '../command.ts';
import { UsageError } from '../errors.ts';
import { EXIT } from '../exitCodes.ts';
import { findIntegration } from '../findIntegration.ts';
import { withLiveLine } from '../liveLine.ts';
import { withApp } from '../openApp.ts';
import type { Output } from '../output.ts';
import { counted, syncProgress } from '../syncProgress.ts';

interface Options {
  readonly all?: boolean;
  readonly fullRefresh?: boolean;
  readonly stream?: string[];
}

export function integrationsSync(): Command {
  return command<Options>(
    'sync [integrations...]',
    'Sync now and wait for the end; Ctrl-C stops it cleanly',
    (invocation) => withApp(invocation, (app) => sync(app, invocation)),
  )
    .option('--all', 'every integration that is connected')
    .option('--full-refresh', 'read every stream from the start, which also finds deletions')
    .option('--stream <stream>', 'only this stream; may be repeated', collect);
}

async function sync(app: App, invocation: Invocation<Options>): Promise<void> {
  const { args, options, out } = invocation;
  if (args.length > 0 === (options.all === true))
    throw new UsageError('Name the integrations to sync, or take them --all.');
  if (options.all && (options.fullRefresh || options.stream))
    throw new UsageError('--full-refresh and --stream go with integrations named one by one.');

  const results = options.all ? await syncAll(app, invocation) : await syncNamed(app, invocation);
  if (results.some(({ success }) => !success)) process.exitCode ||= EXIT.failed;
  if (out.json) return out.data(results);
  if (results.some(({ recordsRead }) => recordsRead > 0))
    out.hint(`integration-services records ${results[0]!.integrationId}`);
}

async function syncNamed(app: App, { args, options, out, signal }: Invocation<Options>): Promise<SyncResult[]> {
  const integrations: Integration[] = [];
  for (const reference of args) integrations.push(await findIntegration(app, reference));
  const results: SyncResult[] = [];
  for (const { id, name } of integrations) {
    const result = await withLiveLine(async (show) => {
      const { fullRefresh, stream: streams } = options;
      const onProgress = syncProgress(app, name, show);
      // The signal would only end the waiting. The run itself is ended, and then its result comes.
      const stop = (): void => void app.sync.stop(id).catch(() => {});
      signal.addEventListener('abort', stop, { once: true });
      const running = app.integrationService.syncIntegration(id, { fullRefresh, streams, onProgress });
      return running.finally(() => signal.removeEventListener('abort', stop));
    });
    results.push(result);
    if (!out.json) report(out, name, result);
    if (signal.aborted) break;
  }
  return results;
}

async function syncAll(app: App, { out, signal }: Invocation<Options>): Promise<SyncResult[]> {
  const names = new Map<string, string>();
  for await (const { id, name } of app.catalog.all()) names.set(id, name);
  const results = await withLiveLine(async (show) => {
    show(`Syncing ${counted(names.size, 'integration')}`);
    return app.integrationService.syncAll({ signal }).catch(async (error: unknown) => {
      if (signal.aborted) for (const id of names.keys()) await app.sync.stop(id);
      throw error;
    });
  });
  if (!out.json)
    for (const result of results) report(out, names.get(result.integrationId) ?? result.integrationId, result);
  return results;
}

function report(out: Output, name: string, result: SyncResult): void {
  const { success, status, recordsRead, recordsAdded, recordsUpdated, recordsDeleted, recordsUnchanged } = result;
  const { recordsConfirmed, streamsConfirmed } = result;
  const counts = `${recordsAdded} added, ${recordsUpdated} updated, ${recordsDeleted} deleted, ${recordsUnchanged} unchanged`;
  const took = `${counted(result.pages, 'page')}, ${(result.durationMs / 1000).toFixed(1)} s`;
  out.line(`${success ? '✓' : '✗'} ${name} ${status}: ${counted(recordsRead, 'record')} read (${counts}; ${took})`);
  if (streamsConfirmed.length > 0)
    out.say(`  ${streamsConfirmed.join(', ')}: not modified, ${counted(recordsConfirmed, 'record')} confirmed`);
  for (const problem of [...(result.error === null ? [] : [result.error]), ...result.warnings]) {
    out.say(`  ${problem.stream === undefined ? '' : `${problem.stream}: `}${problem.message}`);
    if (problem.code === 'DELETIONS_NEED_CONFIRMATION')
      out.hint(`integration-services integrations confirm-deletions ${result.integrationId} ${problem.stream}`);
  }
}
