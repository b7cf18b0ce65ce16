import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findServer, SERVER_URL } from '../support/server.ts';
import { freePort, start, systemPath } from './support/cleanMachine.ts';
import { buildImage, type Image } from './support/dockerfile.ts';
import { processesOf } from './support/processesOf.ts';

const SECRETS = {
  ENCRYPTION_SECRET: 'house-encryption-secret-0123456789abcdef',
  JWT_SECRET: 'house-jwt-secret-0123456789abcdef0123456789',
  API_KEY: 'house-api-key-0123456789abcdef0123456789abcd',
};

describe('the image that the Dockerfile describes', () => {
  let folder: string;
  let image: Image;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'integration-services-image-'));
    chmodSync(folder, 0o755);
    // The base image's Node 24 is this one; npm is the machine's.
    symlinkSync(process.execPath, join(folder, 'node'));
    image = await buildImage(folder, `${folder}:${systemPath}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('refuses to start in production without its secrets, and names each of them', async () => {
    const server = run(image, {});
    expect(await server.ended).toBe(1);
    for (const name of Object.keys(SECRETS)) expect(server.output()).toContain(name);
    expect(server.output()).not.toMatch(/\n\s+at /);
  });

  test('serves with the embedded database in its volume, and is found healthy only while it does', async () => {
    const port = await freePort();
    const server = run(image, { ...SECRETS, PORT: String(port) });
    await server.says('"server.ready"');
    await expectHealthy(port);
    expect(await healthCheck(image, port)).toBe(0);
    server.child.kill('SIGTERM');
    await server.ended;
    expect(processesOf(image.root)).toEqual([]);
    expect(await healthCheck(image, port)).toBe(1);
  });

  test('serves with DATABASE_URL', async ({ skip }) => {
    skip(!(await findServer()), 'needs a PostgreSQL server');
    const name = `is_house_${process.pid}`;
    const admin = new pg.Client({ connectionString: SERVER_URL });
    await admin.connect();
    await admin.query(`create database ${name}`);
    const url = new URL(SERVER_URL);
    url.pathname = `/${name}`;
    try {
      const port = await freePort();
      const server = run(image, { ...SECRETS, PORT: String(port), DATABASE_URL: url.href });
      await server.says('"server.ready"');
      await expectHealthy(port);
      server.child.kill('SIGTERM');
      await server.ended;
    } finally {
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    }
  });
});

function run({ workFolder, env, uid, command }: Image, variables: Record<string, string>) {
  const [program = '', ...args] = command;
  return start(program, args, {
    cwd: workFolder,
    env: { ...env, ...variables },
    uid: process.getuid?.() === 0 ? uid : undefined,
  });
}

async function expectHealthy(port: number): Promise<void> {
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect(health.status).toBe(200);
  const closed = await fetch(`http://127.0.0.1:${port}/api/v1/integrations`);
  expect(closed.status).toBe(401);
  const open = await fetch(`http://127.0.0.1:${port}/api/v1/integrations`, {
    headers: { authorization: `Bearer ${SECRETS.API_KEY}` },
  });
  expect(open.status).toBe(200);
}

function healthCheck(
  { workFolder, env, healthCheck: [program = '', ...args] }: Image,
  port: number,
): Promise<number | null> {
  return start(program, args, { cwd: workFolder, env: { ...env, PORT: String(port) } }).ended;
}
