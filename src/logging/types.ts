import type { JsonObject } from '../core/json.ts';

/** The levels and their severity numbers in OpenTelemetry's log data model, in rising order. */
export const SEVERITIES = {
  debug: 5,
  verbose: 7,
  info: 9,
  warn: 13,
  error: 17,
  critical: 21,
} as const;

export type LogLevel = keyof typeof SEVERITIES;
export type SeverityNumber = (typeof SEVERITIES)[LogLevel];

export const LOG_LEVELS = Object.keys(SEVERITIES) as readonly LogLevel[];

const LEVEL_OF = new Map<number, LogLevel>(LOG_LEVELS.map((level) => [SEVERITIES[level], level]));

/** The level of a stored severity number. */
export function levelOf(severity: number): LogLevel {
  const level = LEVEL_OF.get(severity);
  if (level === undefined) throw new RangeError(`No level has the severity ${severity}.`);
  return level;
}

/** What belongs to no integration. */
export const SYSTEM = 'system';

/** A record, as stored and shown: OpenTelemetry's log data model in camelCase, with a number and a scope. */
export interface IntegrationLog {
  /** Gapless, in the order of commits, across replicas. */
  readonly seq: number;
  /** When it happened. ISO 8601 in UTC with milliseconds, as `observedTimestamp`. */
  readonly timestamp: string;
  /** When this service took it; time ranges go by this one. */
  readonly observedTimestamp: string;
  /** An integration's id, or 'system'. */
  readonly integrationId: string;
  readonly level: LogLevel;
  readonly severityNumber: SeverityNumber;
  readonly message: string;
  /** Names the kind of event, such as `sync.started`. */
  readonly eventName: string | null;
  readonly operationId: string | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly attributes: JsonObject;
}

/** What `getLogs` takes. */
export interface LogOptions {
  /** This level and all above it. */
  readonly level?: LogLevel;
  readonly levels?: readonly LogLevel[];
  /** Such as '15m', '24h' or '7d' back from now, or two times. */
  readonly timeRange?: string | { readonly from?: string | Date; readonly to?: string | Date };
  /** Lucene style. */
  readonly searchQuery?: string;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
  /** From the `nextCursor` of the page before. */
  readonly cursor?: string;
  readonly operationId?: string;
  readonly traceId?: string;
}

/** One page of records, the newest first. */
export interface LogPage {
  readonly logs: readonly IntegrationLog[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** Reads what is stored, and follows what comes. */
export interface LogReader {
  /** @param scope an integration, 'system', or several of them; null for all */
  read(scope: string | readonly string[] | null, options?: LogOptions): Promise<LogPage>;
  /**
   * Calls `onLog` with every record committed from now on, in the order of `seq`; of one scope, or of all. What
   * `onLog` throws harms nobody else.
   * @returns ends it
   */
  subscribe(onLog: (log: IntegrationLog) => void, scope?: string): () => void;
}
