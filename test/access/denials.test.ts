import { expect, it } from 'vitest';
import { DenialLog } from '../../src/access/denials.ts';
import type { AuditEvent, AuditTrail } from '../../src/audit/types.ts';
import { type Log, silentLog } from '../../src/core/log.ts';
import { useTestDatabase } from '../support/database.ts';
import { Recorder } from './support/people.ts';

const database = useTestDatabase();

function open(audit: AuditTrail, log: Log = silentLog) {
  let nowMs = 0;
  // The sweep is left to `close` and to later denials.
  const clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve())),
  };
  const denials = new DenialLog({ database: database.current, audit, log, clock });
  const advance = (ms: number): void => {
    nowMs += ms;
  };
  return { denials, advance };
}

const denial = (id: string, route = 'GET /x') => ({ actor: { kind: 'user', id } as const, route, reason: 'r' });
const told = ({ actor, details }: AuditEvent) => [actor.id, details!.route, details!.repeated ?? 1];

it('is recorded once an actor, route and minute, and counted in between', async () => {
  const audit = new Recorder();
  const { denials, advance } = open(audit);
  await Promise.all(Array.from({ length: 100 }, () => denials.note(denial('a'))));
  await denials.note(denial('a', 'GET /y'));
  await denials.note(denial('b'));
  expect(audit.events.map(told)).toEqual([
    ['a', 'GET /x', 1],
    ['a', 'GET /y', 1],
    ['b', 'GET /x', 1],
  ]);
  advance(60_000);
  await denials.note(denial('a'));
  expect(audit.events.slice(3).map(told)).toEqual([
    ['a', 'GET /x', 99],
    ['a', 'GET /x', 1],
  ]);
  await denials.note(denial('a'));
  await denials.close();
  expect(audit.events.slice(5).map(told)).toEqual([['a', 'GET /x', 1]]);
});

it('of more actors than are counted is kept as a sum', async () => {
  const audit = new Recorder();
  const { denials } = open(audit);
  for (let id = 0; id < 5_100; id++) await denials.note(denial(String(id)));
  expect(audit.events).toHaveLength(5_000);
  await denials.close();
  expect(audit.events.slice(5_000)).toMatchObject([{ details: { denials: 100 } }]);
});

it('that cannot be recorded is in the log, and stays a denial', async () => {
  const lines: string[] = [];
  const broken: AuditTrail = { record: () => Promise.reject(new Error('no room')) };
  const { denials } = open(broken, {
    ...silentLog,
    error: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  });
  await denials.note(denial('a'));
  await denials.close();
  expect(lines).toEqual([expect.stringContaining('no room')]);
});
