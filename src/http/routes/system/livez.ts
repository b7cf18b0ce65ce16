import type { AddRoute } from '../route.ts';

/** Whether the process answers at all; looks at nothing else, so that a restart is not asked for in vain. */
export const livez: AddRoute = (server) => {
  server.get('/livez', { config: { open: true }, schema: { hide: true } }, async () => ({
    status: 'pass',
  }));
};
