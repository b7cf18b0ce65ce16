import { setTimeout as delay } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { UnavailableError } from '../../core/errors.ts';
import type { RunningServer } from '../../http/startServer.ts';
import { VERSION } from '../../http/version.ts';
import { command, type Invocation } from '../command.ts';
import { onInterruption } from '../interruption.ts';
import { type Output, style } from '../output.ts';
import { createLog } from '../pinoLog.ts';

/** Longer than requests and running syncs get to finish. */
const CLOSE_TIMEOUT_MS = 25_000;
const READY_TIMEOUT_MS = 30_000;
const READY_INTERVAL_MS = 50;

export function start(): Command {
  return command('start', 'Run the server: REST API, syncs and schedules', run, { handlesSignals: true });
}

async function run({ environment, out }: Invocation<object>): Promise<void> {
  const startedMs = performance.now();
  const { makeConfig } = await import('../../config/config.ts');
  const config = makeConfig(environment);
  const forPerson = !out.json && config.environment === 'development';
  const log = createLog({
    level: config.logLevel,
    stream: process.stdout,
    pretty: forPerson && process.stdout.isTTY === true,
  });

  let closing = false;
  const opening = openServer(config, log);
  const grace = closeWithGrace(
    { delay: CLOSE_TIMEOUT_MS, logger: false, skip: ['SIGINT', 'SIGTERM', 'beforeExit'] },
    async ({ err }) => {
      closing = true;
      if (err !== undefined) log.error('The server ends, because of an error that nothing expected', { error: err });
      await (await opening.catch(() => null))?.close();
    },
  );
  onInterruption(() => {
    if (forPerson) out.say('Closing …');
    grace.close();
  });

  try {
    const { server, apiKey } = await opening;
    const url = reachableUrl(server.url);
    if (forPerson) introduce(out, config, url, apiKey);
    await waitUntilReady(server.url);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    if (forPerson) out.say(`\n${style('green', `Ready in ${seconds} s.`, process.stderr)} Ctrl-C ends it.`);
    else log.info('ready', { url, version: VERSION, seconds: Number(seconds) });
  } catch (error) {
    // Asked to end while starting: what the start then meets is no failure.
    if (closing) return;
    grace.uninstall();
    await opening.then(
      (opened) => opened.close(),
      () => {},
    );
    throw error;
  }
}

interface Opened {
  readonly server: RunningServer;
  readonly apiKey: string;
  close(): Promise<void>;
}

async function openServer(config: Config, log: ReturnType<typeof createLog>): Promise<Opened> {
  const [{ openApp }, { startServer }] = await Promise.all([
    import('../../app.ts'),
    import('../../http/startServer.ts'),
  ]);
  const app = await openApp({ config, log, attach: false });
  try {
    const server = await startServer(app);
    return {
      server,
      apiKey: app.secrets.apiKey,
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

/** A new user's next steps. The generated key is shown at each start, because nobody has written it down. */
function introduce(out: Output, config: Config, url: string, apiKey: string): void {
  const generated = config.apiKey === null;
  const key = generated ? apiKey : '$API_KEY';
  const database = config.databaseUrl === null ? `${config.dataDir} (with PostgreSQL)` : config.dataDir;
  const bold = (text: string): string => style('bold', text, process.stderr);
  out.say(`${bold('integration-services')} ${VERSION}`);
  out.say(`  Address   ${bold(url)}   (API reference: ${url}/docs)`);
  out.say(
    `  Data      ${database}${config.databaseUrl === null ? '' : `, PostgreSQL at ${new URL(config.databaseUrl).host}`}`,
  );
  if (generated) out.say(`  API key   ${apiKey}   (made for development; kept in the data folder)`);
  out.say(`  Try       curl -H "Authorization: Bearer ${key}" ${url}/api/v1/integrations`);
}

/** "Everywhere" is no address to go to. */
function reachableUrl(url: string): string {
  return url.replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])/, '//localhost');
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
