import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { openDatabase } from '../../src/store/database.ts';
import { openEmbeddedServer } from '../../src/store/embedded/embeddedServer.ts';
import { foldersOf } from '../../src/store/embedded/folders.ts';
import { readPidFile } from '../../src/store/embedded/pidFile.ts';
import { identify, isAlive } from '../../src/store/embedded/processes.ts';
import { SERVER_URL } from './server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A connection string with the right to create databases. */
    adminUrl: string;
    /** The migrated database that every test file gets a copy of. */
    templateName: string;
  }
}

/** One server for the run of a project, and on it one migrated database to copy. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = project.name === 'server' ? { url: SERVER_URL, close: async () => {} } : await startEmbedded();
  const templateName = `is_test_${process.pid}_template`;
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await dropLeftovers(admin);
  await admin.query(`create database ${templateName}`);
  const url = new URL(server.url);
  url.pathname = `/${templateName}`;
  const database = await openDatabase({ url: url.href, dataDir: '' });
  await database.close();
  project.provide('adminUrl', server.url);
  project.provide('templateName', templateName);
  return async () => {
    await admin.query(`drop database if exists ${templateName} with (force)`);
    await admin.end();
    await server.close();
  };
}

async function startEmbedded() {
  await removeLeftoverServers();
  const dataDir = await mkdtemp(join(tmpdir(), `is-server-${process.pid}-`));
  const server = await openEmbeddedServer({ dataDir, sync: false, log: console.log });
  return {
    url: server.url,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Servers of runs that were killed; folder names hold the process id of the run. */
async function removeLeftoverServers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const run = /^is-server-(\d+)-/.exec(name)?.[1];
    if (!run || isAlive(Number(run))) continue;
    const folders = foldersOf(join(tmpdir(), name));
    const pid = readPidFile(folders)?.pid;
    if (pid && identify(pid, folders.cluster) === 'ours') process.kill(pid, 'SIGKILL');
    await rm(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 20 });
  }
}

/** Databases of runs that were killed; names hold the process id of the run. */
async function dropLeftovers(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string }>(
    `select datname from pg_database where datname ~ '^is_test_[0-9]+_'`,
  );
  for (const { datname } of rows) {
    const pid = Number(datname.split('_')[2]);
    if (pid === process.pid || !isAlive(pid)) await admin.query(`drop database if exists "${datname}" with (force)`);
  }
}
