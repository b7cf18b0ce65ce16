import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../core/log.ts';
import { VERSION } from '../../http/version.ts';
import { command, type Invocation } from '../command.ts';
import { onInterruption } from '../interruption.ts';
import { type Output, style } from '../output.ts';
import { createLog } from '../pinoLog.ts';
import type { Served } from '../serve.ts';

/** Longer than requests and running syncs get to finish. */
const CLOSE_TIMEOUT_MS = 25_000;

export function start(): Command {
  return command('start', 'Run the server: REST API, syncs and schedules', run, { handlesSignals: true });
}

async function run({ environment, out }: Invocation<object>): Promise<void> {
  const startedMs = performance.now();
  const { makeConfig } = await import('../../config/config.ts');
  const config = makeConfig(environment);
  const forPerson = !out.json && config.environment === 'development';
  // What is logged is decided where it is taken, because levels change while the server runs.
  const log = createLog({
    level: 'debug',
    stream: process.stdout,
    pretty: forPerson && process.stdout.isTTY === true,
  });

  let closing = false;
  const opening = import('../serve.ts').then(({ serve }) => serve(config, log));
  const grace = closeWithGrace(
    { delay: CLOSE_TIMEOUT_MS, logger: false, skip: ['SIGINT', 'SIGTERM', 'beforeExit'] },
    async ({ err }) => {
      closing = true;
      if (err !== undefined) log.error('The server ends, because of an error that nothing expected', { error: err });
      const served = await opening.catch(() => null);
      served?.log.info('The server ends', { eventName: 'server.ending' });
      await served?.close();
    },
  );
  onInterruption(() => {
    if (forPerson) out.say('Closing …');
    grace.close();
  });

  try {
    const served = await opening;
    if (forPerson) introduce(out, config, served);
    await introduceSetup(out, served.log, served, forPerson || process.stderr.isTTY === true);
    await served.ready();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const facts = { url: served.url, version: VERSION, seconds: Number(seconds) };
    served.log.info('The server is ready', { eventName: 'server.ready', ...facts });
    if (forPerson) out.say(`\n${style('green', `Ready in ${seconds} s.`, process.stderr)} Ctrl-C ends it.`);
  } catch (error) {
    // Asked to end while starting: what the start then meets is no failure.
    if (closing) return;
    grace.uninstall();
    await (await opening.catch(() => null))?.close();
    throw error;
  }
}

/** A new user's next steps. The generated key is shown at each start, because nobody has written it down. */
function introduce(out: Output, { apiKey: ownKey, databaseUrl, dataDir }: Config, { url, apiKey }: Served): void {
  const database = databaseUrl === null ? 'with PostgreSQL' : `PostgreSQL is at ${new URL(databaseUrl).host}`;
  const bold = (text: string): string => style('bold', text, process.stderr);
  out.say(`${bold('integration-services')} ${VERSION}`);
  out.say(`  Address   ${bold(url)}   (API reference: ${url}/docs)`);
  out.say(`  Data      ${dataDir} (${database})`);
  if (ownKey === null) out.say(`  API key   ${apiKey}   (made for development; kept in the data folder)`);
  const key = ownKey === null ? apiKey : '$API_KEY';
  out.say(`  Try       curl -H "Authorization: Bearer ${key}" ${url}/api/v1/integrations`);
}

/** How the first user is made. The link goes to a person's eyes and into no log: whoever has it first is the owner. */
async function introduceSetup(out: Output, log: Log, served: Served, isWatched: boolean): Promise<void> {
  if (isWatched) {
    const link = await served.setupLink();
    if (link !== null) out.say(`  Set up    ${link}   (makes the first account; for 24 hours)`);
  } else if (!(await served.isSetUp())) {
    log.info('There are no users yet. "users create <e-mail> --role owner" on the command line makes the first one.');
  }
}
