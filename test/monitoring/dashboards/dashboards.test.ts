import { expect, test } from 'vitest';
import { actAs } from '../../../src/audit/acting.ts';
import { ConflictError, InvalidInputError } from '../../../src/core/errors.ts';
import { METRICS } from '../../../src/monitoring/alerts/metricCatalogue.ts';
import type { DashboardInput } from '../../../src/monitoring/dashboards/dashboardSchema.ts';
import { Dashboards } from '../../../src/monitoring/dashboards/dashboards.ts';
import { READY_DASHBOARDS } from '../../../src/monitoring/dashboards/readyDashboards.ts';
import { DashboardNotFoundError } from '../../../src/monitoring/errors.ts';
import { parseMetricQuery } from '../../../src/monitoring/metrics/metricQuery.ts';
import { useTestDatabase } from '../../support/database.ts';

const database = useTestDatabase();
const events: string[] = [];
const open = () => new Dashboards(database.current, { record: async (_db, { action }) => void events.push(action) });

const panel = {
  id: 'calls',
  title: 'Calls',
  kind: 'chart' as const,
  position: { x: 0, y: 0, width: 6, height: 8 },
  queries: [{ metric: 'calls', aggregation: 'sum' as const }],
};
const dashboard = (fields: Partial<DashboardInput> = {}): DashboardInput => ({
  title: 'Mine',
  definition: { panels: [panel] },
  ...fields,
});
const as = <T>(userId: string, run: () => Promise<T>) => actAs({ actor: { kind: 'user', id: userId } }, run);

async function addUser(id: string, role: string): Promise<void> {
  await database.current.pool.query(
    `insert into users (id, email, name, role) values ($1, $1 || '@example.com', $1, $2)`,
    [id, role],
  );
}

test('four are ready, and every query of theirs can be asked', async () => {
  expect(READY_DASHBOARDS.map(({ title }) => title)).toEqual(['Overview', 'Integrations', 'System', 'Security']);
  for (const { definition } of READY_DASHBOARDS) {
    for (const { legend: _, filter, ...query } of definition.panels.flatMap(({ queries }) => queries)) {
      const chosen = Object.fromEntries(Object.entries(filter).map(([label]) => [label, 'x']));
      expect(parseMetricQuery({ ...query, filter: chosen }, Date.now()).query.metric).toBe(query.metric);
      expect(Object.hasOwn(METRICS, query.metric)).toBe(true);
    }
  }
  await expect(open().delete(null, 'ready-system')).rejects.toThrow(/import it as one of your own/);
});

test('one is saved in versions, and nobody overwrites what they have not seen', async () => {
  const boards = open();
  const made = await as('usr_maker', () => boards.create(dashboard()));
  expect(made).toMatchObject({ version: 1, owner: 'usr_maker', ready: false, definition: { timeRange: '24h' } });
  const saved = await boards.update(null, made.id, dashboard({ title: 'Better' }), 1);
  expect(saved).toMatchObject({ title: 'Better', version: 2 });
  await expect(boards.update(null, made.id, dashboard({ title: 'Late' }), 1)).rejects.toThrow(ConflictError);
  expect(await boards.get(null, made.id)).toMatchObject({ title: 'Better' });
  expect((await boards.versions(null, made.id)).map(({ version, title }) => [version, title])).toEqual([
    [2, 'Better'],
    [1, 'Mine'],
  ]);
  expect(await boards.version(null, made.id, 1)).toMatchObject({ title: 'Mine', version: 1 });
  await boards.delete(null, made.id);
  await expect(boards.get(null, made.id)).rejects.toThrow(DashboardNotFoundError);
  expect(events.splice(0)).toEqual(['dashboard.created', 'dashboard.updated', 'dashboard.deleted']);
});

test('one is shared with roles', async () => {
  await addUser('usr_viewer', 'viewer');
  await addUser('usr_operator', 'operator');
  await addUser('usr_admin', 'admin');
  const boards = open();
  const { id } = await as('usr_maker', () => boards.create(dashboard({ roles: ['operator'] })));
  const sees = async (userId: string) => (await boards.list({ userId })).some((one) => one.id === id);
  expect(await sees('usr_operator')).toBe(true);
  expect(await sees('usr_admin')).toBe(true);
  expect(await sees('usr_maker')).toBe(true);
  expect(await sees('usr_viewer')).toBe(false);
  await expect(boards.get({ userId: 'usr_viewer' }, id)).rejects.toThrow(DashboardNotFoundError);
  await expect(boards.update({ userId: 'usr_viewer' }, id, dashboard(), 1)).rejects.toThrow(DashboardNotFoundError);
});

test('what is exported can be imported', async () => {
  const boards = open();
  const file = await boards.exportFile(null, 'ready-overview');
  const copy = await boards.importFile(JSON.parse(JSON.stringify(file)));
  expect(copy).toMatchObject({ title: 'Overview', ready: false, version: 1 });
  expect(copy.definition).toEqual(file.definition);
  await expect(boards.importFile({ ...file, formatVersion: 2 })).rejects.toThrow(InvalidInputError);
});

test('mistakes are told, all of them', async () => {
  const wrong = dashboard({
    definition: {
      timeRange: 'a day',
      panels: [
        { ...panel, position: { x: 8, y: 0, width: 6, height: 8 } },
        { ...panel, id: 'empty', queries: [] },
      ],
    },
  });
  const problems = await open()
    .create(wrong)
    .then(
      () => [],
      (error: InvalidInputError) => error.problems.map(({ pointer }) => pointer),
    );
  expect(problems).toEqual(expect.arrayContaining(['/definition/timeRange', '/definition/panels/0/position/width']));
  await expect(
    open().create(
      dashboard({
        definition: { panels: [{ ...panel, queries: [{ ...panel.queries[0]!, filter: { platform: '$nobody' } }] }] },
      }),
    ),
  ).rejects.toThrow(/\$nobody/);
});
