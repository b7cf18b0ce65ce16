import type { Kysely } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { medianOf } from '../trend.ts';
import { countAttempts, type EndedRun, readEndedRuns } from './periodQueries.ts';
import type { PeriodMeasures } from './types.ts';

/** Runs that brought between half and twice as many records as usual are compared. */
const MOST_DIFFERENT = 2;

/** What makes runs comparable with each other: taken from the period before, and the same for both. */
export interface Comparable {
  /** What was asked for, as most runs did. */
  readonly kind: string;
  readonly medianRecords: number;
}

/** Null when no run succeeded. */
export function comparableOf(runs: readonly EndedRun[]): Comparable | null {
  const succeeded = runs.filter((run) => run.status === 'succeeded');
  const kinds = Map.groupBy(succeeded, (run) => run.kind);
  const [most] = [...kinds.entries()].toSorted(([, a], [, b]) => b.length - a.length);
  return most === undefined ? null : { kind: most[0], medianRecords: medianOf(most[1].map((run) => run.records)) };
}

export function isComparable(run: EndedRun, { kind, medianRecords }: Comparable): boolean {
  return (
    run.status === 'succeeded' &&
    !run.taken_over &&
    run.kind === kind &&
    run.seconds > 0 &&
    run.records > 0 &&
    run.records >= medianRecords / MOST_DIFFERENT &&
    run.records <= medianRecords * MOST_DIFFERENT
  );
}

/** What runs and attempts of a period came to. */
export async function measurePeriod(
  db: Kysely<Schema>,
  integrationId: string,
  { from, until }: { readonly from: Date; readonly until: Date },
  comparable: Comparable | null,
  given?: readonly EndedRun[],
): Promise<PeriodMeasures> {
  const runs = given ?? (await readEndedRuns(db, integrationId, from, until));
  const throughputs =
    comparable === null
      ? []
      : runs.filter((run) => isComparable(run, comparable)).map((run) => run.records / run.seconds);
  const { calls, failed } = await countAttempts(db, integrationId, from, until);
  const failedRuns = runs.filter((run) => run.status === 'failed').length;
  return {
    from: from.toISOString(),
    until: until.toISOString(),
    throughputs,
    recordsPerSecond: throughputs.length === 0 ? null : medianOf(throughputs),
    succeededRuns: runs.length - failedRuns,
    failedRuns,
    calls,
    failedCalls: failed,
  };
}
