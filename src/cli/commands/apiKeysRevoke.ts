import type { Command } from 'commander';
import { COMMAND_LINE } from '../../access/decisions/actor.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

export function apiKeysRevoke(): Command {
  return command('revoke <key-id>', 'End an API key for good, everywhere within a second', (invocation) =>
    withApp(invocation, async (app) => {
      const { args, out } = invocation;
      await app.access.apiKeys.revokeAny({ principal: COMMAND_LINE }, args[0]!);
      if (out.json) return out.data(await app.access.apiKeys.get(args[0]!));
      out.line(`${args[0]} opens nothing any more.`);
    }),
  );
}
