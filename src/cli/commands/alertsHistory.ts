import { type Command, Option } from 'commander';
import type { PastChange } from '../../monitoring/alerts/alertHistory.ts';
import { ALERT_KINDS, ALERT_STATES, type AlertKind, type AlertState } from '../../monitoring/alerts/types.ts';
import { parseDuration } from '../alertArguments.ts';
import { changeLines } from '../alertChange.ts';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { IntegrationNames } from '../integrationNames.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly since: string;
  readonly integration?: string;
  readonly rule?: string;
  readonly kind?: AlertKind;
  readonly state?: AlertState;
}

const PAGE = 200;
/** More than anybody reads; programs page through the API. */
const MAX_CHANGES = 1_000;

export function alertsHistory(): Command {
  return command<Options>('history', 'What became of alerts, newest first', (invocation) =>
    withApp(invocation, async (app) => {
      const { out, options } = invocation;
      const { integration, rule, kind, state } = options;
      const filter = {
        since: new Date(Date.now() - parseDuration('--since', options.since)),
        ...(integration !== undefined && { integrationId: (await findIntegration(app, integration)).id }),
        ...(rule !== undefined && { ruleId: rule }),
        ...(kind !== undefined && { kind }),
        ...(state !== undefined && { state }),
      };
      const changes: PastChange[] = [];
      for (;;) {
        const last = changes.at(-1);
        const before = last === undefined ? null : { atMs: last.at, seq: last.seq };
        const page = await app.monitoringService.getAlertHistory({ ...filter, before, limit: PAGE });
        changes.push(...page);
        if (page.length < PAGE || changes.length >= MAX_CHANGES) break;
      }
      const rows = changes.map((change) => ({ ...change, at: new Date(change.at).toISOString() }));
      if (rows.length >= MAX_CHANGES) out.say(`The newest ${rows.length} are shown; --since takes a shorter time.`);
      if (out.json) return out.data(rows);
      if (rows.length === 0) return out.say(`No alert changed within ${options.since}.`);
      const names = new IntegrationNames(app.integrationService);
      for (const [index, change] of changes.entries()) {
        if (index > 0) out.line('');
        for (const line of await changeLines(change, names)) out.line(line);
      }
    }),
  )
    .option('--since <time>', 'so long back, such as 30m, 24h or 7d', '24h')
    .option('--integration <integration>', 'alerts of this integration')
    .option('--rule <id>', 'alerts of this rule')
    .addOption(new Option('--kind <kind>', 'alerts of this kind').choices([...ALERT_KINDS]))
    .addOption(new Option('--state <state>', 'changes to this state').choices([...ALERT_STATES]));
}
