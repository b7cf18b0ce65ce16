import { invalidInput, suggestion } from '../../core/input.ts';
import { LOG_LEVELS, type LogOptions, SEVERITIES } from '../types.ts';
import type { LogFilter } from './filter.ts';
import { parseLogQuery } from './parseQuery.ts';
import { type TimeBounds, timeBounds } from './timeRange.ts';

const DEFAULT_PAGE_RECORDS = 100;
export const MAX_PAGE_RECORDS = 1_000;
const MAX_ID_CHARS = 200;
const OPTION_NAMES: readonly string[] = [
  'level',
  'levels',
  'timeRange',
  'searchQuery',
  'limit',
  'cursor',
  'operationId',
  'traceId',
] satisfies (keyof LogOptions)[];

/** What chooses records, whether they are read, counted or followed. */
export type LogChoice = Omit<LogOptions, 'limit' | 'cursor'>;

/** The choice without its time range, as one filter. @throws InvalidInputError, InvalidLogQueryError */
export function choiceFilter(choice: Omit<LogChoice, 'timeRange'>, nowMs: number): LogFilter {
  const parts: LogFilter[] = [];
  const { level, levels, operationId, traceId, searchQuery = '' } = choice;
  for (const name of [level, ...(levels ?? [])])
    if (name !== undefined && !Object.hasOwn(SEVERITIES, name))
      throw inputError('/level', `takes one of ${LOG_LEVELS.join(', ')}.`);
  if (level !== undefined) parts.push({ kind: 'severity', is: '>=', value: SEVERITIES[level] });
  if (levels !== undefined)
    parts.push({ kind: 'or', parts: levels.map((one) => ({ kind: 'severity', is: '=', value: SEVERITIES[one] })) });
  if (operationId !== undefined) parts.push(idFilter('operationId', operationId));
  if (traceId !== undefined) parts.push(idFilter('traceId', traceId));
  parts.push(parseLogQuery(searchQuery, nowMs));
  return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
}

/** @throws InvalidInputError, InvalidLogQueryError */
export function readChoice(choice: LogChoice, nowMs: number): { filter: LogFilter; bounds: TimeBounds } {
  return { filter: choiceFilter(choice, nowMs), bounds: timeBounds(choice.timeRange, nowMs) };
}

/** What is not known would be passed over, and more be read than was meant. @throws InvalidInputError */
export function checkOptionNames(options: object = {}): void {
  const unknown = Object.keys(options).filter((name) => !OPTION_NAMES.includes(name));
  if (unknown.length === 0) return;
  throw invalidInput(
    'The question',
    unknown.map((name) => ({
      pointer: `/${name}`,
      detail: `is no option.${suggestion(name, OPTION_NAMES)} There are: ${OPTION_NAMES.join(', ')}.`,
    })),
  );
}

/** @throws InvalidInputError */
export function pageLimit(limit: number = DEFAULT_PAGE_RECORDS): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE_RECORDS) return limit;
  throw inputError('/limit', `takes a number from 1 to ${MAX_PAGE_RECORDS}.`);
}

export function encodeLogCursor(seq: number): string {
  return Buffer.from(`1:${seq}`).toString('base64url');
}

/** The number before which the page begins; null without a cursor. @throws InvalidInputError */
export function decodeLogCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  const [, seq] = /^1:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (seq !== undefined) return Number(seq);
  throw inputError('/cursor', 'is not a cursor of this list. Take `nextCursor` of the page before, unchanged.');
}

function idFilter(field: 'operationId' | 'traceId', text: string): LogFilter {
  if (typeof text !== 'string' || text.length > MAX_ID_CHARS || /[\p{Cc}\p{Cs}]/u.test(text))
    throw inputError(`/${field}`, `takes a text of up to ${MAX_ID_CHARS} characters.`);
  return { kind: 'text', field, test: { kind: 'equals', text } };
}

function inputError(pointer: string, detail: string) {
  return invalidInput('The question', [{ pointer, detail }]);
}
