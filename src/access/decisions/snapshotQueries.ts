import type pg from 'pg';
import { translateError } from '../../store/pool.ts';
import type { RolePermission } from '../roles/builtInRoles.ts';
import { type Scope, toScope } from './scope.ts';
import type { AccessSnapshot, SnapshotUser } from './snapshot.ts';

/** A server that takes longer is as good as lost: decisions cannot wait for it. */
const VERSION_TIMEOUT_MS = 2_000;
const SNAPSHOT_TIMEOUT_MS = 5_000;

export interface AccessVersion {
  readonly version: number;
  readonly rulesVersion: number;
}

const VERSION_SQL = `select version, rules_version as "rulesVersion" from access_version where id`;

// One statement sees one moment, and needs no transaction of its own. Rules that ended long before this process's
// clock says so are left where they are.
const SNAPSHOT_SQL = `
  select version, rules_version as "rulesVersion",
    (select coalesce(json_agg(json_build_array(id, role, status)), '[]') from users) as users,
    (select coalesce(json_agg(json_build_array(name, permissions)), '[]') from roles) as roles,
    (select coalesce(json_agg(json_build_array(id, user_id, permissions, scope_kind, scope_value, reason,
        extract(epoch from expires_at) * 1000, effect)), '[]')
      from grants where expires_at is null or expires_at > $1) as grants,
    (select coalesce(json_agg(json_build_array(id, user_id, permissions, scope_kind, scope_value, reason,
        extract(epoch from expires_at) * 1000)), '[]')
      from break_glass where ended_at is null and expires_at > $1) as "breakGlass"
  from access_version where id`;

type RuleRow = [string, string, string[], Scope['kind'], string | null, string, number | null];

interface SnapshotRow extends AccessVersion {
  readonly users: [string, string, SnapshotUser['status']][];
  readonly roles: [string, RolePermission[]][];
  readonly grants: [...RuleRow, 'allow' | 'deny'][];
  readonly breakGlass: RuleRow[];
}

/** @throws UnavailableError also when the answer takes too long */
export function readAccessVersion(pool: pg.Pool): Promise<AccessVersion> {
  return queryOne<AccessVersion>(pool, VERSION_SQL, [], VERSION_TIMEOUT_MS);
}

/**
 * Users, roles and the rules that had not ended at `after`.
 * @throws UnavailableError also when the answer takes too long
 */
export async function readSnapshot(pool: pg.Pool, after: Date): Promise<AccessSnapshot> {
  const row = await queryOne<SnapshotRow>(pool, SNAPSHOT_SQL, [after], SNAPSHOT_TIMEOUT_MS);
  return {
    version: row.version,
    rulesVersion: row.rulesVersion,
    users: row.users.map(([id, role, status]) => ({ id, role, status })),
    roles: row.roles.map(([name, permissions]) => ({ name, permissions })),
    grants: row.grants.map((grant) => ({ ...toRule(grant), effect: grant[7] })),
    breakGlass: row.breakGlass.map(toRule),
  };
}

function toRule([id, userId, permissions, kind, value, reason, expiresAtMs]: RuleRow | [...RuleRow, string]) {
  return { id, userId, permissions, scope: toScope(kind, value), reason, expiresAtMs };
}

async function queryOne<T extends object>(
  pool: pg.Pool,
  text: string,
  values: unknown[],
  timeoutMs: number,
): Promise<T> {
  const query = { text, values, query_timeout: timeoutMs };
  const { rows } = await pool.query<T>(query).catch((error: unknown) => {
    throw translateError(error);
  });
  return rows[0]!;
}
