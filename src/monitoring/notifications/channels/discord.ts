import { cut } from '../message.ts';
import { alertTexts, titleOf } from '../messageText.ts';
import { colourOf } from './colours.ts';
import type { HttpPost, OpenChannel, Outbound } from './types.ts';

const MAX_DESCRIPTION_CHARS = 4_096;

/** https://docs.discord.com/developers/resources/webhook#execute-webhook; nobody is mentioned, whatever texts say. */
export function discordPost({ secrets }: OpenChannel, { message }: Outbound): HttpPost {
  const { texts, more } = alertTexts(message);
  const parts = texts.map(({ heading, summary, facts, link, runbook }) =>
    [
      ...(heading === '' ? [] : [`**${escaped(heading)}**`]),
      ...(summary === '' ? [] : [escaped(summary)]),
      ...facts.map(([name, text]) => `${name}: ${escaped(text)}`),
      `[Open](${link})${runbook === null ? '' : ` · [Runbook](${runbook})`}`,
    ].join('\n'),
  );
  if (more > 0) parts.push(`[And ${more} more](${message.link})`);
  const embed = {
    title: titleOf(message),
    url: message.link,
    description: cut(parts.join('\n\n'), MAX_DESCRIPTION_CHARS),
    color: Number.parseInt(colourOf(message).slice(1), 16),
    timestamp: message.at,
  };
  // Without `wait`, Discord answers before it has looked.
  const url = new URL(secrets.url!);
  url.searchParams.set('wait', 'true');
  return { url: url.href, body: JSON.stringify({ embeds: [embed], allowed_mentions: { parse: [] } }) };
}

function escaped(text: string): string {
  return text.replace(/([\\*_~`|>[\]])/g, '\\$1');
}
