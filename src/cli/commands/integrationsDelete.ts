import type { Command } from 'commander';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';
import { confirmOrRefuse } from '../prompts.ts';

interface Options {
  readonly yes?: boolean;
}

export function integrationsDelete(): Command {
  return command<Options>(
    'delete <integration>',
    'Delete an integration, its credentials and its records',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, out } = invocation;
        const { id, name, platform } = await findIntegration(app, args[0]!);
        await confirmOrRefuse(
          invocation,
          `Delete ${name} (${platform}, ${id}) with its credentials and all records synced from it?`,
        );
        await app.integrationService.deleteIntegration(id);
        if (out.json) out.data({ id, deleted: true });
        else out.say(`Deleted ${name}. Its records are erased in the background.`);
      }),
  ).option('--yes', 'do not ask');
}
