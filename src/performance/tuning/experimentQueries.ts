import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { Judgement } from './judge.ts';
import type { Comparable } from './measurePeriod.ts';
import type { Experiment, ExperimentStatus, Knob, PeriodMeasures, SettingValue, TuningChange } from './types.ts';

/** An experiment with what runs are compared by. */
export interface StoredExperiment {
  readonly experiment: Experiment;
  readonly comparable: Comparable | null;
}

interface Row {
  readonly id: string;
  readonly integration_id: string;
  readonly status: ExperimentStatus;
  readonly knob: TuningChange['knob'];
  readonly from_value: number | null;
  readonly to_value: number;
  readonly goal: TuningChange['goal'];
  readonly reason: string;
  readonly evidence: TuningChange['evidence'];
  readonly before: { readonly measures: PeriodMeasures; readonly comparable: Comparable | null };
  readonly after: PeriodMeasures | null;
  readonly performance_gain: number | null;
  readonly confidence: number | null;
  readonly verdict: string | null;
  readonly started_at: Date;
  readonly decide_by: Date;
  readonly finished_at: Date | null;
}

export interface NewExperiment {
  readonly id: string;
  readonly integrationId: string;
  readonly change: TuningChange;
  readonly before: PeriodMeasures;
  readonly comparable: Comparable | null;
  readonly lastsMs: number;
}

/** Begins at the time of the database, as its runs do. */
export async function insertExperiment(tx: Transaction<Schema>, given: NewExperiment): Promise<Experiment> {
  const { id, integrationId, change, before, comparable, lastsMs } = given;
  const { rows } = await sql<Row>`
    insert into tuning_experiments
      (id, integration_id, status, knob, from_value, to_value, goal, reason, evidence, before, started_at, decide_by)
    values (
      ${id}, ${integrationId}, 'running', ${change.knob}, ${change.from === null ? null : Number(change.from)}, ${Number(change.to)}, ${change.goal},
      ${change.reason}, ${JSON.stringify(change.evidence)}::jsonb,
      ${JSON.stringify({ measures: before, comparable })}::jsonb,
      clock_timestamp(), clock_timestamp() + make_interval(secs => ${lastsMs / 1000})
    )
    returning *`.execute(tx);
  return stored(rows[0]!).experiment;
}

export async function findRunning(db: Kysely<Schema>, integrationId: string): Promise<StoredExperiment | null> {
  const { rows } = await sql<Row>`
    select * from tuning_experiments where integration_id = ${integrationId} and status = 'running'`.execute(db);
  return rows[0] === undefined ? null : stored(rows[0]);
}

export async function findExperiment(
  db: Kysely<Schema>,
  integrationId: string,
  id: string,
): Promise<Experiment | null> {
  const { rows } = await sql<Row>`
    select * from tuning_experiments where integration_id = ${integrationId} and id = ${id}`.execute(db);
  return rows[0] === undefined ? null : stored(rows[0]).experiment;
}

/** Integrations with an experiment, those first whose time is up first. */
export async function listRunning(db: Kysely<Schema>, limit: number): Promise<string[]> {
  const { rows } = await sql<{ integration_id: string }>`
    select integration_id from tuning_experiments where status = 'running' order by decide_by limit ${limit}`.execute(
    db,
  );
  return rows.map((row) => row.integration_id);
}

/** Newest first; `before` is the last id of the page before. */
export async function listExperiments(
  db: Kysely<Schema>,
  integrationId: string,
  { limit, before }: { readonly limit: number; readonly before?: string },
): Promise<Experiment[]> {
  const { rows } = await sql<Row>`
    select * from tuning_experiments
    where integration_id = ${integrationId} ${before === undefined ? sql`` : sql`and id < ${before}`}
    order by id desc limit ${limit}`.execute(db);
  return rows.map((row) => stored(row).experiment);
}

/** What was tried since then and not kept. */
export async function listTried(
  db: Kysely<Schema>,
  integrationId: string,
  since: Date,
): Promise<Pick<TuningChange, 'knob' | 'to'>[]> {
  const { rows } = await sql<Pick<Row, 'knob' | 'to_value'>>`
    select distinct knob, to_value from tuning_experiments
    where integration_id = ${integrationId} and status not in ('running', 'kept') and finished_at >= ${since}`.execute(
    db,
  );
  return rows.map(({ knob, to_value }) => ({ knob, to: settingOf(knob, to_value) }));
}

type Ending = Omit<Exclude<Judgement, { status: 'running' }>, 'status'> & { readonly status: ExperimentStatus };

/** Ends an experiment that still has one of these states; null when somebody else ended it. */
export async function endExperiment(
  tx: Transaction<Schema>,
  id: string,
  from: readonly ExperimentStatus[],
  { status, verdict, performanceGain, confidence }: Ending,
  after: PeriodMeasures | null,
): Promise<Experiment | null> {
  const { rows } = await sql<Row>`
    update tuning_experiments
    set status = ${status}, verdict = ${verdict}, performance_gain = ${performanceGain}, confidence = ${confidence},
        after = coalesce(${after && JSON.stringify(after)}::jsonb, after), finished_at = now()
    where id = ${id} and status = any(${from}::text[])
    returning *`.execute(tx);
  return rows[0] === undefined ? null : stored(rows[0]).experiment;
}

/** The table has numbers; of a switch 0 and 1. */
function settingOf(knob: Knob, stored: number): SettingValue {
  return knob === 'cacheValidators' ? stored === 1 : stored;
}

function stored(row: Row): StoredExperiment {
  const experiment: Experiment = {
    id: row.id,
    integrationId: row.integration_id,
    status: row.status,
    change: {
      knob: row.knob,
      from: row.from_value === null ? null : settingOf(row.knob, row.from_value),
      to: settingOf(row.knob, row.to_value),
      goal: row.goal,
      reason: row.reason,
      evidence: row.evidence,
    },
    before: row.before.measures,
    after: row.after,
    performanceGain: row.performance_gain,
    confidence: row.confidence,
    verdict: row.verdict,
    startedAt: row.started_at.toISOString(),
    decideBy: row.decide_by.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
  return { experiment, comparable: row.before.comparable };
}
