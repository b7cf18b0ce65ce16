import { alertTexts, titleOf } from '../messageText.ts';
import type { HttpPost, OpenChannel, Outbound } from './types.ts';

/** So many alerts keep a card well below the 28 KB that Teams takes. */
const MAX_CARD_ALERTS = 5;

/**
 * An Adaptive Card for the workflow "Post to a channel when a webhook request is received":
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
export function teamsPost({ secrets }: OpenChannel, { message }: Outbound): HttpPost {
  const { texts, more } = alertTexts(message);
  const shown = texts.slice(0, MAX_CARD_ALERTS);
  const left = more + texts.length - shown.length;
  const open = { type: 'Action.OpenUrl', title: 'Open', url: message.link };
  const runbook = shown.find((text) => text.runbook !== null)?.runbook ?? null;
  const card = {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.4',
    body: [
      { ...textBlock(titleOf(message)), weight: 'Bolder', size: 'Medium', color: colour(message) },
      ...shown.flatMap(({ heading, summary, facts }) => [
        ...(heading === '' ? [] : [{ ...textBlock(heading), weight: 'Bolder', separator: true }]),
        ...(summary === '' ? [] : [textBlock(summary)]),
        { type: 'FactSet', facts: facts.map(([title, value]) => ({ title, value })) },
      ]),
      ...(left > 0 ? [textBlock(`And ${left} more`)] : []),
    ],
    actions: runbook === null ? [open] : [open, { type: 'Action.OpenUrl', title: 'Runbook', url: runbook }],
    msteams: { width: 'Full' },
  };
  const attachment = { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card };
  return { url: secrets.url!, body: JSON.stringify({ type: 'message', attachments: [attachment] }) };
}

function textBlock(text: string) {
  // What would be taken for a link, an image or emphasis stays text.
  return { type: 'TextBlock', text: text.replace(/([\\*_[\]])/g, '\\$1'), wrap: true };
}

function colour({ status, alerts }: Outbound['message']): string {
  if (status === 'resolved') return 'Good';
  const severity = alerts[0]?.severity;
  return severity === 'critical' || severity === 'error' ? 'Attention' : severity === 'warning' ? 'Warning' : 'Accent';
}
