import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { IntegrationLog } from '../types.ts';
import {
  type AttributeTest,
  type Comparison,
  foldCase,
  type LogFilter,
  type Pattern,
  type TextTest,
} from './filter.ts';

type LogPredicate = (log: IntegrationLog) => boolean;

/** The filter as a function, for records in memory. Agrees with the SQL of `filterSql` on every record. */
export function filterPredicate(filter: LogFilter): LogPredicate {
  switch (filter.kind) {
    case 'and': {
      const parts = filter.parts.map(filterPredicate);
      return (log) => parts.every((part) => part(log));
    }
    case 'or': {
      const parts = filter.parts.map(filterPredicate);
      return (log) => parts.some((part) => part(log));
    }
    case 'not': {
      const part = filterPredicate(filter.part);
      return (log) => !part(log);
    }
    case 'severity':
      return (log) => compares(log.severityNumber, filter.is, filter.value);
    case 'seq':
      return (log) => compares(log.seq, filter.is, filter.value);
    case 'time':
      return (log) => compares(Date.parse(log.observedTimestamp), filter.is, filter.value);
    case 'text': {
      const test = textPredicate(filter.test);
      return (log) => {
        const value = log[filter.field];
        return value !== null && test(value);
      };
    }
    case 'message': {
      const [only] = filter.contains;
      if (filter.contains.length === 1 && typeof only === 'string')
        return (log) => foldCase(log.message).includes(only);
      const anywhere = globMatcher([{ wildcard: 'any' }, ...filter.contains, { wildcard: 'any' }]);
      return (log) => anywhere(foldCase(log.message));
    }
    case 'attribute': {
      const test = attributePredicate(filter.test);
      return (log) => {
        const value = attributeOf(log.attributes, filter.name);
        return value !== undefined && test(value);
      };
    }
  }
}

function textPredicate(test: TextTest): (text: string) => boolean {
  switch (test.kind) {
    case 'equals':
      return (text) => text === test.text;
    case 'exists':
      return () => true;
    case 'pattern':
      return globMatcher(test.parts);
  }
}

function attributePredicate(test: AttributeTest): (value: JsonValue) => boolean {
  switch (test.kind) {
    case 'equals':
      return (value) =>
        test.values.some((wanted) => (Array.isArray(value) ? value.includes(wanted) : value === wanted));
    case 'compares':
      return (value) => typeof value === 'number' && compares(value, test.is, test.value);
    case 'exists':
      return () => true;
    case 'pattern': {
      const matches = globMatcher(test.parts);
      return (value) => typeof value === 'string' && matches(value);
    }
  }
}

function attributeOf(attributes: JsonObject, name: string): JsonValue | undefined {
  if (Object.hasOwn(attributes, name)) return attributes[name];
  let value: JsonValue | undefined = attributes;
  for (const key of name.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = value[key];
  }
  return value;
}

function compares(value: number, is: Comparison, bound: number): boolean {
  switch (is) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '=':
      return value === bound;
    case '>=':
      return value >= bound;
    case '>':
      return value > bound;
  }
}

/**
 * Whether a whole text fits the pattern, as LIKE has it. Goes back only to the last `any`, so the time is bounded by
 * the lengths multiplied, whatever the pattern.
 */
function globMatcher(pattern: Pattern): (text: string) => boolean {
  const tokens = pattern.flatMap((part) =>
    typeof part === 'string' ? [...part] : [part.wildcard === 'any' ? ANY : ONE],
  );
  return (text) => {
    const characters = [...text];
    let at = 0;
    let token = 0;
    let lastAny = -1;
    let resumeAt = 0;
    while (at < characters.length) {
      if (token < tokens.length && (tokens[token] === ONE || tokens[token] === characters[at])) {
        at += 1;
        token += 1;
      } else if (token < tokens.length && tokens[token] === ANY) {
        lastAny = token;
        resumeAt = at;
        token += 1;
      } else if (lastAny !== -1) {
        token = lastAny + 1;
        resumeAt += 1;
        at = resumeAt;
      } else return false;
    }
    while (token < tokens.length && tokens[token] === ANY) token += 1;
    return token === tokens.length;
  };
}

// Longer than one character, so no character of a text equals them.
const ANY = 'any';
const ONE = 'one';
