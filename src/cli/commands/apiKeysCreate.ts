import type { Command } from 'commander';
import { COMMAND_LINE } from '../../access/decisions/actor.ts';
import { collect, command } from '../command.ts';
import { findUser } from '../findUser.ts';
import { withApp } from '../openApp.ts';
import { parseDays } from '../parseDays.ts';

interface Options {
  readonly name: string;
  readonly permission?: string[];
  readonly integration?: string[];
  readonly expires?: string;
}

export function apiKeysCreate(): Command {
  return command<Options>(
    'create <user>',
    'Make an API key that acts for a user; it is shown this once',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, options, out } = invocation;
        const { id } = await findUser(app, args[0]!);
        const { apiKey, key } = await app.access.apiKeys.create({ principal: COMMAND_LINE }, id, {
          name: options.name,
          // Names that there are not are refused with the others' names.
          permissions: (options.permission as never) ?? null,
          integrationIds: options.integration ?? null,
          ...(options.expires === undefined ? {} : { expiresInDays: parseDays(options.expires) }),
        });
        if (out.json) return out.data({ ...apiKey, key });
        out.line(key);
        out.say(
          `This is ${apiKey.id}, shown this once. It ${apiKey.expiresAt === null ? 'never expires' : `expires on ${apiKey.expiresAt}`}.`,
        );
      }),
  )
    .requiredOption('--name <name>', 'what it is for')
    .option('--permission <permission>', 'limits it to this permission; may be repeated', collect)
    .option('--integration <id>', 'limits it to this integration; may be repeated', collect)
    .option('--expires <days>', 'days until it stops working, or "never" (default: 365)');
}
