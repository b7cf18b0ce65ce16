import type { Clock } from '../core/clock.ts';
import { type Log, silentLog } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { copyLine } from './copyLine.ts';
import { LogIngest, type LogIngestState } from './logIngest.ts';
import { type LogRecord, type Metadata, RecordMaker } from './record.ts';
import { LOG_LEVELS, type LogLevel, SEVERITIES, SYSTEM } from './types.ts';

const SCOPE = /^[\w.:-]{1,200}$/;
const SAY_DROPPED_MS = 5_000;
/** Stands for all scopes in what is set. */
export const EVERY_SCOPE = '*';

const NOT_TAKEN = Promise.resolve();

export interface LogRecorderOptions {
  readonly clock: Clock;
  /** Where records that wait for the database are kept. */
  readonly root: string;
  readonly maxWaitingBytes: number;
  /** The level that the process was started with. */
  readonly level: LogLevel;
  /** What LOG_LEVEL was changed to since; null while it was not. */
  readonly changedLevel?: () => LogLevel | null;
  /** Where records go beside the store, such as stdout. */
  readonly sink: Log;
  readonly maker?: RecordMaker;
}

/**
 * Takes every record there is: of the service's callers and of the program itself. Makes it safe once, and gives the
 * same one to stdout and to the store. Works before the database is open, and while it is away.
 */
export class LogRecorder {
  /** The program's own log. A record belongs to the integration that its fields name. Never throws, never waits. */
  readonly log: Log;
  readonly #options: LogRecorderOptions;
  readonly #maker: RecordMaker;
  readonly #ingest: LogIngest;
  #levels: ReadonlyMap<string, number> = new Map();
  #saidDropped = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LogRecorderOptions) {
    this.#options = options;
    this.#maker = options.maker ?? new RecordMaker();
    this.#ingest = new LogIngest({
      root: options.root,
      maxBytes: options.maxWaitingBytes,
      // Not into the store, which is what has the trouble.
      onTrouble: (message, fields) => this.#sink(this.#make(SYSTEM, 'warn', message, fields)),
    });
    this.log = this.#programLog();
  }

  get state(): LogIngestState {
    return this.#ingest.state;
  }

  /** Begins to bring records into the database. */
  start(database: Database, onCommitted: () => void = () => {}): void {
    this.#ingest.start(database, onCommitted);
    this.#timer = setInterval(() => this.#sayDropped(), SAY_DROPPED_MS);
    this.#timer.unref();
  }

  /** Severities from which on records of a scope, or of all, are taken, in place of those set before. */
  useLevels(levels: ReadonlyMap<string, number>): void {
    this.#levels = levels;
  }

  /** The severity from which on records are taken: as set for the scope, by LOG_LEVEL since the start, for all, at the start. */
  threshold(scope: string): number {
    const own = this.#levels.get(scope);
    if (own !== undefined) return own;
    const changed = this.#options.changedLevel?.() ?? null;
    if (changed !== null) return SEVERITIES[changed];
    return this.#levels.get(EVERY_SCOPE) ?? SEVERITIES[this.#options.level];
  }

  /**
   * Resolves when the record outlives this process, whatever ends it; of error and critical, the machine, too; at once
   * when its level is not taken.
   * @throws LogsOverloadedError when it could not be kept
   */
  record(scope: string, level: LogLevel, message: string, metadata: Metadata = {}): Promise<void> {
    if (SEVERITIES[level] < this.threshold(scope)) return NOT_TAKEN;
    const record = this.#make(scope, level, message, metadata);
    this.#sink(record);
    return this.#ingest.add(copyLine(record), record.severity);
  }

  /** Resolves when everything recorded before is in the database. Rejects when that does not work now. */
  flush(): Promise<void> {
    return this.#ingest.flush();
  }

  /** Brings what waits into the database, for a few seconds at most; the rest is loaded at the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer ?? undefined);
    this.#sayDropped();
    await this.#ingest.close();
  }

  #make(scope: string, level: LogLevel, message: string, metadata: Metadata): LogRecord {
    return this.#maker.make(scope, level, message, metadata, this.#options.clock.now());
  }

  #sink(record: LogRecord): void {
    // A program that uses the library hears nothing unless it asks; then there is nothing to prepare.
    if (this.#options.sink === silentLog) return;
    const { integrationId, eventName, operationId, requestId, traceId, spanId } = record;
    const columns = { eventName, operationId, requestId, traceId, spanId };
    const named = Object.entries(columns).filter(([, value]) => value !== null);
    this.#options.sink[record.level](record.message, {
      ...(integrationId === SYSTEM ? {} : { integrationId }),
      ...Object.fromEntries(named),
      ...record.attributes,
    });
  }

  #programLog(): Log {
    const take =
      (level: LogLevel) =>
      (message: string, fields: Metadata = {}): void => {
        const { integrationId } = fields;
        const scope = typeof integrationId === 'string' && SCOPE.test(integrationId) ? integrationId : SYSTEM;
        // What is dropped is counted, and said by #sayDropped.
        this.record(scope, level, String(message), fields).catch(() => {});
      };
    const methods = Object.fromEntries(LOG_LEVELS.map((level) => [level, take(level)])) as Record<
      LogLevel,
      Log['info']
    >;
    return { ...methods, isVerbose: (integrationId = SYSTEM) => this.threshold(integrationId) < SEVERITIES.info };
  }

  #sayDropped(): void {
    const { dropped } = this.#ingest.state;
    const count = dropped - this.#saidDropped;
    if (count === 0) return;
    const fields = { eventName: 'log.dropped', dropped: count, droppedSinceStart: dropped };
    this.record(SYSTEM, 'error', 'Log records were dropped', fields).then(
      () => {
        this.#saidDropped += count;
      },
      // Its own refusal is one more; all of them are said when there is room again.
      () => {},
    );
  }
}
