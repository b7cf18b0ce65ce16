import type { LogIngestState } from './logIngest.ts';
import type { LogRecorder } from './logRecorder.ts';
import type { LogSettings } from './logSettings.ts';
import { checkLogInput } from './record.ts';
import { checkOptionNames } from './search/logQuery.ts';
import type { IntegrationLog, LogLevel, LogOptions, LogReader } from './types.ts';

interface Parts {
  readonly recorder: LogRecorder;
  readonly settings: LogSettings;
  readonly reader: LogReader;
}

/** Structured logs of integrations and of the program itself: written, read, and followed live. */
export class ComprehensiveLoggingService {
  /** Levels and retention. */
  readonly settings: LogSettings;
  /** Reads pages, for whoever wants more than `getLogs` gives. */
  readonly reader: LogReader;
  readonly #recorder: LogRecorder;

  constructor({ recorder, settings, reader }: Parts) {
    this.#recorder = recorder;
    this.settings = settings;
    this.reader = reader;
  }

  /** What waits, what was dropped, and whether the database takes records. */
  get state(): LogIngestState {
    return this.#recorder.state;
  }

  /**
   * Logs a message. `metadata` may be anything; of it, `operationId`, `requestId`, `traceId`, `spanId`, `eventName` and
   * `timestamp` are fields of the record, the rest its attributes. Secrets are taken out, long values cut.
   *
   * Resolves when the record outlives this process, also a `kill -9`; of `error` and `critical`, a crash of the
   * machine, too. Resolves at once when the level is not taken.
   *
   * @param integrationId an integration's id, or 'system'
   * @throws InvalidInputError
   * @throws LogsOverloadedError when it could not be kept
   */
  async log(
    integrationId: string,
    level: LogLevel,
    message: string,
    metadata?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    checkLogInput(integrationId, level, message, metadata);
    await this.#recorder.record(integrationId, level, message, metadata);
  }

  /**
   * The records of an integration, or of 'system', the newest first.
   * @throws InvalidInputError
   */
  async getLogs(integrationId: string, options?: LogOptions): Promise<IntegrationLog[]> {
    checkOptionNames(options);
    return [...(await this.reader.read(integrationId, options)).logs];
  }

  /**
   * Calls `onLogReceived` with every record from now on, of one integration or of all, in the order of `seq`.
   * @returns ends it
   */
  subscribeToLogs(onLogReceived: (log: IntegrationLog) => void, integrationId?: string): () => void {
    return this.reader.subscribe(onLogReceived, integrationId);
  }

  /** Resolves when everything logged before can be read. Rejects when the database does not take it now. */
  flush(): Promise<void> {
    return this.#recorder.flush();
  }
}
