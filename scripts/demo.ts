// npm run demo: the server on a data folder of its own, beside a GitHub- and a Stripe-compatible server (emulate), all
// on loopback. Both are connected, tested and synced through the REST API; then it stays up until Ctrl-C.
//
//   npm run demo              stays up
//   npm run demo -- --once    ends after the syncs, for tests
//
// Run again, it takes the integrations up where they are.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createEmulator, type Emulator } from 'emulate';
import { onInterruption } from '../src/cli/interruption.ts';
import { createOutput, style } from '../src/cli/output.ts';
import { createLog } from '../src/cli/pinoLog.ts';
import { type Served, serve } from '../src/cli/serve.ts';
import { type Config, makeConfig } from '../src/config/config.ts';
import { readEnvironment } from '../src/config/env.ts';
import { AppError } from '../src/core/errors.ts';
import type { ConnectionTestResult, CreateIntegrationData, Integration } from '../src/integrations/types.ts';
import type { StreamStatus, SyncResult } from '../src/sync/types.ts';

const GITHUB_TOKEN = 'demo_github_token';
const STRIPE_KEY = 'sk_test_demo';
const REPOSITORIES = 24;
const ISSUES = 220;
const CUSTOMERS = 250;
const STRIPE_STREAMS = ['customers', 'products', 'prices', 'charges', 'payment_intents'];
const GITHUB_STREAMS = ['repositories', 'issues', 'labels'];

const stayUp = !process.argv.includes('--once');
const out = createOutput(false);

const ending = new AbortController();
onInterruption(() => {
  out.say('Closing …');
  ending.abort();
});
// Closed in reverse when the demo ends, for whatever reason.
await using open = new AsyncDisposableStack();

try {
  await demo(demoConfig());
} catch (error) {
  if (!ending.signal.aborted) {
    // Anything else than a refusal of ours is a fault of this program, whose place is of use.
    if (!(error instanceof AppError)) throw error;
    out.say(`${style('red', 'error:', process.stderr)} ${error.message}`);
    process.exitCode = 1;
  }
}

async function demo(config: Config): Promise<void> {
  out.say('Starting a GitHub- and a Stripe-compatible server, and the product beside them …');
  const github = await startGithub();
  open.defer(() => github.close());
  await fillGithub(github.url);
  const stripe = await startStripe();
  open.defer(() => stripe.close());
  ending.signal.throwIfAborted();
  const served = await serve(config, createLog({ level: 'warn', stream: process.stderr, pretty: true }));
  open.defer(() => served.close());
  await served.ready();

  const integrations = [
    await connect(served, {
      name: 'Demo GitHub',
      platform: 'github',
      credentials: { token: GITHUB_TOKEN },
      configuration: { connection: { apiBaseUrl: github.url }, streams: GITHUB_STREAMS },
    }),
    await connect(served, {
      name: 'Demo Stripe',
      platform: 'stripe',
      credentials: { apiKey: STRIPE_KEY },
      configuration: {
        connection: { apiBaseUrl: stripe.url },
        streams: STRIPE_STREAMS,
        // The Stripe-compatible server gives everything new ids at each start, so that a second demo finds all of the
        // first one's records gone.
        deletionSafetyPercent: 100,
      },
    }),
  ];
  for (const integration of integrations) await testAndSync(served, integration);
  await showStreams(served, integrations);
  if (stayUp) {
    showNextSteps(config, served, integrations);
    await once(ending.signal, 'abort');
  }
}

/** A folder beside the usual one, so that nothing of the demo mixes with real data. */
function demoConfig(): Config {
  const environment = readEnvironment();
  const { dataDir } = makeConfig({ DATA_DIR: environment.DATA_DIR, XDG_DATA_HOME: environment.XDG_DATA_HOME });
  return makeConfig({
    PORT: environment.PORT,
    DATA_DIR: `${dataDir}-demo`,
    ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
    DEFAULT_RATE_LIMIT: '10000',
  });
}

async function startGithub(): Promise<Emulator> {
  const port = await freePort();
  return createEmulator({
    service: 'github',
    port,
    // As the product calls it; links to the next page must not lead elsewhere.
    baseUrl: `http://127.0.0.1:${port}`,
    seed: {
      tokens: { [GITHUB_TOKEN]: { login: 'octocat', scopes: ['repo', 'read:user'] } },
      github: {
        users: [{ login: 'octocat', name: 'The Octocat', email: 'octocat@example.com' }],
        repos: Array.from({ length: REPOSITORIES }, (_, index) => ({
          owner: 'octocat',
          name: index === 0 ? 'hello-world' : `service-${index}`,
          language: 'TypeScript',
        })),
      },
    },
  });
}

/** Its seed takes no issues. */
async function fillGithub(url: string): Promise<void> {
  for (let number = 1; number <= ISSUES; number++) {
    const repository = number % 3 === 0 ? 'service-1' : 'hello-world';
    const answer = await fetch(`${url}/repos/octocat/${repository}/issues`, {
      method: 'POST',
      signal: ending.signal,
      headers: { authorization: `Bearer ${GITHUB_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: `Issue ${number}`, body: 'Made for the demo.', labels: number % 5 ? [] : ['bug'] }),
    });
    if (!answer.ok) throw new Error(`The GitHub-compatible server answered ${answer.status}.`);
    await answer.arrayBuffer();
  }
}

async function startStripe(): Promise<Emulator> {
  const port = await freePort();
  return createEmulator({
    service: 'stripe',
    port,
    baseUrl: `http://127.0.0.1:${port}`,
    seed: {
      stripe: {
        customers: Array.from({ length: CUSTOMERS }, (_, index) => ({
          email: `customer-${index + 1}@example.com`,
          name: `Customer ${index + 1}`,
        })),
        products: ['Basic', 'Pro', 'Enterprise'].map((name) => ({ name, description: `The ${name} plan` })),
        prices: [
          { product_name: 'Basic', currency: 'eur', unit_amount: 900 },
          { product_name: 'Pro', currency: 'eur', unit_amount: 2900 },
        ],
      },
    },
  });
}

/** Makes the integration, or gives the one of an earlier demo the address that its provider has today. */
async function connect(served: Served, data: CreateIntegrationData): Promise<Integration> {
  const { data: known } = await call<{ data: Integration[] }>(served, 'GET', '/integrations?limit=200');
  const earlier = known.find(({ name }) => name === data.name);
  if (earlier === undefined) return call<Integration>(served, 'POST', '/integrations', data);
  const { credentials, configuration } = data;
  return call<Integration>(served, 'PATCH', `/integrations/${earlier.id}`, { credentials, configuration });
}

async function testAndSync(served: Served, { id, name }: Integration): Promise<void> {
  const test = await call<ConnectionTestResult>(served, 'POST', `/integrations/${id}/test`);
  if (!test.success) throw new Error(`${name} could not be connected: ${test.error}`);
  out.say(
    `✓ ${name} is connected${test.details.account === undefined ? '' : ` as ${test.details.account}`} (${test.latencyMs} ms)`,
  );
  const run = await call<SyncResult>(served, 'POST', `/integrations/${id}/sync?wait=true`, { fullRefresh: true });
  if (run.status !== 'succeeded') throw new Error(`The sync of ${name} ended as ${run.status}: ${run.error?.message}`);
  const rate = Math.round(run.recordsRead / Math.max(0.001, run.durationMs / 1000));
  out.say(`✓ ${name}: ${run.recordsRead} records in ${(run.durationMs / 1000).toFixed(1)} s (${rate}/s)`);
  for (const warning of run.warnings) out.say(`  ${warning.message}`);
}

async function showStreams(served: Served, integrations: readonly Integration[]): Promise<void> {
  const rows: [string, string, number][] = [];
  for (const { id, name } of integrations) {
    const { data } = await call<{ data: StreamStatus[] }>(served, 'GET', `/integrations/${id}/streams`);
    rows.push(...data.map(({ stream, records }): [string, string, number] => [name, stream, records]));
  }
  out.say('');
  out.table(['INTEGRATION', 'STREAM', 'RECORDS'], rows);
}

function showNextSteps({ dataDir }: Config, { url, apiKey }: Served, [github, stripe]: readonly Integration[]): void {
  const key = `-H "Authorization: Bearer ${apiKey}"`;
  // The providers of this demo are on loopback, which a command reaches only where it is allowed too.
  const cli = `DATA_DIR=${dataDir} ALLOWED_PRIVATE_HOSTS=127.0.0.1 npm run cli --`;
  out.say(`
${style('bold', 'Look at it', process.stderr)}
  ${url}/docs
  curl ${key} "${url}/api/v1/integrations"
  curl ${key} "${url}/api/v1/integrations/${github!.id}/records?stream=issues&limit=3"
  curl ${key} "${url}/api/v1/integrations/${stripe!.id}/metrics"
  ${cli} integrations list
  ${cli} records ${stripe!.id} --stream customers --format csv
  ${cli} integrations sync ${github!.id}

Ctrl-C ends everything.`);
}

async function call<T>({ url, apiKey }: Served, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal: ending.signal,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
