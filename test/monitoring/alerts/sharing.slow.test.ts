import { expect, test } from 'vitest';
import { openTestApp } from '../../support/app.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startProgram } from '../../support/processes.ts';
import { errorRateRule } from './support/rules.ts';

const database = useTestDatabase();
const RULES = 40;

/** How often shards have been claimed, of those that are owned now. */
async function claims(): Promise<Record<string, number>> {
  const { rows } = await database.current.pool.query(
    'select lease_token as token, count(*)::int as shards from alert_shards where lease_until > now() group by 1 order by 1',
  );
  return Object.fromEntries(rows.map(({ token, shards }) => [token, shards]));
}

async function record(outcome: string, calls: number): Promise<void> {
  await database.current.pool.query(
    `insert into metric_minutes (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
     values (date_trunc('minute', now()), 'int_a', 'sync', $1, 'test', $2, 10, 0, '')`,
    [outcome, calls],
  );
}

async function changes(): Promise<string[]> {
  const { rows } = await database.current.pool.query(
    `select from_state || '>' || to_state as change, count(*)::int as times, count(distinct rule_id)::int as rules
     from alert_changes where rule_name = 'Of the test' group by 1 order by 1`,
  );
  return rows.map(({ change, times, rules }) => `${change} ${times} of ${rules}`);
}

test('a replica that joins gets its share of the rules, and what a killed one had goes to the others', async () => {
  const { pool } = database.current;
  await pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     values ('int_a', 'o', 'n', 't', 'p', 'connected', '{}')`,
  );
  const first = await openTestApp(database.url);
  for (let count = 0; count < RULES; count++)
    await first.alerts.rules.create(errorRateRule({ name: 'Of the test', windowMs: 3_600_000 }));
  await eventually('the first to own all', async () => (await claims())['1'] === 16);

  const second = startProgram('monitoring/alerts/fixtures/runApp.ts', [database.url]);
  await second.line('open');
  await eventually('each to own half', async () => {
    const owned = await claims();
    return owned['1'] === 8 && owned['2'] === 8;
  });
  await record('timeout', 10);
  await eventually('both to have told', async () => (await changes())[0] === `normal>firing ${RULES} of ${RULES}`);

  await second.kill();
  await eventually('the first to own all again', async () => {
    const owned = await claims();
    return owned['1'] === 8 && owned['3'] === 8;
  });
  await record('success', 1_000);
  await eventually('all to be over', async () => (await changes()).length === 2);
  await eventually('all to be over', async () => (await changes())[0] === `firing>normal ${RULES} of ${RULES}`);
  expect(await changes()).toEqual([`firing>normal ${RULES} of ${RULES}`, `normal>firing ${RULES} of ${RULES}`]);

  // One that is closed leaves at once, and says so.
  const third = await openTestApp(database.url);
  await eventually('the third to own half', async () => (await claims())['4'] === 8);
  await third.close();
  await first.close();
  const { rows } = await pool.query('select 1 from alert_shards where lease_until is not null');
  expect(rows).toEqual([]);
  const { rows: replicas } = await pool.query('select 1 from alert_replicas where lease_until > now()');
  expect(replicas).toEqual([]);
});
