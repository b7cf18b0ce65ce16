import type { AlertReason } from '../alerts/types.ts';
import { type Measure, measuredText } from './measured.ts';
import type { GroupAlert, Labels, Notice, NoticeReason } from './types.ts';

/** Of one notification. More than these are counted and not listed. */
const MAX_LISTED_ALERTS = 50;
const MAX_TEXT_CHARS = 500;
const MAX_NAME_CHARS = 80;
const MAX_LABELS = 30;
const MAX_LABEL_CHARS = 200;

/** One alert as channels tell of it. */
export interface MessageAlert {
  readonly status: 'firing' | 'resolved';
  readonly ruleId: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly severity: string;
  readonly labels: Labels;
  /** What it is about; null where it is about no integration, or one that is gone. */
  readonly integration: NamedIntegration | null;
  /** What is wrong, in a sentence: what was measured where the rule has none. */
  readonly summary: string;
  /** What was measured against what, with units; empty when no rule says. */
  readonly measured: string;
  /** Why it fires or ended: `no_data` says that nothing was measured any more, and so not that it has recovered. */
  readonly cause: AlertReason;
  readonly value: number | null;
  /** What the value is compared with, such as `> 5000`; empty when the rule is gone. */
  readonly condition: string;
  /** ISO 8601. */
  readonly startsAt: string;
  readonly endsAt: string | null;
  readonly link: string;
  readonly runbook: string | null;
}

export interface NamedIntegration {
  readonly id: string;
  readonly name: string;
  readonly platform: string;
}

/** What one notification says, kept with it so that every attempt says the same. */
export interface NotificationMessage {
  readonly status: 'firing' | 'resolved';
  readonly reason: NoticeReason | 'test';
  /** Names the group; the same from the first notification to the resolution. */
  readonly groupId: string;
  readonly groupLabels: Labels;
  readonly policy: string;
  readonly firingCount: number;
  readonly resolvedCount: number;
  /** What fires first, the worst first; at most 50. */
  readonly alerts: readonly MessageAlert[];
  readonly link: string;
  /** Who acknowledged, where that is what is told. */
  readonly acknowledgedBy: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** An alert with what is known of it beside its labels. */
export interface AlertFacts {
  readonly ruleId: string;
  /** Within the rule. */
  readonly fingerprint: string;
  readonly condition: string;
  readonly reason: AlertReason;
  readonly measure: Measure | null;
}

const SEVERITY_ORDER = ['critical', 'error', 'warning', 'info'];

export function makeMessage(
  notice: Pick<Notice, 'reason' | 'firing' | 'resolved'>,
  group: { id: string; labels: Labels; policy: string; acknowledgedBy?: string },
  factsOf: (alertKey: string) => AlertFacts,
  options: { publicUrl: string; atMs: number; integrations: ReadonlyMap<string, NamedIntegration> },
): NotificationMessage {
  const alerts = listedAlerts(notice).map((alert): MessageAlert => {
    const { ruleId, fingerprint, condition, reason, measure } = factsOf(alert.fingerprint);
    const { annotations, labels } = alert;
    const integration = options.integrations.get(labels.integrationId ?? '') ?? null;
    const measured = measure === null ? '' : measuredText(measure, alert.value);
    const summary = annotations.summary ?? annotations.description ?? annotations.message ?? '';
    return {
      status: alert.endsAtMs === null ? 'firing' : 'resolved',
      ruleId,
      fingerprint,
      name: cut(labels.alertname ?? ruleId, MAX_LABEL_CHARS),
      severity: cut(labels.severity ?? 'warning', 20),
      labels: boundLabels(labels),
      integration,
      summary: cut(summary.trim() === '' ? measured : withName(summary, integration), MAX_TEXT_CHARS),
      measured,
      cause: reason,
      value: alert.value,
      condition: cut(condition, MAX_LABEL_CHARS),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: alert.endsAtMs === null ? null : new Date(alert.endsAtMs).toISOString(),
      link: `${options.publicUrl}/alerts/${encodeURIComponent(ruleId)}/${encodeURIComponent(fingerprint)}`,
      runbook: webAddress(annotations.runbook ?? annotations.runbook_url),
    };
  });
  return {
    status: notice.firing.length > 0 ? 'firing' : 'resolved',
    reason: notice.reason,
    groupId: group.id,
    groupLabels: boundLabels(group.labels),
    policy: group.policy,
    firingCount: notice.firing.length,
    resolvedCount: notice.resolved.length,
    alerts,
    link: alerts.length === 1 ? alerts[0]!.link : `${options.publicUrl}/alerts`,
    acknowledgedBy: group.acknowledgedBy ?? null,
    at: new Date(options.atMs).toISOString(),
  };
}

/** Those of a notice that a message lists: what fires first, the worst first. */
export function listedAlerts({ firing, resolved }: Pick<Notice, 'firing' | 'resolved'>): GroupAlert[] {
  return [...firing, ...resolved]
    .sort((a, b) => rank(a) - rank(b) || a.startsAtMs - b.startsAtMs)
    .slice(0, MAX_LISTED_ALERTS);
}

/** What people call an integration: `Flaky shop (http)`. */
export function integrationName({ name, platform }: NamedIntegration): string {
  return `${cut(name.replace(/\s+/g, ' '), MAX_NAME_CHARS)} (${platform})`;
}

/** Texts of rules name integrations by their ids, which is all that labels have. */
function withName(text: string, integration: NamedIntegration | null): string {
  return integration === null ? text : text.replaceAll(integration.id, () => integrationName(integration));
}

/** What "send test" says. */
export function testMessage(channel: string, publicUrl: string, atMs: number): NotificationMessage {
  const at = new Date(atMs).toISOString();
  const link = `${publicUrl}/alerts`;
  const alert: MessageAlert = {
    status: 'firing',
    ruleId: 'test',
    fingerprint: 'test',
    name: 'Test notification',
    severity: 'info',
    labels: { alertname: 'Test notification', channel: cut(channel, MAX_LABEL_CHARS) },
    summary: `Alerts reach the channel ${cut(channel, MAX_LABEL_CHARS)}. There is nothing to do.`,
    integration: null,
    measured: '',
    cause: 'value',
    value: null,
    condition: '',
    startsAt: at,
    endsAt: null,
    link,
    runbook: null,
  };
  return {
    status: 'firing',
    reason: 'test',
    groupId: 'test',
    groupLabels: alert.labels,
    policy: '',
    firingCount: 1,
    resolvedCount: 0,
    alerts: [alert],
    link,
    acknowledgedBy: null,
    at,
  };
}

/** Cuts without halving a character. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return `${text.slice(0, maxChars - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function rank({ endsAtMs, labels }: GroupAlert): number {
  const known = SEVERITY_ORDER.indexOf(labels.severity ?? 'warning');
  return (endsAtMs === null ? 0 : SEVERITY_ORDER.length + 1) + (known === -1 ? SEVERITY_ORDER.length : known);
}

function boundLabels(labels: Labels): Labels {
  const entries = Object.entries(labels).slice(0, MAX_LABELS);
  return Object.fromEntries(entries.map(([name, text]) => [name, cut(text, MAX_LABEL_CHARS)]));
}

/** Only what a browser opens without harm becomes a link. */
function webAddress(text: string | undefined): string | null {
  if (text === undefined || text.length > 2_000 || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
}
