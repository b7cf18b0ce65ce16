import { worstStatus } from '../../health.ts';
import type { CheckHealth } from '../../healthChecks.ts';
import type { Server } from '../../typeProvider.ts';
import { VERSION } from '../../version.ts';

/** Within it the answer leaves, also when a part hangs. */
const WAIT_MS = 30;

/** The summary for people and monitors, like application/health+json; 503 when a part fails. */
export function health(server: Server, checkHealth: CheckHealth): void {
  server.get('/health', { config: { open: true }, schema: { hide: true } }, async (_, reply) => {
    const checks = await checkHealth(WAIT_MS);
    const status = worstStatus(Object.values(checks));
    reply
      .code(status === 'fail' ? 503 : 200)
      .type('application/health+json')
      .header('cache-control', 'no-store');
    return { status, version: VERSION, uptimeSeconds: Math.round(process.uptime()), checks };
  });
}
