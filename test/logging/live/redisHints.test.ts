import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { RedisHints } from '../../../src/logging/live/redisHints.ts';
import { LogReading } from '../../../src/logging/logReading.ts';
import { ManualClock } from '../../rateLimits/manualClock.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { findRedis, REDIS_URL } from '../../support/redis.ts';
import { writeLogs } from '../support.ts';

const database = useTestDatabase();
const closing: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});
const closed = <T extends { close(): Promise<void> | void }>(one: T): T => {
  closing.push(one);
  return one;
};

/** A line to Redis that can be cut without harm to others who use it. */
async function openLine(): Promise<{ url: string; cut: () => void }> {
  const { hostname, port } = new URL(REDIS_URL);
  const sockets = new Set<Socket>();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const server = createServer((near) => {
    const far = connect(Number(port || 6379), hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push({
    close: () => {
      cut();
      server.close();
    },
  });
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

describe.skipIf(!(await findRedis()))('hints through Redis', () => {
  /** Says it again until it is heard: a hint that is said before the other one listens is lost, as it may be. */
  const untilHeard = (says: RedisHints, heard: () => number, more = 1) => {
    const before = heard();
    return eventually('the hint', () => {
      says.say();
      return heard() >= before + more;
    });
  };

  function listener(url = REDIS_URL): { hints: RedisHints; heard: () => number } {
    let count = 0;
    const hints = closed(new RedisHints(url));
    hints.listen(() => void count++);
    return { hints, heard: () => count };
  }

  it('reach those who listen, the sayer too where it listens', async () => {
    const { hints, heard } = listener();
    const other = listener();
    await untilHeard(hints, heard);
    await untilHeard(hints, other.heard);
    await untilHeard(closed(new RedisHints(REDIS_URL)), heard);
  });

  it('are heard again after the connection broke', async () => {
    const line = await openLine();
    const { hints, heard } = listener(line.url);
    await untilHeard(hints, heard);
    line.cut();
    await untilHeard(hints, heard);
  });

  it('harm nobody where there is no Redis, nor after the end', async () => {
    const { hints, heard } = listener('redis://127.0.0.1:1');
    hints.say();
    hints.close();
    hints.say();
    hints.listen(() => expect.unreachable());
    expect(heard()).toBe(0);
  });

  it('bring what another replica wrote without waiting for the next look', async () => {
    const clock = new ManualClock(Date.now());
    const parts = { database: database.current, log: silentLog };
    const writes = closed(new LogReading({ ...parts, hints: closed(new RedisHints(REDIS_URL)) }));
    const reads = closed(new LogReading({ ...parts, clock, hints: closed(new RedisHints(REDIS_URL)) }));
    const seen: string[] = [];
    reads.subscribe(({ message }) => void seen.push(message), 'int_hint');
    // The clock of the reader stands still from here on: by itself it looks no more. What it was told of before does
    // not count, so it is past the pause that it makes between two looks.
    await eventually('the first look', async () => {
      await writeLogs(database.current, [{ integrationId: 'int_hint', message: 'first' }]);
      await clock.advance(250);
      return seen.length > 0;
    });
    for (let look = 0; look < 8; look++) await clock.advance(250);
    await eventually('a pause', async () => {
      await clock.advance(70);
      return clock.sleepers === 0;
    });
    await writeLogs(database.current, [{ integrationId: 'int_hint', message: 'hinted' }]);
    let movedMs = 0;
    await eventually('what was hinted at', async () => {
      writes.committed();
      // As much as the shortest pause, which it may be in again: a look by itself is further away.
      if (movedMs < 65) await clock.advance(5);
      movedMs += 5;
      return seen.includes('hinted');
    });
  });
});
