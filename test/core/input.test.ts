import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseInput } from '../../src/core/input.ts';

const kinds = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), url: z.string() }),
  z.strictObject({ kind: z.literal('slack'), url: z.string() }),
]);

const MISTAKES: [string, z.ZodType, unknown, string][] = [
  ['the whole input', z.strictObject({}), null, 'The thing is not valid. It takes an object. Got null.'],
  [
    'a fraction',
    z.strictObject({ n: z.int() }),
    { n: 0.5 },
    'The thing is not valid. n: takes a whole number. Got 0.5.',
  ],
  [
    'one letter',
    z.strictObject({ n: z.number() }),
    { n: 'x' },
    'The thing is not valid. n: takes a number. Got a text of 1 character.',
  ],
  [
    'no letter',
    z.strictObject({ name: z.string().min(1) }),
    { name: '' },
    'The thing is not valid. name: takes at least 1 character. Got an empty text.',
  ],
  [
    'an unknown kind',
    kinds,
    { kind: 'pigeon' },
    'The thing is not valid. kind: takes one of "webhook", "slack". Got a text of 6 characters.',
  ],
  [
    'a time',
    z.strictObject({ at: z.iso.datetime() }),
    { at: 'tomorrow' },
    'The thing is not valid. at: takes a time such as 2026-01-31T12:00:00Z. Got a text of 8 characters.',
  ],
  [
    'a fixed value',
    z.strictObject({ version: z.literal(1) }),
    {},
    'The thing is not valid. version: takes 1. Got nothing.',
  ],
  ['no kind', kinds, {}, 'The thing is not valid. kind: takes one of "webhook", "slack". Got nothing.'],
];

it.each(MISTAKES)('a sentence tells what is wrong with %s', (_what, schema, input, message) => {
  expect(() => parseInput(schema, input, 'The thing')).toThrow(message);
});
