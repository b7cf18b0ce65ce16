import type { Command } from 'commander';
import { command } from '../command.ts';
import { COMMAND_LINE } from '../commandLine.ts';
import { withApp } from '../openApp.ts';
import { confirmOrRefuse } from '../prompts.ts';

interface Options {
  readonly yes?: boolean;
}

export function usersDeactivate(): Command {
  return command<Options>('deactivate <e-mail>', 'Keep a user from signing in, and end their sessions', (invocation) =>
    withApp(invocation, async ({ access: { accounts } }) => {
      const { args, out } = invocation;
      const { id, email, name } = await accounts.users.getByEmail(args[0]!);
      await confirmOrRefuse(invocation, `Deactivate ${name} (${email})?`);
      const user = await accounts.users.deactivate(COMMAND_LINE, id);
      if (out.json) out.data(user);
      else out.say(`${name} cannot sign in any more.`);
    }),
  ).option('--yes', 'do not ask');
}
