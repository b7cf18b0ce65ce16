import type { Command } from 'commander';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';
import { confirmOrRefuse } from '../prompts.ts';

interface Options {
  readonly yes?: boolean;
}

export function integrationsConfirmDeletions(): Command {
  return command<Options>(
    'confirm-deletions <integration> <stream>',
    'Make the deletions that a sync held back, because they were too many to be meant',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, out } = invocation;
        const { id, name } = await findIntegration(app, args[0]!);
        const stream = args[1]!;
        const pending = (await app.sync.streamStatus(id)).find((one) => one.stream === stream)?.pendingDeletions;
        // Without any, the service says so.
        if (pending)
          await confirmOrRefuse(
            invocation,
            `Delete ${pending.count} of ${pending.total} records of ${stream} in ${name}?`,
          );
        const deleted = await app.sync.confirmDeletions(id, stream);
        if (out.json) out.data({ deleted });
        else out.line(`${deleted} records of ${stream} are deleted.`);
      }),
  ).option('--yes', 'do not ask');
}
