import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { StreamRecord } from '../types.ts';
import type { PagePosition } from './position.ts';

/** What has been seen of a stream's pages, in constant space. */
export const loopGuardSchema = z.strictObject({
  /** Pages since `mark` was set, and after how many it is set anew (Brent's algorithm). */
  steps: z.number().int().min(0),
  power: z.number().int().min(1),
  mark: z.string().max(64),
  /** Hash of the last page's keys. */
  keys: z.string().max(64).optional(),
});
export type LoopGuard = z.output<typeof loopGuardSchema>;

/**
 * Takes note of a page. Finds every circle of next pages, however long, at the latest after three times round;
 * and an API that ignores the page it is asked for, by two equal pages in a row.
 * @throws TypeError when the pages go in circles
 */
export function guardPage(
  guard: LoopGuard | undefined,
  next: PagePosition,
  records: readonly StreamRecord[],
): LoopGuard {
  const keys = records.length === 0 ? undefined : hash(records.map((record) => record.key).join('\n'));
  if (keys !== undefined && keys === guard?.keys)
    throw new TypeError('gave the same page twice: it ignores the parameter that asks for the next page');
  // Page numbers and offsets only rise; tokens and addresses come from the provider.
  if ('page' in next || 'offset' in next) return { steps: 0, power: 1, mark: '', keys };
  const seen = hash('token' in next ? next.token : next.url);
  if (guard === undefined) return { steps: 0, power: 1, mark: seen, keys };
  if (guard.mark === seen)
    throw new TypeError('goes in circles: it names a page as the next one that was read already');
  const steps = guard.steps + 1;
  return steps === guard.power ? { steps: 0, power: guard.power * 2, mark: seen, keys } : { ...guard, steps, keys };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
