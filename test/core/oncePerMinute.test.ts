import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { OncePerMinute } from '../../src/core/oncePerMinute.ts';

it('says the same words once a minute, and how often they came meanwhile', () => {
  let nowMs = 5;
  const said: string[] = [];
  const trouble = new OncePerMinute((words) => said.push(words), { ...systemClock, monotonicMs: () => nowMs });
  for (let second = 0; second < 60; second++) {
    trouble.say('the database is away');
    if (second === 30) trouble.say('something else');
    nowMs += 1_000;
  }
  expect(said).toEqual(['the database is away', 'something else']);
  trouble.say('the database is away');
  expect(said[2]).toBe('the database is away (and 59 times more since it was last said)');
  nowMs += 60_000;
  trouble.say('the database is away');
  expect(said[3]).toBe('the database is away');
});
