import { cut, type NotificationMessage } from '../message.ts';
import { alertTexts, titleOf } from '../messageText.ts';
import { colourOf } from './colours.ts';
import type { HttpPost, OpenChannel, Outbound } from './types.ts';

/** Slack cuts the text of attachments after this. */
const MAX_TEXT_CHARS = 3_000;

/**
 * For incoming webhooks of Slack, and of what takes the same (Mattermost, Rocket.Chat): hence attachments, which they
 * all know, and no blocks. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackPost({ secrets }: OpenChannel, { message }: Outbound): HttpPost {
  const title = titleOf(message);
  const body = {
    text: escaped(title),
    attachments: [
      {
        color: colourOf(message),
        fallback: escaped(title),
        text: cut(textOf(message), MAX_TEXT_CHARS),
        mrkdwn_in: ['text'],
        ts: Math.floor(Date.parse(message.at) / 1000),
      },
    ],
  };
  return { url: secrets.url!, body: JSON.stringify(body) };
}

function textOf(message: NotificationMessage): string {
  const { texts, more } = alertTexts(message);
  const parts = texts.map(({ heading, summary, facts, link, runbook }) =>
    [
      ...(heading === '' ? [] : [`*${escaped(heading)}*`]),
      ...(summary === '' ? [] : [escaped(summary)]),
      ...facts.map(([name, text]) => `${name}: ${escaped(text)}`),
      `<${link}|Open>${runbook === null ? '' : ` · <${runbook}|Runbook>`}`,
    ].join('\n'),
  );
  if (more > 0) parts.push(`<${message.link}|And ${more} more>`);
  return parts.join('\n\n');
}

/** Text of others must not call people (`<!channel>`) or make links. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
