import type { TagToken } from 'liqe';
import { suggestion } from '../../core/input.ts';
import type { JsonValue } from '../../core/json.ts';
import { LOG_LEVELS, type LogLevel, SEVERITIES } from '../types.ts';
import { InvalidLogQueryError } from './errors.ts';
import type { AttributeTest, Comparison, LogFilter, TextField } from './filter.ts';
import { foldCase } from './filter.ts';
import { numberOf, patternOf, textTest, type WrittenText, writtenText } from './literals.ts';
import { timeOf } from './timeRange.ts';

/** Names in searches, and the fields of a record that they stand for. */
const TEXT_FIELDS: Readonly<Record<string, TextField>> = {
  integration: 'integrationId',
  event: 'eventName',
  operation: 'operationId',
  request: 'requestId',
  trace: 'traceId',
  span: 'spanId',
};

const ATTRIBUTES = 'attributes.';
const FIELDS = ['level', 'time', 'seq', 'message', ...Object.keys(TEXT_FIELDS)];
const MAX_ATTRIBUTE_CHARS = 200;

interface Condition {
  readonly query: string;
  readonly name: string;
  readonly position: number;
  readonly is: Comparison;
  readonly written: WrittenText;
  readonly nowMs: number;
}

/** What a `field:value` or a free word asks. @throws InvalidLogQueryError */
export function fieldFilter(query: string, tag: TagToken, nowMs: number): LogFilter {
  const { expression, field } = tag;
  const name = field.type === 'Field' ? field.name : 'message';
  const position = tag.location.start;
  switch (expression.type) {
    case 'RegexExpression':
      throw new InvalidLogQueryError(
        query,
        expression.location.start,
        'regular expressions are not taken.',
        'Use words, "phrases" and wildcards; put a text with slashes in quotes.',
      );
    case 'EmptyExpression':
      throw new InvalidLogQueryError(
        query,
        position,
        `${name}: has no value.`,
        'Write it without a space after the colon, as in level:error.',
      );
    case 'RangeExpression': {
      const { min, minInclusive, max, maxInclusive } = expression.range;
      const bound = (value: number, is: Comparison): LogFilter =>
        conditionFilter({
          query,
          name,
          position,
          is,
          nowMs,
          written: { text: String(value), quoted: false, position },
        });
      return { kind: 'and', parts: [bound(min, minInclusive ? '>=' : '>'), bound(max, maxInclusive ? '<=' : '<')] };
    }
    default: {
      const operator = field.type === 'Field' ? tag.operator.operator.slice(1) : '';
      const is = (operator === '' ? '=' : operator) as Comparison;
      return conditionFilter({ query, name, position, is, nowMs, written: writtenText(query, expression) });
    }
  }
}

function conditionFilter(condition: Condition): LogFilter {
  const { query, name, position, is, written } = condition;
  if (name === 'level') return { kind: 'severity', is, value: severityOf(condition) };
  if (name === 'seq') return { kind: 'seq', is, value: requireNumber(condition) };
  if (name === 'time') return timeFilter(condition);
  if (name.startsWith(ATTRIBUTES) && name.length > ATTRIBUTES.length) return attributeFilter(condition);
  const field = Object.hasOwn(TEXT_FIELDS, name) ? TEXT_FIELDS[name]! : null;
  if (field === null && name !== 'message') throw unknownField(query, position, name);
  if (is !== '=')
    throw new InvalidLogQueryError(query, position, `${name} is a text and has no order.`, `Write ${name}:value.`);
  if (field !== null) return { kind: 'text', field, test: textTest(query, written) };
  const contains = patternOf(query, written);
  return { kind: 'message', contains: contains.map((part) => (typeof part === 'string' ? foldCase(part) : part)) };
}

function severityOf({ query, written }: Condition): number {
  const { text, position } = written;
  if (Object.hasOwn(SEVERITIES, text)) return SEVERITIES[text as LogLevel];
  throw new InvalidLogQueryError(
    query,
    position,
    `there is no level ${JSON.stringify(text)}.`,
    `${suggestion(text, LOG_LEVELS).trim()} Levels in rising order: ${LOG_LEVELS.join(', ')}.`.trim(),
  );
}

function timeFilter({ query, is, written, nowMs }: Condition): LogFilter {
  const value = timeOf(written.text, nowMs);
  if (value === null || is === '=')
    throw new InvalidLogQueryError(
      query,
      written.position,
      is === '=' ? 'a time needs a direction.' : 'it is not a time.',
      'Write time:>=2026-01-31, time:<"2026-01-31T12:00:00Z" (in quotes) or time:>now-15m.',
    );
  return { kind: 'time', is, value };
}

function attributeFilter(condition: Condition): LogFilter {
  const { query, position, is, written } = condition;
  const name = condition.name.slice(ATTRIBUTES.length);
  if (name.length > MAX_ATTRIBUTE_CHARS)
    throw new InvalidLogQueryError(query, position, 'the name is too long.', `Use ${MAX_ATTRIBUTE_CHARS} characters.`);
  return { kind: 'attribute', name, test: attributeTest(condition, is, written) };
}

function attributeTest(condition: Condition, is: Comparison, written: WrittenText): AttributeTest {
  if (is !== '=') return { kind: 'compares', is, value: requireNumber(condition) };
  const test = textTest(condition.query, written);
  if (test.kind !== 'equals') return test;
  const number = numberOf(written);
  const values: JsonValue[] = [test.text];
  if (number !== null) values.push(number);
  if (!written.quoted && /^(true|false|null)$/.test(test.text)) values.push(JSON.parse(test.text) as JsonValue);
  return { kind: 'equals', values };
}

function requireNumber({ query, name, written }: Condition): number {
  const number = numberOf(written);
  if (number !== null) return number;
  throw new InvalidLogQueryError(
    query,
    written.position,
    `${name} is compared with a number here.`,
    `Write ${name}:>=500, or ${name}:[500 TO 599].`,
  );
}

function unknownField(query: string, position: number, name: string): InvalidLogQueryError {
  return new InvalidLogQueryError(
    query,
    position,
    `there is no field ${JSON.stringify(name)}.`,
    `${suggestion(name, FIELDS).trim()} Fields are ${FIELDS.join(', ')}; what a record has besides is named like attributes.${name}.`.trim(),
  );
}
