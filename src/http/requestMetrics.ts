import type { RequestMetrics } from '../telemetry/requestMetrics.ts';
import type { Server } from './typeProvider.ts';

/** Counts every answer by the template of its route, also those of the guard. */
export function measureRequests(server: Server, requests: RequestMetrics): void {
  server.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? undefined : request.routeOptions.url;
    requests.record(request.method, route, reply.statusCode, reply.elapsedTime);
  });
}
