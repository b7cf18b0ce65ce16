import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { AccessSignal } from '../../../src/access/accessSignal.ts';
import { RunningWork, type StartedWork } from '../../../src/access/freeze/runningWork.ts';
import type { Principal } from '../../../src/access/types.ts';
import { silentLog } from '../../../src/core/log.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { addUser, EVERYTHING, OPERATOR, openAccess, person } from '../support/people.ts';

const database = useTestDatabase();
let access: ReturnType<typeof openAccess>;
let running: RunningWork;
let version = 1;

beforeAll(() => {
  access = openAccess(database.current);
});
beforeEach(() => {
  // As on another replica, which only sees the version rise.
  running = new RunningWork({
    database: database.current,
    version: { version: () => version },
    signal: new AccessSignal(),
    log: silentLog,
  });
});
afterEach(() => running.close());

const start = (principal: Principal): StartedWork => running.start(principal, version)!;
const ended = ({ signal }: StartedWork) => eventually('the end of the work', () => signal.aborted);

it('ends what runs for a user and their keys when they are frozen, and nothing else', async () => {
  const [frozen, other] = [await addUser(database.current), await addUser(database.current)];
  access.rules.allow(frozen, EVERYTHING);
  const { apiKey } = await access.apiKeys.create({ principal: OPERATOR }, frozen, { name: 'x' });
  const asKey: Principal = { kind: 'apiKey', userId: frozen, apiKeyId: apiKey.id, scopes: apiKey.scopes };
  const theirs = [start(person(frozen)), start(asKey)];
  const others = [start(person(other)), start(OPERATOR)];
  await access.freezer.freeze({ principal: OPERATOR }, { userId: frozen }, 'x');
  version++;
  await Promise.all(theirs.map(ended));
  expect(others.map(({ signal }) => signal.aborted)).toEqual([false, false]);
});

it('ends what runs for one key when it is revoked, and for a user who is gone', async () => {
  const [user, gone] = [await addUser(database.current), await addUser(database.current)];
  access.rules.allow(user, EVERYTHING);
  const { apiKey } = await access.apiKeys.create({ principal: OPERATOR }, user, { name: 'x' });
  const asKey = start({ kind: 'apiKey', userId: user, apiKeyId: apiKey.id, scopes: apiKey.scopes });
  const asUser = start(person(user));
  const deleted = start(person(gone));
  await access.apiKeys.revoke({ principal: person(user) }, apiKey.id);
  await database.current.pool.query('delete from users where id = $1', [gone]);
  version++;
  await Promise.all([ended(asKey), ended(deleted)]);
  expect(asUser.signal.aborted).toBe(false);
});

it('ends what began with an old view of things after the change was seen', async () => {
  const user = await addUser(database.current);
  await access.freezer.freeze({ principal: OPERATOR }, { userId: user }, 'x');
  const before = version++;
  await ended(running.start(person(user), before)!);
});

it('keeps no account of what is done', async () => {
  const user = await addUser(database.current);
  const all = Array.from({ length: 100 }, () => start(person(user)));
  expect(running.size).toBe(100);
  for (const one of all) one.done();
  expect(running.size).toBe(0);
});
