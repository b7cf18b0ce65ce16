import { VERSION } from '../../version.ts';
import type { AddRoute } from '../route.ts';

/** Within it the answer leaves, also when a part hangs. */
const WAIT_MS = 30;

/**
 * The summary for people and monitors, like application/health+json; 503 when a part fails. It is open, so of security
 * and integrations it says no more than how they are; GET /api/v1/health has the rest.
 */
export const health: AddRoute = (server, app) => {
  server.get('/health', { config: { open: true }, schema: { hide: true } }, async (_, reply) => {
    const { status, groups, checks } = await app.monitoringService.getHealth(WAIT_MS);
    reply
      .code(status === 'fail' ? 503 : 200)
      .type('application/health+json')
      .header('cache-control', 'no-store');
    const uptimeSeconds = Math.round(process.uptime());
    return { status, version: VERSION, uptimeSeconds, groups, checks: { ...checks.services, ...checks.system } };
  });
};
