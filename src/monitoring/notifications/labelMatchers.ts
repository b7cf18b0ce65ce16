import { z } from 'zod';
import { matches, patternFault } from '../../connectors/pattern.ts';
import type { Labels } from './types.ts';

const MAX_MATCHERS = 20;
const MAX_VALUE_CHARS = 1_000;

/** Prometheus' name of a label. */
export const labelName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'takes letters, digits and underscores, not beginning with a digit');

/** `=`, `!=`, `=~` and `!~` with a regular expression (RE2) that has to match the whole value. */
const matcherSchema = z
  .strictObject({
    label: labelName,
    op: z.enum(['=', '!=', '=~', '!~']),
    value: z.string().max(MAX_VALUE_CHARS),
  })
  .superRefine(({ op, value }, context) => {
    const fault = op === '=~' || op === '!~' ? patternFault(value) : null;
    if (fault === null) return;
    const message = `takes a pattern. This one ${fault.replace(/\.$/, '')}`;
    context.addIssue({ code: 'custom', path: ['value'], message });
  });

export const matchersSchema = z.array(matcherSchema).max(MAX_MATCHERS);

/** Such as `severity = critical` or `platform =~ shop.*`. */
export type Matcher = z.output<typeof matcherSchema>;

/** Whether every matcher holds. A label that is missing has the empty value, so `!= x` matches it. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matchesOne(matcher, labels));
}

/** Whether the matchers hold for an alert without any label, and so for nearly all alerts. */
export function matchesEverything(matchers: readonly Matcher[]): boolean {
  return matchesAll(matchers, {});
}

function matchesOne({ label, op, value }: Matcher, labels: Labels): boolean {
  const actual = Object.hasOwn(labels, label) ? labels[label]! : '';
  switch (op) {
    case '=':
      return actual === value;
    case '!=':
      return actual !== value;
    case '=~':
      return matches(wholeValue(value), actual);
    case '!~':
      return !matches(wholeValue(value), actual);
  }
}

function wholeValue(pattern: string): string {
  return `\\A(?:${pattern})\\z`;
}
