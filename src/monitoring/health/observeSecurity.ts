import type { Database } from '../../store/database.ts';
import type { HealthObservation } from './healthProbe.ts';
import { query } from './query.ts';

const UNSIGNED_WARN_S = 300;
const LOGINS_WARN = 50;
const KEY_WARN_DAYS = 365;

/** Whether the log verifies, and whether events reach the tree and are signed: what is not yet cannot be proved. */
export async function observeAuditLog(database: Database): Promise<HealthObservation> {
  const { rows } = await query<{ lag_s: number | null; finding: { kind: string; seq: number } | null }>(
    database,
    `select (select extract(epoch from now() - unsigned_since)::float8 from audit_tree) as lag_s,
            (select finding from audit_checks where finding is not null limit 1) as finding`,
  );
  const { lag_s, finding } = rows[0]!;
  const lag = Math.max(0, Math.round(lag_s ?? 0));
  const observed = { observedValue: lag, observedUnit: 's', threshold: UNSIGNED_WARN_S };
  if (finding !== null) {
    const output = `The log was changed (${finding.kind} at entry ${finding.seq}). "audit verify" says more.`;
    return { status: 'fail', ...observed, output };
  }
  if (lag < UNSIGNED_WARN_S) return { status: 'pass', ...observed };
  return { status: 'warn', ...observed, output: 'Entries of the audit log wait for their signature: no worker signs.' };
}

export async function observeFailedLogins(database: Database): Promise<HealthObservation> {
  const { rows } = await query<{ failed: number }>(
    database,
    `select count(*)::int as failed from audit_entries
     where action = 'login.failed' and occurred_at > now() - interval '15 minutes'`,
  );
  const { failed } = rows[0]!;
  const observed = { observedValue: failed, observedUnit: 'in 15 minutes', threshold: LOGINS_WARN };
  if (failed < LOGINS_WARN) return { status: 'pass', ...observed };
  return { status: 'warn', ...observed, output: 'Somebody tries passwords. The audit log has the addresses.' };
}

/** The age of the installation's key, and credentials that a rotation left under an old one. */
export async function observeKeys(database: Database): Promise<HealthObservation> {
  const { rows } = await query<{ days: number | null; old: number }>(
    database,
    `select extract(day from now() - (select created_at from installation_keys where status = 'active'))::int as days,
            (select count(*)::int from credentials c join installation_keys k on k.id = c.key_id
             where k.status = 'retiring') as old`,
  );
  const { days, old } = rows[0]!;
  const observed = { observedValue: days ?? 0, observedUnit: 'days', threshold: KEY_WARN_DAYS };
  if (old > 0) {
    const output = `${old} credentials are still under a key that is being retired; "credentials rotate" goes on with it.`;
    return { status: 'warn', ...observed, output };
  }
  if ((days ?? 0) < KEY_WARN_DAYS) return { status: 'pass', ...observed };
  return { status: 'warn', ...observed, output: 'The key is older than a year. Run "credentials rotate".' };
}
