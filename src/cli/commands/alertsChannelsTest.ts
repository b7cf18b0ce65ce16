import type { Command } from 'commander';
import { command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { EXIT } from '../exitCodes.ts';
import { withApp } from '../openApp.ts';

export function alertsChannelsTest(): Command {
  return command('test <channel>', 'Send a test message to a channel, by its name or id', (invocation) =>
    withApp(invocation, async ({ notifications }) => {
      const { args, out } = invocation;
      const channels = await notifications.channels.list();
      const channel = channels.find(({ id, name }) => id === args[0] || name === args[0]);
      if (channel === undefined) {
        const known = channels.map(({ name }) => name).join(', ');
        throw new UsageError(`There is no channel ${JSON.stringify(args[0])}. There are: ${known || 'none'}.`);
      }
      const { ok, status, detail, durationMs } = await notifications.channels.test(channel.id);
      if (!ok) process.exitCode = EXIT.failed;
      if (out.json) return out.data({ ok, status, detail, durationMs });
      out.line(`${ok ? 'Arrived' : 'Did not arrive'} after ${durationMs} ms: ${detail}`);
    }),
  );
}
