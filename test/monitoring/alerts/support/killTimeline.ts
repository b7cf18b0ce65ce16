import { createHash } from 'node:crypto';
import type { MetricSample } from '../../../../src/monitoring/alerts/types.ts';
import { sample } from './arraySource.ts';

export const STEP_MS = 10_000;
export const TIMELINE_START = Date.UTC(2026, 0, 1);
export const END_STEP = 400;
const INTEGRATIONS = Array.from({ length: 40 }, (_, index) => `int_${index}`);

/** The same for everybody who asks, and never long the same. */
export function answerAt(step: number): MetricSample[] {
  return INTEGRATIONS.map((id) => {
    const phase = Math.floor(step / 3);
    const [byte] = createHash('sha256').update(`${id} ${phase}`).digest();
    return sample(id, byte! > 230 ? null : byte! % 20, byte! > 230 ? 0 : 50);
  });
}
