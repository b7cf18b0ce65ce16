import { sql } from 'kysely';
import type { MailSettings } from '../../access/accounts/mailer.ts';
import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { CredentialStore } from '../../credentials/credentialStore.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { Database } from '../../store/database.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { type ActiveAlert, listActiveAlerts } from './activeAlerts.ts';
import { ChannelSender } from './channels/channelSender.ts';
import { ChannelService } from './channels/channelService.ts';
import { InhibitionService } from './inhibitionService.ts';
import { MaintenanceService } from './maintenanceService.ts';
import { type HistoryFilter, listNotifications, type NotificationRecord } from './notificationHistory.ts';
import { Deliveries } from './notifier/deliveries.ts';
import { Notifier } from './notifier/notifier.ts';
import { PolicyService } from './policyService.ts';
import { deleteOldNotifications } from './retention.ts';
import { SilenceService } from './silenceService.ts';

const RETENTION_JOB = 'notifications.retention';

/** Whether alerts reach somebody. */
export interface NotificationStatus {
  readonly activeAlerts: number;
  readonly channels: number;
  /** Names of those that notifications do not arrive at. */
  readonly failingChannels: readonly string[];
  readonly pendingNotifications: number;
  /** Rules that cannot be evaluated now: what they watch for would go unnoticed. */
  readonly failingRules: number;
  /** What somebody should do about it; null when all is well. */
  readonly warning: string | null;
}

export interface NotificationOptions {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly jobs: Jobs;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  readonly publicUrl: string;
  readonly allowedPrivateHosts: readonly string[];
  readonly mail: MailSettings | null;
  /** Between 0 and 1, for the waits between attempts. */
  readonly random?: () => number;
}

/** Who is told of alerts, and whether it arrived. */
export class NotificationService {
  readonly channels: ChannelService;
  readonly policies: PolicyService;
  readonly silences: SilenceService;
  readonly maintenance: MaintenanceService;
  readonly inhibitions: InhibitionService;
  readonly acknowledgements: Acknowledgements;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #sender: ChannelSender;
  readonly #notifier: Notifier;

  constructor(options: NotificationOptions) {
    const { database, jobs, clock, publicUrl } = options;
    this.#database = database;
    this.#clock = clock;
    this.#sender = new ChannelSender(options);
    this.channels = new ChannelService({ ...options, sender: this.#sender });
    this.policies = new PolicyService(options);
    this.silences = new SilenceService(options);
    this.maintenance = new MaintenanceService(options);
    this.inhibitions = new InhibitionService(options);
    const deliveries = new Deliveries({ ...options, channels: this.channels, sender: this.#sender });
    this.#notifier = new Notifier({ ...options, deliveries });
    this.acknowledgements = new Acknowledgements({ ...options, publicUrl, wake: () => this.#notifier.wake() });
    jobs.define(RETENTION_JOB, (_payload, signal) => deleteOldNotifications(database, new Date(clock.now()), signal), {
      cron: '43 * * * *',
    });
  }

  /** Looks for changes of alerts now; they would be found by themselves within seconds. */
  wake(): void {
    this.#notifier.wake();
  }

  /** Begins to take part in telling of alerts; several replicas share the work. */
  start(): void {
    this.#notifier.start();
  }

  /** Ends what is being sent; it is sent again by whoever starts next. */
  async close(): Promise<void> {
    await this.#sender.close();
    await this.#notifier.close();
  }

  /** One round of taking changes in and looking at groups, for programs that do without `start`. */
  async runOnce(): Promise<void> {
    await this.#notifier.runOnce();
  }

  /** Alerts that are active now, in the order of their keys, with what keeps them from being told of. */
  async listActive(options: { limit: number; after?: string; visible?: VisibleIntegrations }): Promise<ActiveAlert[]> {
    return await listActiveAlerts(this.#database.db, { ...options, nowMs: this.#clock.now() });
  }

  /** Newest first; `before` is the last id of the page before. */
  async listNotifications(options: HistoryFilter & { limit: number; before?: string }): Promise<NotificationRecord[]> {
    return await listNotifications(this.#database.db, options);
  }

  async status(): Promise<NotificationStatus> {
    const { rows } = await sql<{ alerts: number; pending: number; rules: number }>`
      select (select count(*) from notified_alerts where ends_at is null) as alerts,
             (select count(*) from alert_rule_failures f join alert_rules r on r.id = f.rule_id
              where r.enabled and r.deleted_at is null) as rules,
             (select count(*) from notifications where status = 'pending') as pending`.execute(this.#database.db);
    const channels = (await this.channels.list()).filter((channel) => channel.active);
    const failingChannels = channels.filter((channel) => channel.failingSince !== null).map((channel) => channel.name);
    return {
      activeAlerts: rows[0]!.alerts,
      channels: channels.length,
      failingChannels,
      pendingNotifications: rows[0]!.pending,
      failingRules: rows[0]!.rules,
      warning: warningOf(channels.length, failingChannels, rows[0]!.rules),
    };
  }
}

function warningOf(channels: number, failing: readonly string[], rules: number): string | null {
  if (channels === 0)
    return 'Nobody is told of alerts: there is no notification channel. Add one with POST /api/v1/alerts/channels.';
  if (failing.length > 0) return `Notifications do not arrive at: ${failing.join(', ')}.`;
  if (rules > 0) return `${rules} alert rules cannot be evaluated; GET /api/v1/alerts/rules says why ("failure").`;
  return null;
}
