import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { minute } from '../../monitoring/notifications/messageText.ts';
import { readActiveAlerts } from '../activeAlerts.ts';
import { parseDuration, parseMatcher } from '../alertArguments.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly for: string;
  readonly comment: string;
}

export function alertsSilence(): Command {
  return command<Options>('silence <matchers...>', 'Tell nobody of alerts that match, for a while', (invocation) =>
    withApp(invocation, async ({ notifications }) => {
      const { args, options, out } = invocation;
      const endsAt = new Date(systemClock.now() + parseDuration('--for', options.for)).toISOString();
      const matchers = args.map(parseMatcher);
      const silence = await notifications.silences.add({ matchers, endsAt, comment: options.comment });
      if (out.json) return out.data(silence);
      out.line(silence.id);
      const matched = (await readActiveAlerts(notifications)).filter(({ silencedBy }) =>
        silencedBy.includes(silence.id),
      );
      const now =
        matched.length === 0 ? 'No active alert matches now' : `Active alerts that match now: ${matched.length}`;
      out.say(`${now}. Nobody is told of those that match until ${minute(Date.parse(silence.endsAt))}.`);
    }),
  )
    .requiredOption('--for <time>', 'such as 30m, 2h or 7d')
    .requiredOption('--comment <text>', 'why');
}
