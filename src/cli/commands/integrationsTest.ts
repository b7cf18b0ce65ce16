import type { Command } from 'commander';
import { command } from '../command.ts';
import { EXIT } from '../exitCodes.ts';
import { findIntegration } from '../findIntegration.ts';
import { unlessAborted } from '../interruption.ts';
import { withApp } from '../openApp.ts';
import { testVerdict } from '../testVerdict.ts';

export function integrationsTest(): Command {
  return command(
    'test <integration>',
    'Prove the stored credentials with a request that fails without them',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, out, signal } = invocation;
        const integration = await findIntegration(app, args[0]!);
        const result = await unlessAborted(app.integrationService.testConnection(integration), signal);
        if (!result.success) process.exitCode = EXIT.failed;
        if (out.json) return out.data(result);
        out.line(testVerdict(integration.name, result));
        if (result.success) out.hint(`integration-services integrations sync ${integration.id}`);
      }),
  );
}
