import { expect, it, onTestFinished } from 'vitest';
import type { Classification, ResponseClassifier } from '../../src/outgoing/types.ts';
import { makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

/** What a classifier gives that is wrong, whatever its type says. */
const gives =
  (value: unknown): ResponseClassifier =>
  () =>
    value as Classification;

it.each<[string, ResponseClassifier]>([
  [
    'throws',
    () => {
      throw new RangeError('Maximum call stack size exceeded');
    },
  ],
  ['gives nothing', gives(undefined)],
  ['gives a number as the message', gives({ outcome: 'provider_error', retryable: false, providerMessage: 17 })],
])('an answer is a bad response, and recorded, when what judges it %s', async (_name, classify) => {
  const api = await serve();
  const { fails, records, outgoing } = makeHarness();
  onTestFinished(() => outgoing.close());
  expect((await fails(api.origin, { classify })).outcome).toBe('bad_response');
  expect(records).toMatchObject([{ outcome: 'bad_response', status: 200, responseBytes: 2 }]);
});
