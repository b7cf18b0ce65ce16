import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { openApp } from '../../src/app.ts';
import { makeConfig } from '../../src/config/config.ts';
import type { Log } from '../../src/core/log.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, startProvider } from '../support/provider.ts';

const database = useTestDatabase();

/** Of the forms that secrets have: with what addresses, JSON and base64 write in another way, and without. */
const SECRETS = {
  apiKey: 'canary/Key+with=odd&signs?"q" 7f3a9c21',
  webhook: 'whsec_Y2FuYXJ5IHdlYmhvb2sgc2VjcmV0IG9mIHRlc3Rz',
  encryption: 'canary-encryption-secret-0123456789abcdef-é',
  jwt: 'canary-jwt-secret-0123456789abcdefghijklm',
  installationKey: 'canaryInstallationKey0123456789abcdefghij',
  mail: 'canary-mail-password',
  redisless: 'canary-webhook-token-5521',
} as const;

/** Every way in which somebody may write down a secret by mistake. */
function mistakes(secret: string): { message: string; metadata: Record<string, unknown> }[] {
  const forms = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ k: secret }).toString(),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    JSON.stringify({ k: secret }),
    `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
    Buffer.from(`xy:${secret}`).toString('base64'),
  ];
  return forms.flatMap((form) => [
    { message: `it was ${form}, they say`, metadata: {} },
    { message: 'an error', metadata: { error: new Error(`failed with ${form}`, { cause: new TypeError(form) }) } },
    { message: 'an address', metadata: { url: `https://user:${form}@example.com/?q=${form}#${form}` } },
    { message: 'headers', metadata: { headers: { authorization: form, 'x-thing': form, list: [form, [form]] } } },
    {
      message: 'deep',
      metadata: { a: { b: { c: [{ d: form }, { [form.slice(0, 90)]: 1 }] } }, [form.slice(0, 90)]: form },
    },
    { message: 'ids', metadata: { operationId: form, eventName: form, requestId: form, traceId: form, spanId: form } },
  ]);
}

it('no secret that is stored is found anywhere after everybody tried to log it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-test-'));
  const provider = await startProvider();
  provider.key = SECRETS.apiKey;
  const sent: string[] = [];
  const receiver = createServer((request, response) => {
    let text = `${request.url} ${JSON.stringify(request.headers)}`;
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      sent.push(text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const hook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?token=${SECRETS.redisless}`;

  const stdout: string[] = [];
  const collect = (message: string, fields?: object): void => void stdout.push(JSON.stringify({ message, ...fields }));
  const sink: Log = {
    debug: collect,
    verbose: collect,
    info: collect,
    warn: collect,
    error: collect,
    critical: collect,
  };
  const config = makeConfig({
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'debug',
    ENCRYPTION_SECRET: SECRETS.encryption,
    JWT_SECRET: SECRETS.jwt,
    API_KEY: SECRETS.installationKey,
    SMTP_URL: `smtp://user:${SECRETS.mail}@127.0.0.1:1`,
    SMTP_FROM: 'a@example.com',
    AUDIT_CHECKPOINT_WEBHOOK: hook,
    ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
    LOG_ARCHIVE: join(dataDir, 'archive'),
  });
  const app = await openApp({ config, log: sink, workers: false });
  try {
    const { id } = await app.catalog.create({
      name: 'Canary',
      platform: 'http',
      owner: 'usr_canary',
      credentials: { apiKey: SECRETS.apiKey },
      configuration: { connector: describeProvider(provider) },
    });
    await app.webhooks.add(id, { url: 'https://example.com/hook', events: ['*'], secret: SECRETS.webhook });
    expect(await app.integrationService.testConnection(await app.catalog.get(id))).toMatchObject({ success: true });
    // A provider that repeats what it was given.
    provider.answer = (request, response) => {
      response.statusCode = 400;
      response.end(
        JSON.stringify({ error: { message: `You sent ${request.headers.authorization} to ${request.url}` } }),
      );
    };
    await app.integrationService.testConnection(await app.catalog.get(id));
    for (const secret of Object.values(SECRETS)) {
      for (const { message, metadata } of mistakes(secret)) {
        await app.comprehensiveLoggingService.log(id, 'warn', message, metadata);
        app.log.error(message, { integrationId: id, ...metadata });
        await app.advancedSecurityService.logAuditEvent('usr_canary', id, 'canary.tried', {
          message,
          ...metadata,
          error: message,
        });
      }
    }
    await app.comprehensiveLoggingService.flush();
    await app.audit.flush();
    const { rows } = await database.current.pool.query(
      `select count(*)::int as count from logs where integration_id = $1`,
      [id],
    );
    expect(rows[0].count).toBeGreaterThan(Object.values(SECRETS).length * 6 * 8 * 2 - 1);
    // Into the archive, too: all of it is a year old.
    await database.current.pool.query(`update logs set observed_at = observed_at - interval '1 day'`);
    await app.comprehensiveLoggingService.settings.changeRetention({
      rules: [{ scope: '*', level: 'warn', keepDays: 0 }],
    });
    await app.logKeeping.applyRetention(new AbortController().signal);
    expect(readdirSync(join(dataDir, 'archive')).length).toBeGreaterThan(0);
  } finally {
    await app.close();
    await provider.close();
    receiver.close();
  }

  const places = new Map<string, string>([
    ['stdout', stdout.join('\n')],
    ['what the checkpoint receiver got', sent.join('\n').replaceAll(`?token=${SECRETS.redisless}`, '')],
    ...(await tables()),
    ...files(dataDir),
  ]);
  const found: string[] = [];
  for (const [place, text] of places) {
    for (const [name, secret] of Object.entries(SECRETS)) {
      // The core of each: what is left of it in any way of writing.
      const cores = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex')];
      for (const shift of [0, 1, 2]) {
        const bytes = Buffer.from(secret).subarray(shift);
        cores.push(bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64'));
      }
      if (cores.some((core) => text.includes(core))) found.push(`${name} in ${place}`);
    }
  }
  expect(found).toEqual([]);
  rmSync(dataDir, { recursive: true, force: true });
});

/** Every row of every table as text; bytes also as what they say. */
async function tables(): Promise<[string, string][]> {
  const { pool } = database.current;
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const texts: [string, string][] = [];
  for (const { name } of rows) {
    const all = await pool.query<{ row: string }>(`select one::text as row from ${name} one`);
    const text = all.rows.map(({ row }) => row).join('\n');
    const bytes = [...text.matchAll(/\\x([0-9a-f]{8,})/g)].map(([, hex]) => Buffer.from(hex!, 'hex').toString());
    // JSON in a row is quoted twice.
    texts.push([name, [text, text.replaceAll('""', '"').replaceAll('\\', ''), ...bytes].join('\n')]);
  }
  return texts;
}

/** Every file of the data folder but the secrets that it is the place for. */
function files(dataDir: string): [string, string][] {
  const entries = readdirSync(dataDir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/secrets'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      return [path, path.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString()];
    });
}
