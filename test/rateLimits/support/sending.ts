import type { App } from '../../../src/app.ts';
import type { OutgoingCallError } from '../../../src/outgoing/errors.ts';
import type { OutgoingCall } from '../../../src/outgoing/types.ts';

/** One call of an integration through the pipeline of this replica; how it ended. */
export function send(app: App, integrationId: string, url: string, rest: Partial<OutgoingCall> = {}): Promise<string> {
  const call: OutgoingCall = {
    integrationId,
    operationId: 'op_test',
    operation: 'sync',
    method: 'GET',
    url,
    retry: { maxAttempts: 1 },
    maxWaitMs: 0,
    ...rest,
  };
  return app.outgoing.send(call).then(
    () => 'success',
    (error: OutgoingCallError) => error.outcome,
  );
}

/** The most of these moments that lie in any window of that length. */
export function mostInWindow(timesMs: readonly number[], windowMs: number): number {
  const sorted = [...timesMs].sort((a, b) => a - b);
  let [most, first] = [0, 0];
  for (const [last, timeMs] of sorted.entries()) {
    while (sorted[first]! <= timeMs - windowMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
