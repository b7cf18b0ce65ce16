import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { CreateIntegrationData } from '../../integrations/types.ts';
import { collect, command, type Invocation } from '../command.ts';
import { UsageError } from '../errors.ts';
import { type DraftOptions, type IntegrationDraft, readDraft, withTypedConnection } from '../integrationDraft.ts';
import { withApp } from '../openApp.ts';
import { testVerdict } from '../testVerdict.ts';

export function integrationsCreate(): Command {
  return command<DraftOptions>(
    'create',
    'Add an integration; at a terminal, asks for what is not given',
    (invocation) => withApp(invocation, (app) => create(app, invocation)),
  )
    .option('--platform <platform>', 'which platform; "connectors list" shows them')
    .option('--name <name>', 'what to call it')
    .option('--type <type>', 'a word of yours to group by')
    .option('--owner <owner>', 'whose it is')
    .option('--credentials-file <file>', 'JSON or YAML with the credential fields; "-" reads stdin')
    .option('--connection <field=value>', 'a connection field, such as shop=acme; may be repeated', collect)
    .option('--auth-mode <mode>', 'which of the platform’s ways to authenticate')
    .option('--sync-frequency <when>', 'realtime, minutely, hourly, daily, weekly, manual, 15m or a cron expression')
    .option('--timezone <zone>', 'IANA name of the zone that cron expressions are read in')
    .option('--start-date <date>', 'ISO 8601; where incremental streams start')
    .option('--stream <stream>', 'only this stream; may be repeated', collect)
    .option('--configuration-file <file>', 'JSON or YAML with the whole configuration; "-" reads stdin')
    .option('--connector-file <file>', 'platform http: JSON or YAML that describes the API; "-" reads stdin');
}

async function create(app: App, invocation: Invocation<DraftOptions>): Promise<void> {
  const { out, interactive, options } = invocation;
  const draft = await typed(app, await readDraft(options));
  const ask = interactive && [draft.platform, draft.name, draft.credentials].includes(undefined);
  const integration = await app.integrationService.createIntegration(
    ask ? await (await import('../askIntegration.ts')).askIntegration(app, draft) : requireComplete(draft),
  );
  if (out.json) return out.data(integration);
  out.line(integration.id);
  out.say(`Created ${integration.name} (${integration.platform}).`);
  if (!ask) return out.hint(`integration-services integrations test ${integration.id}`);
  const result = await app.integrationService.testConnection(integration);
  out.say(testVerdict(integration.name, result));
  if (result.success) out.hint(`integration-services integrations sync ${integration.id}`);
}

async function typed({ connectors }: App, draft: IntegrationDraft): Promise<IntegrationDraft> {
  const { connectorFor } = await import('../../connectors/resolve.ts');
  const connector = draft.platform === undefined ? null : await connectors.get(draft.platform);
  return connector === null ? draft : withTypedConnection(draft, connectorFor(connector, draft.configuration));
}

function requireComplete(draft: IntegrationDraft): CreateIntegrationData {
  const { platform, name } = draft;
  if (platform !== undefined && name !== undefined) return { ...draft, platform, name };
  const missing = [platform === undefined && '--platform', name === undefined && '--name'].filter(Boolean);
  throw new UsageError(
    `Nobody can be asked here, so ${missing.join(' and ')} must be given (and --credentials-file for the credentials).`,
  );
}
