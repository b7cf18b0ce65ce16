import type { Kysely, Transaction } from 'kysely';
import { expect } from 'vitest';
import { BreakGlassService } from '../../../../src/access/breakGlass/breakGlassService.ts';
import { AccessChanges } from '../../../../src/access/decisions/accessChanges.ts';
import { AccessControl } from '../../../../src/access/decisions/accessControl.ts';
import { AccessMap } from '../../../../src/access/decisions/accessMap.ts';
import type { Actor } from '../../../../src/access/decisions/actor.ts';
import { GrantService } from '../../../../src/access/grants/grantService.ts';
import { RoleService } from '../../../../src/access/roles/roleService.ts';
import { UserRoles } from '../../../../src/access/roles/userRoles.ts';
import type { AuditEvent, AuditTrail } from '../../../../src/audit/types.ts';
import { type Clock, systemClock } from '../../../../src/core/clock.ts';
import { newId } from '../../../../src/core/ids.ts';
import { silentLog } from '../../../../src/core/log.ts';
import type { Database } from '../../../../src/store/database.ts';
import type { Schema } from '../../../../src/store/schema.ts';

/** Writes into a table, so that an event is there if and only if its transaction committed. */
class TableAudit implements AuditTrail {
  async record(db: Kysely<Schema> | Transaction<Schema>, event: AuditEvent): Promise<void> {
    if (event.outcome === 'success') expect(db.isTransaction, `${event.action} outside of its transaction`).toBe(true);
    await (db as unknown as Kysely<AuditSchema>)
      .insertInto('recorded_events')
      .values({ event: JSON.stringify(event) })
      .execute();
  }
}

interface AuditSchema {
  recorded_events: { event: string };
}

/** The parts of access on a test's database, with a clock that can be put forward. */
export interface TestAccess {
  readonly map: AccessMap;
  readonly accessControl: AccessControl;
  readonly roles: RoleService;
  readonly grants: GrantService;
  readonly breakGlass: BreakGlassService;
  readonly userRoles: UserRoles;
  /** Events so far, and forgets them. */
  events(): Promise<AuditEvent[]>;
  /** Puts the wall clock forward. */
  pass(ms: number): void;
  close(): Promise<void>;
}

export async function openTestAccess(database: Database): Promise<TestAccess> {
  await database.pool.query('create table if not exists recorded_events (id bigserial, event jsonb not null)');
  let passedMs = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() + passedMs };
  const map = await AccessMap.open({ pool: database.pool, log: silentLog, clock });
  const changes = new AccessChanges({ database, map, audit: new TableAudit(), clock });
  return {
    map,
    accessControl: new AccessControl(map, database, clock),
    roles: new RoleService(database, changes),
    grants: new GrantService(database, changes),
    breakGlass: new BreakGlassService(database, changes, clock),
    userRoles: new UserRoles(database, changes),
    async events() {
      const { rows } = await database.pool.query(
        'with gone as (delete from recorded_events returning *) select event from gone order by id',
      );
      return rows.map(({ event }) => event);
    },
    pass(ms) {
      passedMs += ms;
    },
    close: () => map.close(),
  };
}

/** A user in the database, unknown to a map until it looks. */
export async function addUser({ pool }: Database, role: string): Promise<string> {
  const id = newId('user');
  await pool.query('insert into users (id, email, name, role) values ($1, $2, $3, $4)', [
    id,
    `${id}@example.com`,
    role,
    role,
  ]);
  return id;
}

export async function addIntegration({ pool }: Database, owner: string, platform = 'github'): Promise<string> {
  const id = newId('integration');
  await pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     values ($1, $2, 'n', 't', $3, 'connected', '{}')`,
    [id, owner, platform],
  );
  return id;
}

export function as(userId: string): Actor {
  return { principal: { kind: 'user', userId, sessionId: 'ses_1' }, origin: { requestId: 'req_12345678' } };
}

export const INSTALLATION: Actor = { principal: { kind: 'installation', name: 'command line' } };
