import websocket from '@fastify/websocket';
import type { App } from '../app.ts';
import { SessionWatch } from './sessionWatch.ts';
import type { Server } from './typeProvider.ts';

declare module 'fastify' {
  interface FastifyInstance {
    sessionWatch: SessionWatch;
  }
}

/** Clients say nothing that means anything here. */
const MAX_MESSAGE_BYTES = 4 * 1024;

/** Takes WebSockets, ends streams of logs as the server closes, and asks again who may see what when access changes. */
export function serveLiveLogs(server: Server, app: App): void {
  const { streams } = app.logs;
  const unsubscribe = app.access.map.onChange(() => void streams.recheck());
  const sessions = new SessionWatch(app.access.accounts.sessions);
  server.decorate('sessionWatch', sessions);
  // Before the plugin's own, which says nothing to clients.
  server.addHook('preClose', async () => {
    unsubscribe();
    streams.close();
    await sessions.close();
  });
  server.register(websocket, {
    options: { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
    // A connection that breaks is no matter of the server; `close` follows.
    errorHandler: (_error, socket) => socket.terminate(),
  });
}
