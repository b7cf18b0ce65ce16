import type { Command } from 'commander';
import type { ApiKey } from '../../access/apiKeys/types.ts';
import { LIMITS } from '../../core/limits.ts';
import { command } from '../command.ts';
import { findUser } from '../findUser.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly user?: string;
}

export function apiKeysList(): Command {
  return command<Options>('list', 'List the API keys, with when they were last used', (invocation) =>
    withApp(invocation, async (app) => {
      const { options, out } = invocation;
      const userId = options.user === undefined ? null : (await findUser(app, options.user)).id;
      const keys: ApiKey[] = [];
      for (let after: string | null = null; ; after = keys.at(-1)!.id) {
        const page = await app.access.apiKeys.list(userId, after, LIMITS.pageSizeMax);
        keys.push(...page);
        if (page.length < LIMITS.pageSizeMax) break;
      }
      if (out.json) return out.data(keys);
      if (keys.length === 0) return out.say('There are no API keys.');
      out.table(
        ['ID', 'NAME', 'USER', 'STATUS', 'LAST USED', 'EXPIRES'],
        keys.map((key) => [
          key.id,
          key.name,
          key.userId,
          key.status,
          key.lastUsedAt,
          key.overlapUntil ?? key.expiresAt,
        ]),
      );
    }),
  ).option('--user <user>', 'only the keys of this user');
}
