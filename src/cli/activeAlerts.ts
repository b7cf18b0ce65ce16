import { LIMITS } from '../core/limits.ts';
import type { ActiveAlert } from '../monitoring/notifications/activeAlerts.ts';
import { duration, minute, number } from '../monitoring/notifications/messageText.ts';
import type { NotificationService } from '../monitoring/notifications/notificationService.ts';
import type { IntegrationNames } from './integrationNames.ts';
import { style } from './output.ts';
import { clean } from './prettyLog.ts';

/** All of them, the worst first. */
export async function readActiveAlerts(
  notifications: Pick<NotificationService, 'listActive'>,
): Promise<readonly ActiveAlert[]> {
  const alerts: ActiveAlert[] = [];
  for (;;) {
    const page = await notifications.listActive({ limit: LIMITS.pageSizeMax, after: alerts.at(-1)?.key });
    alerts.push(...page);
    if (page.length < LIMITS.pageSizeMax) return alerts;
  }
}

/** An alert as lines for a person: what, of which integration, by how much, since when, and the key to act on it. */
export async function alertLines(alert: ActiveAlert, names: IntegrationNames, now: Date): Promise<string[]> {
  const { labels, annotations, value, condition } = alert;
  const { alertname = alert.key, severity = 'info', integrationId } = labels;
  const of = integrationId === undefined ? '' : ` of ${await names.of(integrationId)}`;
  const sinceMs = Date.parse(alert.startsAt);
  const facts = [
    annotations.summary ?? null,
    value === null ? null : `${number(value)}${condition === '' ? '' : `, alerts ${condition}`}`,
    `since ${minute(sinceMs)} (${duration(Math.max(0, now.getTime() - sinceMs))})`,
    heldBack(alert),
  ];
  return [
    `${style(severityStyle(severity), clean(severity.toUpperCase()))} ${style('bold', clean(alertname))}${clean(of)}`,
    ...facts.filter((fact) => fact !== null).map((fact) => `  ${clean(fact)}`),
    `  ${style('dim', clean(alert.key))}`,
  ];
}

/** How a severity looks in a terminal. */
export function severityStyle(severity: string): Parameters<typeof style>[0] {
  if (severity === 'critical') return ['bold', 'red'];
  if (severity === 'error') return 'red';
  return severity === 'warning' ? 'yellow' : 'cyan';
}

function heldBack({ silencedBy, inhibitedBy, maintenance, acknowledgement }: ActiveAlert): string | null {
  const words = [
    ...(acknowledgement === null ? [] : [`acknowledged by ${acknowledgement.author}: ${acknowledgement.comment}`]),
    ...(silencedBy.length === 0 ? [] : ['silenced']),
    ...(maintenance.length === 0 ? [] : ['maintenance']),
    ...(inhibitedBy === null ? [] : ['held back by another alert that explains it']),
  ];
  return words.length === 0 ? null : words.join(', ');
}
