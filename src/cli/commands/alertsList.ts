import type { Command } from 'commander';
import { LIMITS } from '../../core/limits.ts';
import type { ActiveAlert } from '../../monitoring/notifications/activeAlerts.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

export function alertsList(): Command {
  return command('list', 'List active alerts, and whether anybody is told of them', (invocation) =>
    withApp(invocation, async ({ notifications }) => {
      const { out } = invocation;
      const alerts: ActiveAlert[] = [];
      for (;;) {
        const page = await notifications.listActive({ limit: LIMITS.pageSizeMax, after: alerts.at(-1)?.key });
        alerts.push(...page);
        if (page.length < LIMITS.pageSizeMax) break;
      }
      const { warning } = await notifications.status();
      if (warning !== null) out.say(warning);
      if (out.json) return out.data(alerts);
      if (alerts.length === 0) return out.say('No alert is active.');
      out.table(
        ['ALERT', 'NAME', 'SEVERITY', 'VALUE', 'SINCE', 'HELD BACK', 'ABOUT'],
        alerts.map((alert) => [
          alert.key,
          alert.labels.alertname ?? null,
          alert.labels.severity ?? null,
          alert.value === null ? null : `${alert.value} ${alert.condition === '' ? '' : `(alerts ${alert.condition})`}`,
          alert.startsAt,
          heldBack(alert),
          alert.annotations.summary ?? null,
        ]),
      );
    }),
  );
}

function heldBack({ silencedBy, inhibitedBy, maintenance, acknowledgement }: ActiveAlert): string | null {
  const words = [
    ...(acknowledgement === null ? [] : [`acknowledged by ${acknowledgement.author}`]),
    ...(silencedBy.length === 0 ? [] : ['silenced']),
    ...(maintenance.length === 0 ? [] : ['maintenance']),
    ...(inhibitedBy === null ? [] : ['inhibited']),
  ];
  return words.length === 0 ? null : words.join(', ');
}
