import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('rateLimits/measure.ts', import.meta.url));
const PROCESSES = 4;
const SHARED_LIMIT = 3_000_000;

/**
 * What a check costs: CPU in memory with one and with 100,000 keys, beside other limiters and a bare token bucket in a
 * Map; memory of idle keys; checks a second on one key of Redis by 4 processes, with leases and without. Each
 * measurement has a process of its own.
 * Targets: 4 times fewer CPU than rate-limiter-flexible, at most 1.5 times a bare bucket; ≤ 200 bytes for an idle key;
 * ≥ 500,000 checks/s on one key through leases, with exactly the limit admitted.
 */
export async function run(): Promise<void> {
  const rows: Record<string, unknown> = {};
  for (const subject of [
    'bareBucket',
    'ours',
    'service',
    'outgoing',
    'limiter',
    'rateLimiterFlexible',
    'refusedByFlexible',
    'refusedByOurs',
  ]) {
    const one = await measure([subject, '1']);
    const many = await measure([subject, '100000']);
    rows[subject] = { '1 key, ns': one.cpuNs, '100k keys, ns': many.cpuNs };
  }
  console.table(rows);
  console.table({
    '1M keys': await measure(['memory', '1000000']),
    '10M keys, bound 1M': await measure(['memory', '10000000']),
  });
  for (const subject of ['leased', 'rateLimiterRedis']) console.table({ [subject]: await together(subject) });
}

/** Several processes at the same key until each was refused, or for some seconds. */
async function together(subject: string): Promise<Record<string, unknown>> {
  const key = `bench-${Date.now()}`;
  const args = [subject, key, String(SHARED_LIMIT)];
  const parts = await Promise.all(Array.from({ length: PROCESSES }, () => measure(args)));
  const sum = (name: string) => parts.reduce((total, part) => total + part[name]!, 0);
  const seconds = Math.max(...parts.map(({ seconds: one }) => one!));
  return {
    'checks/s': Math.round(sum('checks') / seconds),
    admitted: sum('admitted'),
    limit: subject === 'leased' ? SHARED_LIMIT : 'not reached',
    seconds: Math.round(seconds * 10) / 10,
  };
}

function measure(args: readonly string[]): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', WORKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`${args[0]} failed.`))));
  });
}
