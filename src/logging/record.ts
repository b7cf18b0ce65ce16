import { acting } from '../audit/acting.ts';
import type { InputProblem } from '../core/errors.ts';
import { invalidInput } from '../core/input.ts';
import type { JsonObject } from '../core/json.ts';
import { activeSpan } from '../core/tracing.ts';
import { isOwnName, Redactor } from '../redaction/redactor.ts';
import { AttributeWriter } from './attributes.ts';
import { LOG_LIMITS } from './limits.ts';
import { LOG_LEVELS, type LogLevel, SEVERITIES, SYSTEM } from './types.ts';

/** A record before it has a number. */
export interface LogRecord {
  readonly at: string;
  readonly observedAt: string;
  readonly integrationId: string;
  readonly level: LogLevel;
  readonly severity: number;
  readonly message: string;
  readonly eventName: string | null;
  readonly operationId: string | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
  readonly spanId: string | null;
  readonly attributes: JsonObject;
}

export type Metadata = Readonly<Record<string, unknown>>;

/** Where in a distributed trace the program is; null outside of one. */
export type ActiveSpan = () => { readonly traceId: string; readonly spanId: string } | null;

/** Members of metadata that are columns. */
const COLUMNS: ReadonlySet<string> = new Set([
  'integrationId',
  'timestamp',
  'eventName',
  'operationId',
  'requestId',
  'traceId',
  'spanId',
]);
const SCOPE = /^[\w.:-]{1,200}$/;
/** An event that is said to be further away from now has a wrong clock. */
const MAX_EARLIER_MS = 86_400_000;
const MAX_LATER_MS = 60_000;

/**
 * Makes a record of what somebody logs: checked, within bounds, without secrets. The one place that records come from,
 * whether they go to the store, to stdout or to followers.
 */
export class RecordMaker {
  readonly #writer: AttributeWriter;
  readonly #activeSpan: ActiveSpan;
  /** The last one, because many records come within a millisecond. */
  #now = { ms: 0, text: new Date(0).toISOString() };

  constructor(options: { readonly redactor?: Redactor; readonly activeSpan?: ActiveSpan } = {}) {
    this.#writer = new AttributeWriter(options.redactor ?? new Redactor());
    this.#activeSpan = options.activeSpan ?? activeSpan;
  }

  make(integrationId: string, level: LogLevel, message: string, metadata: Metadata, nowMs: number): LogRecord {
    if (this.#now.ms !== nowMs) this.#now = { ms: nowMs, text: new Date(nowMs).toISOString() };
    const observedAt = this.#now.text;
    const span = metadata.traceId === undefined ? this.#activeSpan() : null;
    return {
      at: happenedAt(metadata.timestamp, nowMs) ?? observedAt,
      observedAt,
      integrationId,
      level,
      severity: SEVERITIES[level],
      message: this.#writer.text(message, LOG_LIMITS.messageChars),
      eventName: this.#word(metadata.eventName),
      operationId: this.#word(metadata.operationId),
      requestId: this.#word(metadata.requestId ?? acting().origin?.requestId),
      traceId: this.#word(metadata.traceId ?? span?.traceId),
      spanId: this.#word(metadata.spanId ?? span?.spanId),
      attributes: this.#writer.write(metadata, COLUMNS),
    };
  }

  #word(value: unknown): string | null {
    if (typeof value !== 'string' || value === '') return null;
    // Else somebody could make the name of an event, or an id, a credential, and hide by it what happened.
    return isOwnName(value) ? value : this.#writer.word(value, LOG_LIMITS.wordChars);
  }
}

/**
 * Checks what a caller of `log` gives.
 * @throws InvalidInputError naming what is wrong
 */
export function checkLogInput(integrationId: unknown, level: unknown, message: unknown, metadata: unknown): void {
  const problems: InputProblem[] = [];
  if (typeof integrationId !== 'string' || !SCOPE.test(integrationId)) {
    problems.push({ pointer: '/integrationId', detail: `takes an integration's id or "${SYSTEM}".` });
  }
  if (typeof level !== 'string' || !Object.hasOwn(SEVERITIES, level)) {
    problems.push({ pointer: '/level', detail: `takes one of ${LOG_LEVELS.join(', ')}.` });
  }
  if (typeof message !== 'string') problems.push({ pointer: '/message', detail: 'takes a text.' });
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))) {
    problems.push({ pointer: '/metadata', detail: 'takes an object.' });
  }
  if (problems.length > 0) throw invalidInput('The log record', problems);
}

function happenedAt(value: unknown, nowMs: number): string | null {
  if (value === undefined) return null;
  const time = new Date(value instanceof Date || typeof value === 'number' ? value : String(value)).getTime();
  // NaN is in no range.
  return time >= nowMs - MAX_EARLIER_MS && time <= nowMs + MAX_LATER_MS ? new Date(time).toISOString() : null;
}
