import { isDeepStrictEqual } from 'node:util';
import type { ConnectorSession } from '../connectors/types.ts';
import type { Clock } from '../core/clock.ts';
import { AppError, errorMessage, UnavailableError } from '../core/errors.ts';
import { suggestion } from '../core/input.ts';
import type { Log } from '../core/log.ts';
import { failSpan, inSpan, linksTo } from '../core/tracing.ts';
import type { Integration } from '../integrations/types.ts';
import { OutgoingCallError } from '../outgoing/errors.ts';
import type { Database } from '../store/database.ts';
import { DEFAULT_SAFETY_PERCENT } from './deletionSafety.ts';
import { RunInterruption, SyncRunCrashedError, UnknownStreamError } from './errors.ts';
import type { StreamReader } from './reader.ts';
import {
  addWarning,
  confirmedStreams,
  finishRun,
  type RunClaim,
  type RunProblem,
  releaseRun,
  type StreamPhase,
  type SyncRunRow,
} from './runQueries.ts';
import { StreamSync, type StreamSyncContext } from './streamSync.ts';
import { Turns } from './turns.ts';

/** What a run is for, as integrations/ resolves it. */
export interface SyncTarget {
  readonly integration: Integration;
  session(operationId: string): Promise<ConnectorSession>;
  /** Streams read at the same time. Default 1. */
  readonly streamConcurrency?: number;
}

export interface RunDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly reader: StreamReader;
  /** Throws what tells why the integration cannot be synced; the run fails with it. */
  readonly resolveTarget: (integrationId: string) => Promise<SyncTarget>;
  /** Told how long the storing of each batch of pages took, in milliseconds. */
  readonly measureWrite: (integrationId: string, durationMs: number) => void;
}

/** Claims of a run that brought no page before it is given up: something in it kills its workers. */
const MAX_BARREN_CLAIMS = 20;

/**
 * Carries out a claimed run to its end, and gives its final row; undefined when the run goes on elsewhere.
 *
 * A stream that fails does not keep the others from being synced; the run then ends as failed with that stream's
 * error. When the database cannot be reached the run is left alone: its lease runs out and whoever can takes it over.
 */
export function executeRun(
  deps: RunDependencies,
  run: SyncRunRow,
  signal: AbortSignal,
  onWritten: () => void,
): Promise<SyncRunRow | undefined> {
  const attributes = {
    'integration_services.sync.run.id': run.id,
    'integration_services.sync.trigger': run.trigger,
    'integration_services.sync.full_refresh': run.full_refresh,
    'integration_services.sync.claim': run.lease_token,
    'integration_services.integration.id': run.integration_id,
  };
  // A trace of its own, because it may begin long after it was asked for, and in another process.
  const settings = { attributes, root: true, links: linksTo(run.trace_parent) };
  return inSpan('sync run', settings, async (span) => {
    sayStarted(deps.log, run);
    const finished = await carryOut(deps, run, signal, onWritten);
    if (finished !== undefined) sayEnded(deps.log, finished);
    span.setAttribute('integration_services.sync.status', finished?.status ?? 'released');
    if (finished === undefined) return finished;
    span.setAttribute('integration_services.sync.records_read', finished.records_read);
    span.setAttribute('integration_services.sync.pages', finished.pages);
    if (finished.error !== null) failSpan(span, finished.error);
    return finished;
  });
}

async function carryOut(
  deps: RunDependencies,
  run: SyncRunRow,
  signal: AbortSignal,
  onWritten: () => void,
): Promise<SyncRunRow | undefined> {
  const { database, log } = deps;
  const claim: RunClaim = { id: run.id, integrationId: run.integration_id, leaseToken: run.lease_token };
  try {
    const [failure, ...others] = await syncStreams(deps, run, claim, signal, onWritten);
    for (const problem of others) await addWarning(database.db, claim, problem);
    return await finishRun(database.db, claim, failure === undefined ? 'succeeded' : 'failed', failure ?? null);
  } catch (thrown) {
    // Whatever an aborted call throws, the reason is why the run ends.
    const error = signal.aborted ? signal.reason : thrown;
    if (error instanceof RunInterruption) {
      if (error.reason === 'stopped') return finishRun(database.db, claim, 'stopped', null);
      if (error.reason === 'shutdown') await releaseRun(database.db, claim);
      return undefined;
    }
    if (isDatabaseGone(error)) {
      log.warn('A sync lost the database and goes on when it is back', {
        ...namesOf(run),
        reason: errorMessage(error),
      });
      return undefined;
    }
    return finishRun(database.db, claim, 'failed', describe(error, log, run));
  }
}

/**
 * Syncs the streams, as many at a time as the target says; gives the problems of those that failed, in the connector's
 * order. What the streams read comes at the same time, what they write one after the other, as if there were one.
 */
async function syncStreams(
  deps: RunDependencies,
  run: SyncRunRow,
  claim: RunClaim,
  signal: AbortSignal,
  onWritten: () => void,
): Promise<RunProblem[]> {
  if (run.stop_requested_at !== null) throw new RunInterruption('stopped');
  if (run.lease_token > run.pages + MAX_BARREN_CLAIMS)
    throw new SyncRunCrashedError(
      `This sync was started ${run.lease_token} times and its worker died each time. Look at the server's log and memory, then start it again.`,
    );
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const writes = new Turns();
  const context: StreamContext = { ...deps, claim, fullRefresh: run.full_refresh, signal: either, onWritten, writes };
  let opened: OpenedTarget | undefined = await openTarget(context);
  const { concurrency } = opened;
  const streams = chooseStreams(opened.session, run.streams ?? opened.configuration.streams);
  const problems = new Map<string, RunProblem>();
  const left = streams.values();
  const work = async () => {
    for (const stream of left) {
      either.throwIfAborted();
      const phase = run.progress[stream];
      if (phase === 'done') continue;
      // The first stream takes what is open; each of the others is synced with the integration as it is then.
      const first = opened;
      opened = undefined;
      try {
        await inSpan('sync stream', { attributes: { 'integration_services.sync.stream': stream } }, async () =>
          syncStream(context, first ?? (await openTarget(context)), stream, phase),
        );
      } catch (error) {
        if (either.aborted || error instanceof RunInterruption || isDatabaseGone(error)) throw error;
        problems.set(stream, describe(error, deps.log, run, stream));
      }
    }
  };
  // What ends one of them ends the run, and so the others; nothing of it may go on afterwards.
  const ended = await Promise.allSettled(
    Array.from({ length: concurrency }, () =>
      work().catch((error: unknown) => {
        ending.abort(error);
        throw error;
      }),
    ),
  );
  if (signal.aborted) throw signal.reason;
  if (ending.signal.aborted) throw ending.signal.reason;
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return streams.flatMap((stream) => problems.get(stream) ?? []);
}

type StreamContext = Omit<StreamSyncContext, 'session' | 'safetyPercent'> & Pick<RunDependencies, 'resolveTarget'>;

interface OpenedTarget {
  readonly concurrency: number;
  readonly session: ConnectorSession;
  readonly configuration: Integration['configuration'];
}

/** The integration as it is now. */
async function openTarget({ resolveTarget, claim }: StreamContext): Promise<OpenedTarget> {
  const target = await resolveTarget(claim.integrationId);
  const { streamConcurrency: concurrency = 1 } = target;
  return { concurrency, session: await target.session(claim.id), configuration: target.integration.configuration };
}

/**
 * Syncs a stream. Credentials that are refused because there are new ones do not end it: it goes on with those from
 * the last page.
 */
async function syncStream(
  context: StreamContext,
  opened: OpenedTarget,
  stream: string,
  phase: StreamPhase | undefined,
): Promise<void> {
  const first = new StreamSync(streamContext(context, opened), stream, phase);
  try {
    await first.run();
  } catch (error) {
    if (!(error instanceof OutgoingCallError) || error.outcome !== 'wrong_credentials') throw error;
    context.signal.throwIfAborted();
    const now = await openTarget(context);
    if (isDeepStrictEqual(now.session.credentials, opened.session.credentials)) throw error;
    await new StreamSync(streamContext(context, now), stream, first.phase).run();
  }
}

function streamContext(context: StreamContext, { session, configuration }: OpenedTarget): StreamSyncContext {
  const { deletionSafetyPercent: safetyPercent = DEFAULT_SAFETY_PERCENT } = configuration;
  return { ...context, session, safetyPercent };
}

/** The streams to sync, in the connector's order. @throws UnknownStreamError */
function chooseStreams({ connector }: ConnectorSession, chosen: readonly string[] | undefined): string[] {
  const names = connector.streams.map((stream) => stream.name);
  if (chosen === undefined) return connector.streams.filter((stream) => stream.default).map((stream) => stream.name);
  for (const name of chosen) {
    if (names.includes(name)) continue;
    throw new UnknownStreamError(
      `The connector ${JSON.stringify(connector.platform)} has no stream ${JSON.stringify(name)}.${suggestion(name, names)} It has: ${names.join(', ')}.`,
      { details: { stream: name, streams: names } },
    );
  }
  return names.filter((name) => chosen.includes(name));
}

/** Lost connections, and a server that is out of resources or going down (classes 53, 57, 58 of the SQLSTATEs). */
function isDatabaseGone(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof UnavailableError || (typeof code === 'string' && /^(53|57|58)\w{3}$/.test(code));
}

function describe(error: unknown, log: Log, run: SyncRunRow, stream?: string): RunProblem {
  if (error instanceof AppError) return { code: error.code, message: error.message, stream };
  // Anything else may carry data in its message, and is a fault of this program: it belongs into the log.
  const details = { ...namesOf(run), stream, error };
  log.error('A sync failed unexpectedly', details);
  return { code: 'INTERNAL', message: 'An unexpected error ended it; the server log has the details.', stream };
}

/** The calls of a run name it as their operation. */
function namesOf(run: SyncRunRow) {
  return { integrationId: run.integration_id, operationId: run.id, runId: run.id };
}

function sayStarted(log: Log, run: SyncRunRow): void {
  const fields = { eventName: 'sync.started', ...namesOf(run), trigger: run.trigger, fullRefresh: run.full_refresh };
  if (run.pages === 0) log.info('A sync was started', fields);
  else log.info('A sync goes on', { ...fields, eventName: 'sync.resumed', pages: run.pages });
}

/** From when a worker began it, whoever went on with it since. */
function durationOf({ started_at, finished_at }: SyncRunRow): number | null {
  return started_at === null || finished_at === null ? null : finished_at.getTime() - started_at.getTime();
}

function sayEnded(log: Log, run: SyncRunRow): void {
  const fields = {
    eventName: `sync.${run.status}`,
    ...namesOf(run),
    durationMs: durationOf(run),
    pages: run.pages,
    read: run.records_read,
    added: run.records_added,
    updated: run.records_updated,
    deleted: run.records_deleted,
    confirmed: run.records_confirmed,
    streamsConfirmed: confirmedStreams(run),
  };
  if (run.status === 'failed') log.error('A sync failed', { ...fields, problem: run.error });
  else log.info(run.status === 'stopped' ? 'A sync was stopped' : 'A sync has finished', fields);
}
