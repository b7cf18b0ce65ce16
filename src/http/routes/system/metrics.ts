import { CONTENT_TYPES, negotiate } from '../../../telemetry/negotiate.ts';
import type { AddRoute } from '../route.ts';

/** What Prometheus scrapes, in the format it asks for. It tells of all integrations, so it takes a permission. */
export const metrics: AddRoute = (server, app) => {
  server.get(
    '/metrics',
    // Most wanted when the server has too much work.
    { config: { permission: 'metrics:read', evenOverloaded: true }, schema: { hide: true } },
    async (request, reply) => {
      const format = negotiate(request.headers.accept);
      reply.type(CONTENT_TYPES[format]).header('cache-control', 'no-store').header('vary', 'accept');
      return app.telemetry.write(format);
    },
  );
};
