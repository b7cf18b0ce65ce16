import { expect, it, onTestFinished } from 'vitest';
import type { ShareChange } from '../../src/rateLimits/adaptiveShare.ts';
import { aloneBudgets } from '../support/budgets.ts';
import { InstantClock, makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

it('learns from answers how much of its budget an integration should use', async () => {
  const statuses = [200, 500, 429, 200];
  const api = await serve((_request, response) => response.writeHead(statuses.shift() ?? 200).end());
  const clock = new InstantClock();
  const changes: [string, ShareChange][] = [];
  const budgets = aloneBudgets({ clock, changed: (key, change) => changes.push([key, change]) });
  const { outgoing, get, fails } = makeHarness({ clock, budgets });
  onTestFinished(() => outgoing.close());
  await get(api.origin);
  await fails(api.origin);
  expect(changes).toEqual([]);
  expect((await fails(api.origin)).outcome).toBe('rate_limited');
  expect(changes).toMatchObject([['int_test', { from: 1, to: 0.5 }]]);
  await clock.sleep(10_000);
  await get(api.origin);
  expect(changes.slice(1)).toMatchObject([['int_test', { from: 0.5, to: 0.55 }]]);
});
