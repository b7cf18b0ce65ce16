import fc from 'fast-check';
import { expect } from 'vitest';
import { compileAccess } from '../../../../src/access/decisions/compile.ts';
import type { Decision } from '../../../../src/access/types.ts';
import { cedarOf } from './cedar.ts';
import { questionsOf, worlds } from './worlds.ts';

const WORLDS = 400;

/** How often each kind of rule decided. */
export interface Compared {
  readonly total: number;
  readonly byRule: Readonly<Record<'role' | 'gra allows' | 'gra refuses' | 'bgl' | 'none', number>>;
}

/** Asks both about random worlds until `count` answers were compared; the seed names them. */
export function compareWithCedar(count: number, seed: number): Compared {
  const byRule = { role: 0, 'gra allows': 0, 'gra refuses': 0, bgl: 0, none: 0 };
  const numRuns = Math.ceil(count / WORLDS);
  let total = 0;
  for (const [index, world] of fc.sample(worlds, { seed, numRuns: WORLDS }).entries()) {
    const ask = cedarOf(world, 'world');
    const rules = compileAccess(world.snapshot);
    const questions = fc.sample(fc.constantFrom(...questionsOf(world)), { seed: seed + index, numRuns });
    for (const question of questions) {
      const { userId, permission, integration, nowMs } = question;
      const decision = rules.decide(userId, permission, integration, nowMs);
      if (decision.allowed !== ask(question))
        expect.fail(`seed ${seed}: ${JSON.stringify({ question, decision, world })}`);
      total++;
      byRule[kindOf(decision)]++;
    }
  }
  return { total, byRule };
}

function kindOf({ ruleId, allowed }: Decision): keyof Compared['byRule'] {
  if (ruleId === null) return 'none';
  if (ruleId.startsWith('gra_')) return allowed ? 'gra allows' : 'gra refuses';
  return ruleId.startsWith('bgl_') ? 'bgl' : 'role';
}
