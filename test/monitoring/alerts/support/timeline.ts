import type { Observation } from '../../../../src/monitoring/alerts/condition.ts';
import { newInstance, type StateRule, step } from '../../../../src/monitoring/alerts/stateMachine.ts';
import { type AlertInstance, meaningOf } from '../../../../src/monitoring/alerts/types.ts';

export const MINUTE = 60_000;

const RULE: StateRule = {
  op: '>',
  threshold: 10,
  recoveryThreshold: null,
  minSamples: 1,
  noData: 'ok',
  onError: 'keep',
  forMs: 0,
  keepFiringForMs: 0,
  intervalMs: MINUTE,
};

const LETTERS = {
  normal: 'n',
  pending: 'P',
  firing: 'F',
  recovering: 'R',
  no_data: 'D',
  error: 'E',
} as const;

export interface Replay {
  /** A letter for the state after every evaluation. */
  readonly states: string;
  /** What was told and at which minute: `began@3`. */
  readonly told: readonly string[];
  readonly instance: AlertInstance;
}

/**
 * Replays a timeline, one evaluation a minute: a number, `_` for no data, `E` for a failed query, `-` for an evaluation
 * that does not take place.
 */
export function replay(rule: Partial<StateRule>, timeline: string): Replay {
  const whole = { ...RULE, ...rule };
  let instance = newInstance('rule', 'fingerprint', {}, 0);
  let states = '';
  const told: string[] = [];
  let previousAt: number | null = null;
  for (const [minute, word] of timeline.split(' ').entries()) {
    if (word === '-') {
      states += '-';
      continue;
    }
    const now = minute * MINUTE;
    const { instance: next, transition } = step(instance, observationOf(word), whole, now, previousAt);
    const meaning = transition && meaningOf(transition);
    if (meaning) told.push(`${meaning}@${minute}`);
    instance = next;
    previousAt = now;
    states += LETTERS[next.state];
  }
  return { states, told, instance };
}

function observationOf(word: string): Observation {
  if (word === '_') return { kind: 'no_data', samples: 0 };
  if (word === 'E') return { kind: 'error', error: 'the query failed' };
  return { kind: 'value', value: Number(word), samples: 5 };
}
