import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider(25);
  server = await openTestServer(database.url);
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

const document = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
/** Every example but the first, which sets the variables. */
const examples = [...document.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code!).slice(1);

/** Runs an example as a reader would, in bash with curl, and gives the answers of its requests. */
async function run(example: string, environment: Record<string, string>): Promise<{ body: string; status: number }[]> {
  // Only what a person sees is added: the status after each answer.
  const script = example.replaceAll(/^curl /gm, `curl -sS -w '\\n%{http_code}\\n---\\n' `);
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
    env: { PATH: process.env.PATH!, ...environment },
    timeout: 20_000,
  });
  return stdout
    .split('\n---\n')
    .slice(0, -1)
    .map((answer) => {
      const end = answer.lastIndexOf('\n');
      return { body: answer.slice(0, end), status: Number(answer.slice(end + 1)) };
    });
}

it('has examples that work as they are written', async () => {
  // The id that the later examples take: an integration whose provider is on this machine.
  const created = await server.request('POST', '/api/v1/integrations', {
    body: {
      name: 'Loopback',
      platform: 'http',
      credentials: { apiKey: provider.key },
      configuration: { connector: describeProvider(provider) },
    },
  });
  const environment = { API: server.url, API_KEY: server.app.secrets.apiKey, ID: created.json.id };
  const answers = [];
  for (const example of examples) answers.push(...(await run(example, environment)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 200, 200, 200, 200, 400, 200, 200, 200, 200]);
  expect(JSON.parse(answers[3]!.body)).toMatchObject({ success: true });
  expect(JSON.parse(answers[4]!.body)).toMatchObject({ success: true, recordsAdded: 25 });
});

it('shows the problem that its example gets', async () => {
  const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(document)![1]!);
  const environment = { API: server.url, API_KEY: server.app.secrets.apiKey };
  const [answer] = await run(examples.find((one) => one.includes('gihub'))!, environment);
  expect({ ...JSON.parse(answer!.body), requestId: '' }).toEqual({ ...shown, requestId: '' });
});
