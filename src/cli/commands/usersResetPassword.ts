import type { Command } from 'commander';
import { command } from '../command.ts';
import { COMMAND_LINE } from '../commandLine.ts';
import { withApp } from '../openApp.ts';

export function usersResetPassword(): Command {
  return command('reset-password <e-mail>', 'Print a one-time link to choose a new password', (invocation) =>
    withApp(invocation, async ({ access: { accounts } }) => {
      const { args, out } = invocation;
      const email = args[0]!;
      const link = await accounts.passwords.makeResetLink(COMMAND_LINE, email);
      if (out.json) return out.data({ email, link });
      out.say('Open it within an hour; it works once. The present password works until then.');
      out.line(link);
    }),
  );
}
