import type { AuditTrail } from '../audit/types.ts';
import { systemClock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { startPollLoop } from '../sync/pollLoop.ts';
import type { AccessVersion } from './accessSignal.ts';
import type { Decider } from './decider.ts';
import { scopedDecider } from './scopedDecider.ts';

/** Until decisions are made of roles and grants: owners may do everything, others nothing. */
export function ownersOnly({ db }: Database): Decider {
  const isOwner = async (userId: string) =>
    (await db
      .selectFrom('users')
      .select('id')
      .where('id', '=', userId)
      .where('role', '=', 'owner')
      .where('status', '=', 'active')
      .executeTakeFirst()) !== undefined;
  return scopedDecider({
    decide: async (userId) =>
      (await isOwner(userId))
        ? { allowed: true, reason: 'An owner may do everything.', ruleId: 'role:owner' }
        : { allowed: false, reason: 'Nothing allows it.', ruleId: null },
    visibleFilter: async (userId) => ({ kind: (await isOwner(userId)) ? 'all' : 'none' }),
  });
}

/** Reads the version of access twice a second. */
export async function followVersion({ pool }: Database, log: Log): Promise<AccessVersion & { close(): Promise<void> }> {
  const read = async () =>
    (await pool.query<{ version: number }>('select version from access_version')).rows[0]!.version;
  let version = await read();
  const loop = startPollLoop(async () => {
    try {
      version = await read();
    } catch (error) {
      log.warn('The version of access could not be read', { reason: errorMessage(error) });
    }
    return 500;
  }, systemClock);
  return { version: () => version, close: () => loop.stop() };
}

/** Until there is an audit log. */
export function auditToLog(log: Log): AuditTrail {
  return { record: async (_db, event) => log.info('audit', { ...event }) };
}
