import type { PastChange } from '../monitoring/alerts/alertHistory.ts';
import { minute, number } from '../monitoring/notifications/messageText.ts';
import { severityStyle } from './activeAlerts.ts';
import type { IntegrationNames } from './integrationNames.ts';
import { style } from './output.ts';
import { clean } from './prettyLog.ts';

/** A change of an alert as lines for a person: when, what, of which integration, from which state to which, and why. */
export async function changeLines(change: PastChange, names: IntegrationNames): Promise<string[]> {
  const { labels, severity, value, annotations } = change;
  const { integrationId } = labels;
  const of = integrationId === undefined ? '' : ` of ${await names.of(integrationId)}`;
  const by = value === null ? '' : ` at ${number(value)}`;
  const facts = [annotations.summary ?? null, change.reason === 'value' ? null : change.reason.replaceAll('_', ' ')];
  return [
    `${style('dim', minute(change.at))} ${style(severityStyle(severity), clean(severity.toUpperCase()))} ${style('bold', clean(change.ruleName))}${clean(of)}: ${change.from} → ${change.to}${by}`,
    ...facts.filter((fact) => fact !== null).map((fact) => `  ${clean(fact)}`),
    `  ${style('dim', clean(`${change.ruleId}/${change.fingerprint}`))}`,
  ];
}
