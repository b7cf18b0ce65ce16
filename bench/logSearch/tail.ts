import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../src/app.ts';
import { endProgram, startProgram } from '../support/programs.ts';

const CLIENTS = 200;
const RECORDS_PER_SECOND = 5_000;
const SECONDS = 20;
const TICK_MS = 20;

/** Clients in a process of their own; records are logged in this one, as the server's own are. */
export async function measureTail(app: App, url: string): Promise<Record<string, unknown>> {
  const clients = startProgram('logSearch/clients.ts', [url, app.secrets.apiKey, String(CLIENTS), String(SECONDS)]);
  try {
    while (app.logs.streams.size < CLIENTS) await delay(50);
    const cpu = process.cpuUsage();
    const logged = await write(app);
    const { user, system } = process.cpuUsage(cpu);
    const measured = JSON.parse(await clients.firstLine) as Record<string, unknown>;
    const row = { logged, ...measured, 'cores of the server': Math.round((user + system) / SECONDS / 10_000) / 100 };
    return { [`${CLIENTS} clients`]: row };
  } finally {
    await endProgram(clients);
  }
}

async function write(app: App): Promise<number> {
  const { comprehensiveLoggingService: service } = app;
  const startedMs = performance.now();
  const waiting = new Set<Promise<void>>();
  let logged = 0;
  while (performance.now() - startedMs < SECONDS * 1000) {
    // As many as are due: a late tick makes up for it.
    const due = Math.floor(((performance.now() - startedMs) * RECORDS_PER_SECOND) / 1000);
    for (; logged < due; logged++) {
      const one = service.log('int_1', 'info', `Request ${logged} was answered with 200`, { status: 200, attempt: 1 });
      waiting.add(one);
      void one.finally(() => waiting.delete(one));
    }
    await delay(TICK_MS);
  }
  await Promise.all(waiting);
  return logged;
}
