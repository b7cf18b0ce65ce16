import type { Command } from 'commander';
import { command } from '../command.ts';
import { COMMAND_LINE } from '../commandLine.ts';
import { withApp } from '../openApp.ts';
import { confirmOrRefuse } from '../prompts.ts';

interface Options {
  readonly yes?: boolean;
}

export function usersResetSecondFactor(): Command {
  return command<Options>(
    'reset-second-factor <e-mail>',
    'Remove the second factor of a user who lost it, and end their sessions',
    (invocation) =>
      withApp(invocation, async ({ access: { accounts } }) => {
        const { args, out } = invocation;
        const { id, email, name } = await accounts.users.getByEmail(args[0]!);
        await confirmOrRefuse(invocation, `Remove the second factor of ${name} (${email})?`);
        const user = await accounts.users.resetSecondFactor(COMMAND_LINE, id);
        if (out.json) out.data(user);
        else out.say(`${name} signs in with the password alone now.`);
      }),
  ).option('--yes', 'do not ask');
}
