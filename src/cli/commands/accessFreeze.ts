import type { Command } from 'commander';
import { COMMAND_LINE } from '../../access/decisions/actor.ts';
import type { FreezeTarget } from '../../access/freeze/freeze.ts';
import type { App } from '../../app.ts';
import { isId } from '../../core/ids.ts';
import { command } from '../command.ts';
import { findUser } from '../findUser.ts';
import { withApp } from '../openApp.ts';

export function accessFreeze(): Command {
  return command<{ readonly reason: string }>(
    'freeze <user-or-key>',
    'Stop a compromised user or API key, everywhere within a second',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, options, out } = invocation;
        const target = await findTarget(app, args[0]!);
        await app.access.freezer.freeze({ principal: COMMAND_LINE }, target, options.reason);
        if (out.json) return out.data({ ...target, status: 'frozen' });
        out.line(`${idOf(target)} is frozen.`);
        out.hint(`integration-services access unfreeze ${idOf(target)}`);
      }),
  ).requiredOption('--reason <reason>', 'why, for the audit log and whoever unfreezes it');
}

export function accessUnfreeze(): Command {
  return command('unfreeze <user-or-key>', 'Let a frozen user or API key work again', (invocation) =>
    withApp(invocation, async (app) => {
      const { args, out } = invocation;
      const target = await findTarget(app, args[0]!);
      await app.access.freezer.unfreeze({ principal: COMMAND_LINE }, target);
      if (out.json) return out.data({ ...target, status: 'active' });
      out.line(`${idOf(target)} is active.`);
    }),
  );
}

async function findTarget(app: App, text: string): Promise<FreezeTarget> {
  return isId('apiKey', text) ? { apiKeyId: text } : { userId: (await findUser(app, text)).id };
}

function idOf(target: FreezeTarget): string {
  return 'userId' in target ? target.userId : target.apiKeyId;
}
