import { worstStatus } from '../../../monitoring/health/healthProbe.ts';
import type { AddRoute } from '../route.ts';

const WAIT_MS = 1_000;

/**
 * Whether requests should be sent here: what this process needs is looked at, for up to a second; 503 with the reason
 * otherwise.
 */
export const readyz: AddRoute = (server, app) => {
  server.get('/readyz', { config: { open: true }, schema: { hide: true } }, async (_, reply) => {
    const { checks: groups } = await app.monitoringService.getHealth(WAIT_MS);
    const checks = { ...groups.services, ...groups.system };
    const status = worstStatus(Object.values(checks));
    reply.code(status === 'fail' ? 503 : 200).header('cache-control', 'no-store');
    return { status, checks };
  });
};
