import { errorMessage } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { nextDue, parseFrequency } from './frequency.ts';
import { type DueSchedule, lockDueSchedules, queueDueRuns, readNextDue } from './scheduleQueries.ts';

/** Schedules fired in one transaction. */
const BATCH = 500;
const MAX_WAIT_MS = 1_000;
/** Due times closer than this are fired together. */
const MIN_WAIT_MS = 50;
/** When a stored frequency cannot be read any more. */
const UNREADABLE_RETRY_MS = 3_600_000;

/**
 * Queues the runs that are due, whoever of the replicas comes first; gives how many and how long to wait until
 * the next look. Times missed while no server ran make one run, not many.
 */
export async function fireDueSchedules(database: Database, log: Log): Promise<{ queued: number; waitMs: number }> {
  let queued = 0;
  let fired: number;
  do {
    fired = 0;
    queued += await database.transaction(async (tx) => {
      const due = await lockDueSchedules(tx, BATCH);
      fired = due.length;
      if (fired === 0) return 0;
      return queueDueRuns(
        tx,
        due.map((schedule) => ({
          id: newId('syncRun'),
          schedule,
          nextDueAt: new Date(nextTime(schedule, log)),
        })),
      );
    });
  } while (fired === BATCH);
  const { now, nextDueAt } = await readNextDue(database.db);
  const untilNextMs = nextDueAt === null ? MAX_WAIT_MS : nextDueAt.getTime() - now.getTime();
  return { queued, waitMs: Math.min(Math.max(untilNextMs, MIN_WAIT_MS), MAX_WAIT_MS) };
}

/** The first time after now, by the clock of the database: what was missed is not made up for. */
function nextTime({ integration_id, frequency, timezone, now }: DueSchedule, log: Log): number {
  try {
    const next = nextDue(parseFrequency(frequency, timezone), integration_id, now.getTime());
    if (next !== null) return next;
  } catch (error) {
    log.error('A stored sync frequency cannot be read', {
      integrationId: integration_id,
      frequency,
      timezone,
      reason: errorMessage(error),
    });
  }
  return now.getTime() + UNREADABLE_RETRY_MS;
}
