import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { parseAlert, parseDuration } from '../alertArguments.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly comment: string;
  readonly for?: string;
}

export function alertsAck(): Command {
  return command<Options>('ack <alerts...>', 'Stop escalation and repeats of alerts somebody works on', (invocation) =>
    withApp(invocation, async ({ notifications }) => {
      const { args, options, out } = invocation;
      const until =
        options.for === undefined
          ? undefined
          : new Date(systemClock.now() + parseDuration('--for', options.for)).toISOString();
      const alerts = args.map(parseAlert);
      await notifications.acknowledgements.acknowledge({ alerts, comment: options.comment, until });
      if (out.json) return out.data({ alerts, until: until ?? null });
      out.say(`Acknowledged until ${until ?? 'the end of each'}.`);
    }),
  )
    .requiredOption('--comment <text>', 'what is being done')
    .option('--for <time>', 'such as 30m, 2h or 7d; default: until they are resolved');
}
