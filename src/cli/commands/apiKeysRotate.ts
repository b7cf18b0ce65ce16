import type { Command } from 'commander';
import { COMMAND_LINE } from '../../access/decisions/actor.ts';
import { command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly overlap?: string;
}

export function apiKeysRotate(): Command {
  return command<Options>(
    'rotate <key-id>',
    'Make a new key for an old one, which works beside it for a while',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, options, out } = invocation;
        const overlap = options.overlap === undefined ? {} : { overlapSeconds: hours(options.overlap) * 3_600 };
        const { apiKey, key } = await app.access.apiKeys.rotate({ principal: COMMAND_LINE }, args[0]!, overlap);
        if (out.json) return out.data({ ...apiKey, key });
        const { overlapUntil } = await app.access.apiKeys.get(args[0]!);
        out.line(key);
        out.say(`This is ${apiKey.id}, shown this once. ${args[0]} works until ${overlapUntil}.`);
      }),
  ).option('--overlap <hours>', 'how long the old one goes on working (default: 24)');
}

function hours(text: string): number {
  if (/^\d{1,3}(\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(`--overlap takes a number of hours up to 168, not ${JSON.stringify(text)}.`);
}
