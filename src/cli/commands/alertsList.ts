import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { alertLines, readActiveAlerts } from '../activeAlerts.ts';
import { command } from '../command.ts';
import { IntegrationNames } from '../integrationNames.ts';
import { withApp } from '../openApp.ts';

export function alertsList(): Command {
  return command('list', 'List active alerts, and whether anybody is told of them', (invocation) =>
    withApp(invocation, async ({ notifications, integrationService }) => {
      const { out } = invocation;
      const alerts = await readActiveAlerts(notifications);
      const { warning } = await notifications.status();
      if (warning !== null) out.say(warning);
      if (out.json) return out.data(alerts);
      if (alerts.length === 0) return out.say('No alert is active.');
      const names = new IntegrationNames(integrationService);
      const now = new Date(systemClock.now());
      for (const [index, alert] of alerts.entries()) {
        if (index > 0) out.line('');
        for (const line of await alertLines(alert, names, now)) out.line(line);
      }
    }),
  );
}
