import { cut, type NamedIntegration } from '../message.ts';
import { plainText, titleOf } from '../messageText.ts';
import type { HttpPost, OpenChannel, Outbound } from './types.ts';

const PAGERDUTY_URLS = {
  us: 'https://events.pagerduty.com/v2/enqueue',
  eu: 'https://events.eu.pagerduty.com/v2/enqueue',
} as const;

const SEVERITIES: ReadonlySet<string> = new Set(['critical', 'error', 'warning', 'info']);
const MAX_SUMMARY_CHARS = 1_024;

/**
 * An event of the Events API v2: https://developer.pagerduty.com/docs/send-alert-event. One incident for a group:
 * its `dedup_key` is the group's, so a trigger that comes twice changes nothing and a resolution finds it.
 */
export function pagerDutyPost({ settings, secrets }: OpenChannel, { message }: Outbound): HttpPost {
  const { reason, status, alerts, groupId, groupLabels } = message;
  const first = alerts[0];
  const event = {
    routing_key: secrets.routingKey,
    event_action: reason === 'acknowledged' ? 'acknowledge' : status === 'resolved' ? 'resolve' : 'trigger',
    dedup_key: groupId,
    client: 'Integration Services',
    client_url: message.link,
    payload: {
      summary: cut(titleOf(message), MAX_SUMMARY_CHARS),
      source: first?.labels.integrationId ?? first?.labels.integration_id ?? 'integration-services',
      severity: SEVERITIES.has(first?.severity ?? '') ? first!.severity : 'warning',
      timestamp: first?.startsAt ?? message.at,
      ...(first === undefined ? {} : { component: first.name }),
      group: cut(
        Object.entries(groupLabels)
          .map(([name, text]) => `${name}=${text}`)
          .join(', '),
        MAX_SUMMARY_CHARS,
      ),
      custom_details: {
        firing: message.firingCount,
        resolved: message.resolvedCount,
        integrations: [...new Map(alerts.flatMap(({ integration }) => integrationEntry(integration))).values()],
        text: cut(plainText(message), 8_000),
      },
    },
    links: alerts
      .filter((alert) => alert.runbook !== null)
      .slice(0, 5)
      .map((alert) => ({ href: alert.runbook, text: `Runbook: ${alert.name}` })),
  };
  return { url: secrets.url ?? PAGERDUTY_URLS[settings.region ?? 'us'], body: JSON.stringify(event) };
}

function integrationEntry(integration: NamedIntegration | null): [string, NamedIntegration][] {
  return integration ? [[integration.id, integration]] : [];
}
