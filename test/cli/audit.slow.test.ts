import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { asOwner, someEvent } from '../audit/support.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { runCommand } from './support/commandLine.ts';

const database = useTestDatabase();
let app: App;
let variables: Record<string, string>;
let folder: string;

beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
  folder = mkdtempSync(join(tmpdir(), 'is-audit-cli-'));
  variables = {
    DATABASE_URL: database.url,
    DATA_DIR: app.config.dataDir,
    ENCRYPTION_SECRET: app.secrets.encryptionSecret,
    JWT_SECRET: app.secrets.jwtSecret,
    API_KEY: app.secrets.apiKey,
  };
  await app.audit.recordMany(
    app.database.db,
    Array.from({ length: 60 }, (_, at) => someEvent(at)),
  );
});
afterAll(async () => {
  await app?.close();
  rmSync(folder, { recursive: true, force: true });
});

const audit = (...args: string[]) => runCommand(['audit', ...args], variables);
/** Without a database that could be asked. */
const offline = (...args: string[]) =>
  runCommand(['audit', ...args], { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });

function keep(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('the audit commands', () => {
  let key: string;
  let exported: string;

  it('export, and verify the export without the database', async () => {
    const dump = await audit('export');
    expect(dump).toMatchObject({ code: 0, stderr: '' });
    exported = keep('export.jsonl', dump.stdout);
    key = (await audit('key')).stdout.trim();
    const good = await offline('verify', '--file', exported, '--public-key', key);
    expect(good).toMatchObject({
      code: 0,
      stdout: 'The log is as it was signed: 61 entries, 61 of them under a checkpoint (complete).\n',
    });
    const changed = keep('changed.jsonl', dump.stdout.replace('"number":31', '"number":32'));
    const bad = await offline('verify', '--file', changed, '--public-key', keep('key.txt', `${key}\n`));
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain('TAMPERED: edit at entry 31:');
    expect(
      JSON.parse((await offline('verify', '--json', '--file', changed, '--public-key', key)).stdout),
    ).toMatchObject({
      ok: false,
      finding: { kind: 'edit', seq: 31, lastSeq: 31 },
    });
  });

  it('list what was chosen', async () => {
    const { stdout } = await audit('list', '--json', '--actor', 'usr_2', '--limit', '5');
    expect(JSON.parse(stdout).map((one: { seq: number }) => one.seq)).toEqual([58, 51, 44, 37, 30]);
    expect((await audit('list', '--limit', '2')).stdout).toMatch(
      /^SEQ +TIME +ACTOR.*\n60 .*installation command line +audit\.exported .*\n59 .*user usr_3/,
    );
    expect((await audit('list', '--since', 'yesterday')).code).toBe(2);
  });

  it('prove an entry, and verify the proof without the database', async () => {
    const proof = await audit('prove', '7');
    expect(proof.code).toBe(0);
    const good = await offline('verify', '--proof', keep('proof.json', proof.stdout), '--public-key', key);
    expect(good).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Entry 7 is in the signed log of 61 entries:'),
    });
    const changed = keep('changed.json', proof.stdout.replace('usr_0', 'usr_1'));
    expect(await offline('verify', '--proof', changed, '--public-key', key)).toMatchObject({ code: 1 });
    expect((await audit('prove', '99')).stderr).toContain('has no entry "99"');
  });

  it('verify the database against kept checkpoints, and name what was done', async () => {
    const kept = keep('checkpoint', (await app.audit.checkpoints(1))[0]!.note);
    expect(await audit('verify', '--checkpoint', kept, '--public-key', key)).toMatchObject({ code: 0 });
    await asOwner(database.current, async (run) => {
      await run(
        `update audit_entries set event = convert_to(replace(convert_from(event, 'utf8'), 'denied', 'success'), 'utf8') where seq = 22`,
      );
    });
    const found = await audit('verify', '--checkpoint', kept, '--public-key', key);
    expect(found).toMatchObject({ code: 1, stdout: expect.stringContaining('TAMPERED: edit at entry 22:') });
  });

  it('say what is missing', async () => {
    expect((await offline('verify', '--file', exported)).stderr).toContain('--public-key is needed');
    expect((await offline('verify', '--file', exported, '--public-key', 'a+00000000+AAAA')).code).toBe(1);
    expect((await offline('verify', '--file', exported, '--proof', exported)).code).toBe(2);
    expect((await offline('verify', '--checkpoint', keep('empty', ''))).stderr).toContain('holds no checkpoint');
    expect(readFileSync(exported, 'utf8')).not.toContain(app.secrets.apiKey);
  });
});
