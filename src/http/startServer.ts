import type { AddressInfo } from 'node:net';
import type { App } from '../app.ts';
import { buildServer } from './server.ts';
import type { Server } from './typeProvider.ts';

/** Requests under way get this long to finish when the server closes. */
const CLOSE_DEADLINE_MS = 10_000;

export interface RunningServer {
  readonly server: Server;
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** Takes no more requests and lets those under way finish, for up to ten seconds. The app stays open. */
  close(): Promise<void>;
}

/** Listens on `config.host` and `config.port`. Rejects when the port is taken. */
export async function startServer(app: App): Promise<RunningServer> {
  const server = buildServer(app);
  const { host, port } = app.config;
  await server.listen({ host, port });
  const address = server.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { server, url: `http://${name}:${address.port}`, close: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  const deadline = setTimeout(() => server.server.closeAllConnections(), CLOSE_DEADLINE_MS);
  try {
    await server.close();
  } finally {
    clearTimeout(deadline);
  }
}
