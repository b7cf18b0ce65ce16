import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../bin/integration-services.js', import.meta.url));
const STARTS = 5;
const DEADLINE_MS = 60_000;

/**
 * From the start of the process to the first good answer of /health, on a data folder that does not exist yet and on
 * one that does, with the embedded PostgreSQL; beside a bare Node process that does nothing. Target: under 2 s on an
 * existing folder.
 */
export async function run(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  try {
    const first = await startMs(dataDir);
    const later: number[] = [];
    for (let start = 0; start < STARTS; start += 1) later.push(await startMs(dataDir));
    console.table({
      'bare Node process': { 'median ms': Math.round(await bareNodeMs()) },
      'first start (makes the database)': { 'median ms': Math.round(first) },
      'later start': {
        'median ms': Math.round(median(later)),
        'slowest ms': Math.round(Math.max(...later)),
        'under 2 s': Math.max(...later) < 2_000,
      },
    });
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function startMs(dataDir: string): Promise<number> {
  const port = await freePort();
  const startedMs = performance.now();
  const child = spawn(process.execPath, [PROGRAM, 'start'], {
    env: { PATH: process.env.PATH, HOME: dataDir, DATA_DIR: dataDir, PORT: String(port) },
    stdio: 'ignore',
  });
  try {
    await healthy(`http://127.0.0.1:${port}/health`, child);
    return performance.now() - startedMs;
  } finally {
    await end(child);
  }
}

async function healthy(url: string, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok) return;
    await delay(5);
  }
  throw new Error('The server did not become healthy.');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

async function bareNodeMs(): Promise<number> {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const startedMs = performance.now();
    await once(spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' }), 'exit');
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
