import type { Command } from 'commander';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

export function auditKey(): Command {
  return command('key', 'Print the public key of the log, to keep somewhere else', (invocation) =>
    withApp(invocation, async ({ audit }) => {
      const verifierKey = await audit.verifierKey();
      if (invocation.out.json) invocation.out.data({ verifierKey });
      else invocation.out.line(verifierKey);
    }),
  );
}
