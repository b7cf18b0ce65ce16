import { setTimeout as delay } from 'node:timers/promises';
import { openApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { UnavailableError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { startServer } from '../http/startServer.ts';

const READY_TIMEOUT_MS = 30_000;
const READY_INTERVAL_MS = 50;

export interface Served {
  /** Where to go; never "everywhere". */
  readonly url: string;
  readonly apiKey: string;
  /** What the server logs, to where it was told to and into its store. */
  readonly log: Log;
  /** Makes the one-time link to make the first user; null when there are users. */
  setupLink(): Promise<string | null>;
  /** Whether there are users, so that nobody has to set up anything. */
  isSetUp(): Promise<boolean>;
  /** Resolves once /readyz says so. @throws UnavailableError when it does not within 30 seconds */
  ready(): Promise<void>;
  /** Requests and syncs under way come to their end, then the database is closed. */
  close(): Promise<void>;
}

/** Opens everything and listens. @throws UnavailableError when it cannot listen where it should */
export async function serve(config: Config, log: Log): Promise<Served> {
  const app = await openApp({ config, log, attach: false });
  try {
    const server = await startServer(app);
    const url = server.url.replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])/, '//localhost');
    const { setup } = app.access.accounts;
    return {
      url,
      // With PORT=0 only the listening server knows its port.
      setupLink: () => setup.ensureSetupLink(config.port === 0 ? url : config.publicUrl),
      isSetUp: () => setup.isDone(),
      apiKey: app.secrets.apiKey,
      log: app.log,
      ready: () => waitUntilReady(server.url),
      async close() {
        await server.close();
        await app.close();
      },
    };
  } catch (error) {
    await app.close();
    throw listenError(error, config);
  }
}

function listenError(error: unknown, { host, port }: Config): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return new UnavailableError(
      `Port ${port} of ${host} is taken by another program. Stop it, or set PORT to another number.`,
    );
  if (code === 'EACCES')
    return new UnavailableError(`Port ${port} may not be used by this user. Set PORT to a number above 1023.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new UnavailableError(`HOST=${host} is no address of this machine. Take 127.0.0.1 or 0.0.0.0, for example.`);
  return error;
}

async function waitUntilReady(url: string): Promise<void> {
  const probe = `${url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')}/readyz`;
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const answer = await fetch(probe);
    const text = await answer.text();
    if (answer.ok) return;
    if (performance.now() > deadline) throw new UnavailableError(`The server does not get ready: ${text}`);
    await delay(READY_INTERVAL_MS);
  }
}
