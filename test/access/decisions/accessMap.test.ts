import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AccessControl } from '../../../src/access/decisions/accessControl.ts';
import { type AccessChange, AccessMap } from '../../../src/access/decisions/accessMap.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { addIntegration, addUser, as } from './support/access.ts';

const database = useTestDatabase();
const maps: AccessMap[] = [];
let userId: string;
let integrationId: string;

/** A clock that goes on by hand, on which nothing ever polls. */
function handClock() {
  let passedMs = 0;
  const clock: Clock = {
    now: () => Date.now() + passedMs,
    monotonicMs: () => passedMs,
    sleep: (ms, signal) =>
      ms < 1_000
        ? new Promise((_, reject) => signal?.addEventListener('abort', reject))
        : systemClock.sleep(ms, signal, { keepAlive: false }),
  };
  return { clock, pass: (ms: number) => (passedMs += ms) };
}

async function openMap(clock?: Clock): Promise<AccessMap> {
  const map = await AccessMap.open({ pool: database.current.pool, log: silentLog, clock });
  maps.push(map);
  return map;
}

const query = (text: string, values: unknown[] = []) => database.current.pool.query(text, values);
const mayRead = async (map: AccessMap, id = integrationId) =>
  new AccessControl(map, database.current).checkAccessControl(userId, id, 'read');
const freeze = () => query(`update users set status = 'frozen' where id = $1`, [userId]);

beforeAll(async () => {
  integrationId = await addIntegration(database.current, 'default');
});
beforeEach(async () => {
  userId = await addUser(database.current, 'viewer');
});
afterEach(async () => {
  await Promise.all(maps.splice(0).map((map) => map.close()));
});

/** Nobody can read the version meanwhile, as when the server hangs. */
async function whileHanging(run: () => Promise<void>): Promise<void> {
  const client = await database.current.pool.connect();
  try {
    await client.query('begin; lock table access_version in access exclusive mode');
    await run();
  } finally {
    await client.query('rollback');
    client.release();
  }
}

describe('what another replica changes', () => {
  test('is found by looking all the time', async () => {
    const map = await openMap();
    expect(await mayRead(map)).toBe(true);
    const { version } = map;
    await freeze();
    await eventually('the change to be seen', () => map.version > version);
    expect(map.rules.isActive(userId)).toBe(false);
  });

  test('is found at the latest by the decision a second after, even if the looking has stopped', async () => {
    const { clock, pass } = handClock();
    const map = await openMap(clock);
    await freeze();
    pass(950);
    expect(await mayRead(map)).toBe(false);
  });
});

describe('what this process changes', () => {
  test('counts when `changed` is over, however many change at once', async () => {
    const { clock } = handClock();
    const map = await openMap(clock);
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const id = await addUser(database.current, 'viewer');
        await map.changed();
        expect(map.rules.isActive(id)).toBe(true);
      }),
    );
  });

  test('is not read once per change when many come together', async () => {
    const { clock } = handClock();
    const { pool } = database.current;
    let queries = 0;
    const counting = {
      query(...args: never[]) {
        queries++;
        return Reflect.apply(pool.query, pool, args);
      },
    };
    const map = await AccessMap.open({ pool: counting as never, log: silentLog, clock });
    maps.push(map);
    queries = 0;
    await Promise.all(Array.from({ length: 50 }, () => map.refresh()));
    expect(queries).toBeLessThanOrEqual(4);
  });

  test('leaves nothing to be decided from the old rules when the new ones cannot be read', async () => {
    const { clock, pass } = handClock();
    const map = await openMap(clock);
    await freeze();
    await whileHanging(async () => {
      await map.changed();
      expect(() => map.rules).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    });
    pass(1);
    await map.refresh();
    expect(map.rules.isActive(userId)).toBe(false);
  });
});

describe('when the database does not answer', () => {
  test('nothing is decided from what may be old, and all is well when it does again', async () => {
    const { clock, pass } = handClock();
    const map = await openMap(clock);
    await whileHanging(async () => {
      // What is fresh needs no database.
      expect((await map.fresh()).isActive(userId)).toBe(true);
      pass(950);
      await expect(map.fresh()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(map.rules.isActive(userId)).toBe(true);
      pass(5_000);
      expect(() => map.rules).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    });
    await eventually('a decision again', () => mayRead(map).catch(() => false));
  });

  test('it is told once, and looking goes on', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    let isLost = false;
    const { pool } = database.current;
    const losing = {
      query: (...args: never[]) =>
        isLost ? Promise.reject(new Error('Connection terminated')) : Reflect.apply(pool.query, pool, args),
    };
    const map = await AccessMap.open({ pool: losing as never, log });
    maps.push(map);
    isLost = true;
    await eventually('the warning', () => warnings.length > 0);
    await systemClock.sleep(600);
    isLost = false;
    await freeze();
    await eventually('the change', () => !map.rules.isActive(userId));
    expect(warnings).toEqual(['Who may do what cannot be read']);
  });
});

describe('listeners', () => {
  test('hear of users who were stopped, also when another listener fails', async () => {
    const map = await openMap();
    const changes: AccessChange[] = [];
    map.onChange(() => {
      throw new Error('broken');
    });
    const end = map.onChange((change) => changes.push(change));
    await freeze();
    await eventually('the change', () => changes.find(({ stoppedUserIds }) => stoppedUserIds.includes(userId)));
    end();
    const count = changes.length;
    await query(`update users set status = 'active' where id = $1`, [userId]);
    await map.refresh();
    expect(changes).toHaveLength(count);
  });

  test('hear when a rule ends by its time', async () => {
    const { clock, pass } = handClock();
    const map = await openMap(clock);
    await query(
      `insert into grants (id, user_id, effect, permissions, scope_kind, reason, created_by, expires_at)
       values ('gra_' || $1, $1, 'allow', '{*}', 'all', 'why', 'me', now() + interval '1 minute')`,
      [userId],
    );
    await map.refresh();
    let heard = 0;
    map.onChange(() => heard++);
    await map.refresh();
    expect(heard).toBe(0);
    pass(61_000);
    await map.refresh();
    await map.refresh();
    expect(heard).toBe(1);
  });
});

describe('a question', () => {
  test('about an unknown user is answered like one about an unknown or deleted integration', async () => {
    const control = new AccessControl(await openMap(), database.current);
    const gone = await addIntegration(database.current, 'default');
    expect(await control.checkAccessControl(userId, gone, 'integrations:read')).toBe(true);
    await query(`update integrations set status = 'deleting' where id = $1`, [gone]);
    const unknown = await control.explainAccess('usr_unknown', integrationId, 'read');
    expect(unknown.allowed).toBe(false);
    for (const id of ['int_unknown', gone, 'a\u0000b']) {
      expect(await control.explainAccess(userId, id, 'read')).toEqual(unknown);
      expect(await control.checkAccessControl(userId, id, 'read')).toBe(false);
    }
  });

  test('about an integration that the asker may not see is answered as if it were not there', async () => {
    const developer = await addUser(database.current, 'developer');
    const control = new AccessControl(await openMap(), database.current);
    const ask = (asker: string) =>
      control.explainTo(as(asker).principal, { userId, integrationId, permission: 'records:read' });
    expect(await ask(userId)).toMatchObject({ allowed: true, ruleId: 'role:viewer' });
    expect(await ask(developer)).toEqual(await control.explainAccess('usr_unknown', 'int_unknown', 'read'));
  });

  test.each([
    ['reed', 'Did you mean "read"?'],
    ['records:reed', 'Did you mean "records:read"?'],
    ['constructor', 'Known are'],
    ['', 'Known are'],
  ])('about the permission %j is refused', async (permission, help) => {
    const control = new AccessControl(await openMap(), database.current);
    await expect(control.checkAccessControl(userId, integrationId, permission)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(help),
    });
  });
});
