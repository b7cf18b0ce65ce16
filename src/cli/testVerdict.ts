import type { ConnectionTestResult } from '../integrations/types.ts';

/** How a connection test went, in a line. */
export function testVerdict(
  name: string,
  { success, status, latencyMs, error, details }: ConnectionTestResult,
): string {
  if (!success) return `✗ ${name}: ${status} (${latencyMs} ms). ${error ?? ''}`;
  return `✓ ${name} is connected${details.account === undefined ? '' : ` as ${details.account}`} (${latencyMs} ms).`;
}
