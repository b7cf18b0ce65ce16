import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { listIntegrations } from '../../src/integrations/integrationQueries.ts';
import type { VisibleIntegrations } from '../../src/integrations/visibleIntegrations.ts';
import { useTestDatabase } from '../support/database.ts';
import { indexesUsed } from '../sync/support/plans.ts';

const database = useTestDatabase();
const OWNERS = ['ada', 'bob', 'cyd'];
const PLATFORMS = ['github', 'slack', 'stripe'];
const few: { id: string; owner: string; platform: string }[] = [];

/** Thirty that are looked at one by one, before twenty thousand that only make the table large. */
beforeAll(async () => {
  for (let n = 0; n < 30; n++)
    few.push({
      id: `int_${String(n).padStart(6, '0')}`,
      owner: OWNERS[n % 3]!,
      platform: PLATFORMS[Math.floor(n / 3) % 3]!,
    });
  await database.current.db
    .insertInto('integrations')
    .values(few.map((one) => ({ ...one, name: one.id, type: 't', status: 'connected' as const, configuration: '{}' })))
    .execute();
  await database.current.pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select 'int_x' || lpad(n::text, 6, '0'), 'crowd' || n % 500, 'n', 't', 'other' || n % 200, 'connected', '{}' from generate_series(1, 20000) n`,
  );
  await database.current.pool.query('analyze integrations');
});

const named = fc.record({
  ids: fc.subarray(
    Array.from({ length: 30 }, (_, n) => `int_${String(n).padStart(6, '0')}`),
    { maxLength: 4 },
  ),
  owners: fc.subarray(OWNERS, { maxLength: 2 }),
  platforms: fc.subarray(PLATFORMS, { maxLength: 2 }),
});
const within = fc.option(fc.subarray(Array.from({ length: 30 }, (_, n) => `int_${String(n).padStart(6, '0')}`)));

type Names = { ids: string[]; owners: string[]; platforms: string[] };
const isNamed = ({ ids, owners, platforms }: Names, one: (typeof few)[number]) =>
  ids.includes(one.id) || owners.includes(one.owner) || platforms.includes(one.platform);

describe('a list of visible integrations', () => {
  it('is the list of all of them, less what may not be seen, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(named, named, within, fc.integer({ min: 1, max: 7 }), async (only, except, ids, pageSize) => {
        const visible: VisibleIntegrations = { kind: 'some', only, except, within: ids };
        const listed: string[] = [];
        for (let after: string | null = null; ; ) {
          const page = await listIntegrations(database.current.db, {}, after, pageSize, visible);
          listed.push(...page.map(({ id }) => id));
          if (page.length < pageSize) break;
          after = listed.at(-1)!;
        }
        const right = few.filter(
          (one) => isNamed(only, one) && !isNamed(except, one) && (ids === null || ids.includes(one.id)),
        );
        expect(listed).toEqual(right.map(({ id }) => id));
      }),
      { numRuns: 60 },
    );
  });

  it('filters as the list of all does', async () => {
    const visible: VisibleIntegrations = {
      kind: 'some',
      only: { ids: [], owners: ['ada', 'bob'], platforms: [] },
      except: { ids: ['int_000000'], owners: [], platforms: [] },
      within: null,
    };
    const listed = await listIntegrations(
      database.current.db,
      { owner: 'ada', platform: 'github' },
      null,
      100,
      visible,
    );
    expect(listed.map(({ id }) => id)).toEqual(
      few
        .filter(({ id, owner, platform }) => owner === 'ada' && platform === 'github' && id !== 'int_000000')
        .map(({ id }) => id),
    );
    expect(await listIntegrations(database.current.db, { owner: 'cyd' }, null, 100, visible)).toEqual([]);
    expect(await listIntegrations(database.current.db, {}, null, 100, { kind: 'none' })).toEqual([]);
    expect(await listIntegrations(database.current.db, {}, null, 100, { kind: 'all' })).toHaveLength(100);
  });

  it('is read along indexes, not from the whole table', async () => {
    const visible: VisibleIntegrations = {
      kind: 'some',
      only: { ids: ['int_000001', 'int_000002'], owners: ['crowd7', 'crowd8'], platforms: ['other9'] },
      except: { ids: ['int_x000007'], owners: [], platforms: ['other3'] },
      within: null,
    };
    const indexes = await indexesUsed(database.current.pool, (db) =>
      listIntegrations(db, {}, 'int_000001', 50, visible),
    );
    expect(indexes).toEqual(expect.arrayContaining(['integrations_by_owner', 'integrations_by_platform']));
    expect(
      await indexesUsed(database.current.pool, (db) =>
        listIntegrations(db, {}, 'int_000001', 50, { ...visible, only: null }),
      ),
    ).toContain('integrations_pkey');
  });
});
