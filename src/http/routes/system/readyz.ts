import { worstStatus } from '../../health.ts';
import type { CheckHealth } from '../../healthChecks.ts';
import type { Server } from '../../typeProvider.ts';

const WAIT_MS = 1_000;

/** Whether requests should be sent here: every part is looked at, for up to a second; 503 with the reason otherwise. */
export function readyz(server: Server, checkHealth: CheckHealth): void {
  server.get('/readyz', { config: { open: true }, schema: { hide: true } }, async (_, reply) => {
    const checks = await checkHealth(WAIT_MS);
    const status = worstStatus(Object.values(checks));
    reply.code(status === 'fail' ? 503 : 200).header('cache-control', 'no-store');
    return { status, checks };
  });
}
