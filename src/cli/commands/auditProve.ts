import type { Command } from 'commander';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

export function auditProve(): Command {
  return command('prove <entry>', 'Print a proof that an entry, by its id or number, is in the log', (invocation) =>
    withApp(invocation, async ({ audit }) => {
      invocation.out.data(await audit.prove(invocation.args[0]!));
      invocation.out.hint('"audit verify --proof FILE --public-key KEY" checks it without the database');
    }),
  );
}
