import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { App } from '../app.ts';
import { buildServer } from './server.ts';
import type { Server } from './typeProvider.ts';

/** Requests under way get this long to finish when the server closes. */
const CLOSE_DEADLINE_MS = 10_000;
const REAP_INTERVAL_MS = 50;

export interface RunningServer {
  readonly server: Server;
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Takes no more requests and lets those under way finish, for up to ten seconds. The app stays open. */
  close(): Promise<void>;
}

/** Listens on `config.host` and `config.port`. Rejects when the port is taken. */
export async function startServer(app: App, server: Server = buildServer(app)): Promise<RunningServer> {
  const idle = trackIdleSockets(server.server);
  const { host, port } = app.config;
  await server.listen({ host, port });
  const address = server.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { server, url: `http://${name}:${address.port}`, close: () => closeServer(server, idle) };
}

/** Connections that carry no request at the moment; also those that never did, which Node does not count as idle. */
function trackIdleSockets(server: HttpServer): ReadonlySet<Socket> {
  const idle = new Set<Socket>();
  server.on('connection', (socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
  return idle;
}

async function closeServer(server: Server, idle: ReadonlySet<Socket>): Promise<void> {
  const deadline = setTimeout(() => server.server.closeAllConnections(), CLOSE_DEADLINE_MS);
  const reaper = setInterval(() => {
    for (const socket of idle) socket.destroy();
  }, REAP_INTERVAL_MS);
  try {
    await server.close();
  } finally {
    clearTimeout(deadline);
    clearInterval(reaper);
  }
}
