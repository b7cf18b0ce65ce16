import type { Command } from 'commander';
import type { User } from '../../access/accounts/userQueries.ts';
import { LIMITS } from '../../core/limits.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

export function usersList(): Command {
  return command('list', 'List the users', (invocation) =>
    withApp(invocation, async ({ access: { accounts } }) => {
      const { out } = invocation;
      const users: User[] = [];
      for (let after: string | null = null; ; ) {
        const page: User[] = await accounts.users.list({ after, limit: LIMITS.pageSizeMax });
        users.push(...page);
        if (page.length < LIMITS.pageSizeMax) break;
        after = page.at(-1)!.id;
      }
      if (out.json) return out.data(users);
      if (users.length === 0) {
        out.say('There are no users yet. The start of the server prints a link to make the first one.');
        return out.hint('integration-services users create');
      }
      out.table(
        ['ID', 'E-MAIL', 'NAME', 'ROLE', 'STATUS'],
        users.map(({ id, email, name, role, status }) => [id, email, name, role, status]),
      );
    }),
  );
}
