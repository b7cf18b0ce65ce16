import { sql } from 'kysely';
import { afterEach } from 'vitest';
import type { Log } from '../../../../src/core/log.ts';
import { silentLog } from '../../../../src/core/log.ts';
import { CredentialStore } from '../../../../src/credentials/credentialStore.ts';
import { InstallationKeys } from '../../../../src/credentials/installationKeys.ts';
import { createJobs } from '../../../../src/jobs/jobs.ts';
import type { AlertState } from '../../../../src/monitoring/alerts/types.ts';
import {
  type NotificationOptions,
  NotificationService,
} from '../../../../src/monitoring/notifications/notificationService.ts';
import type { Database } from '../../../../src/store/database.ts';
import { ManualClock } from '../../../rateLimits/manualClock.ts';
import { unheardAudit } from '../../../support/audit.ts';
import type { TestDatabase } from '../../../support/database.ts';

export interface Notifications {
  readonly service: NotificationService;
  readonly clock: ManualClock;
}

/** The notifier on a test's database, with a clock that stands still; what it leaves is removed after each test. */
export function useNotifications(database: TestDatabase) {
  const opened: NotificationService[] = [];
  // Deriving them takes a while, on purpose.
  let keys: InstallationKeys | undefined;
  afterEach(async () => {
    for (const service of opened.splice(0)) await service.close();
    await clean(database.current);
  });
  return async (options: Partial<NotificationOptions> = {}, log: Log = silentLog): Promise<Notifications> => {
    const { current } = database;
    const clock = new ManualClock();
    keys ??= await InstallationKeys.open(current, 'a-secret-for-tests-only-0123456789abcdef');
    const service = new NotificationService({
      database: current,
      credentials: new CredentialStore(current, keys),
      jobs: createJobs(current, () => {}),
      audit: unheardAudit,
      clock,
      log,
      publicUrl: 'https://integrations.example.com',
      allowedPrivateHosts: ['127.0.0.1'],
      mail: null,
      random: () => 1,
      ...options,
    });
    opened.push(service);
    return { service, clock };
  };
}

/** What tests write, the dependents first. */
const TABLES = [
  'notification_attempts',
  'notifications',
  'alert_group_log',
  'alert_group_members',
  'alert_acknowledgements',
  'notified_alerts',
  'alert_groups',
  'alert_changes',
  'silences',
  'maintenance_windows',
  'notification_policies',
  'notification_channels',
  'integrations',
  'alert_rules',
];
const DEFAULT_INHIBITIONS = [
  'inh_refused_credentials',
  'inh_many_errors',
  'inh_integration',
  'inh_platform',
  'inh_platform_aftermath',
];

async function clean({ db }: Database): Promise<void> {
  for (const table of TABLES) await sql`delete from ${sql.table(table)}`.execute(db);
  await sql`delete from inhibition_rules where id not in (${sql.join(DEFAULT_INHIBITIONS)})`.execute(db);
  await sql`
    insert into notification_policies
      (id, name, position, is_default, matchers, group_by, group_wait_ms, group_interval_ms, repeat_interval_ms)
    values ('apo_default', 'Default', 2147483647, true, '[]', '{alertname,integrationId}', 30000, 300000, 14400000)`.execute(
    db,
  );
  await sql`update alert_counters set value = 0`.execute(db);
  await sql`update notification_intake set seq = 0`.execute(db);
}

export async function insertIntegration({ db }: Database, id: string, name: string, platform: string): Promise<void> {
  await sql`
    insert into integrations (id, owner, name, type, platform, status, configuration)
    values (${id}, 'o', ${name}, 't', ${platform}, 'connected', '{}')`.execute(db);
}

export interface Change {
  readonly alert: string;
  readonly to: AlertState;
  readonly from?: AlertState;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly notify?: { policyId: string | null; channelIds: string[] };
  readonly severity?: string;
  readonly value?: number | null;
  /** Of a rule that is stored; default: one of the alert's name, which is not. */
  readonly ruleId?: string;
  readonly reason?: 'value' | 'error' | 'no_data';
  readonly samples?: number;
  /** Of the query. */
  readonly error?: string;
  readonly atMs: number;
}

/** As the rule engine writes a transition. The alert `a` is the one of the rule `rule_a`. */
export async function writeChange({ db }: Database, change: Change): Promise<void> {
  const { alert, to, from = to === 'normal' ? 'firing' : 'normal' } = change;
  await sql`
    with next as (update alert_counters set value = value + 1 where name = 'changes' returning value)
    insert into alert_changes (seq, rule_id, fingerprint, rule_name, kind, severity, from_state, to_state, reason,
      labels, annotations, notify, integration_id, value, evidence, at)
    select value, ${change.ruleId ?? `rule_${alert}`}, '0000000000000001', ${alert}, 'system', ${change.severity ?? 'error'},
      ${from}, ${to}, ${change.reason ?? 'value'}, ${JSON.stringify(change.labels ?? {})}::jsonb,
      ${JSON.stringify(change.annotations ?? {})}::jsonb,
      ${JSON.stringify(change.notify ?? { policyId: null, channelIds: [] })}::jsonb,
      null, ${change.value === undefined ? 1 : change.value}, ${JSON.stringify({ samples: change.samples ?? 1, error: change.error })}::jsonb, ${new Date(change.atMs)}
    from next`.execute(db);
}

/** Lets time pass up to a moment, working whenever a group or a delivery is due. */
export async function passTime({ db }: Database, { service, clock }: Notifications, untilMs: number): Promise<void> {
  for (;;) {
    await service.runOnce();
    const { rows } = await sql<{ due: Date | null }>`
      select min(due_at) as due from (
        select due_at from alert_groups union all select due_at from notifications where status = 'pending'
      ) t where due_at > ${new Date(clock.now())}`.execute(db);
    const dueMs = rows[0]?.due?.getTime() ?? Number.POSITIVE_INFINITY;
    if (dueMs > untilMs) break;
    await clock.advance(dueMs - clock.now());
  }
  await clock.advance(untilMs - clock.now());
  await service.runOnce();
}
