import type { Command } from 'commander';
import type { ConnectionField, CredentialField } from '../../connectors/format/parts.ts';
import type { Connector } from '../../connectors/format.ts';
import { suggestion } from '../../core/input.ts';
import { command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { withApp } from '../openApp.ts';
import { type Output, style } from '../output.ts';

export function connectorsShow(): Command {
  return command('show <platform>', 'Show what a platform takes and which streams it has', (invocation) =>
    withApp(invocation, async ({ connectors }) => {
      const { args, out } = invocation;
      const [platform = ''] = args;
      const connector = await connectors.get(platform);
      if (connector === null) {
        const known = (await connectors.list()).map((one) => one.platform);
        throw new UsageError(
          `There is no platform ${JSON.stringify(platform)}.${suggestion(platform, known)} Known are: ${known.join(', ')}.`,
        );
      }
      if (out.json) return out.data(connector);
      show(out, connector);
      out.hint(`integration-services integrations create --platform ${platform}`);
    }),
  );
}

function show(out: Output, connector: Connector): void {
  out.line(`${style('bold', connector.title)} (${connector.platform}, API ${connector.apiVersion})`);
  if (connector.description !== undefined) out.line(connector.description.trim());
  out.line(connector.docsUrl);
  if (connector.connection.length > 0) {
    out.line('');
    out.line(style('bold', 'Connection fields'));
    for (const field of connector.connection) showField(out, field);
  }
  for (const { name, title, fields } of connector.auth) {
    out.line('');
    out.line(`${style('bold', title)} (auth mode ${name})`);
    for (const field of fields) showField(out, field);
  }
  if (connector.streams.length === 0) return;
  out.line('');
  out.table(
    ['STREAM', 'PATH', 'KEY', 'CURSOR'],
    connector.streams.map(({ name, path, primaryKey, incremental }) => [
      name,
      path,
      [primaryKey].flat().join(', '),
      incremental?.cursorField ?? null,
    ]),
  );
}

function showField(out: Output, field: CredentialField | ConnectionField): void {
  const help = 'help' in field ? (field.help ?? field.description) : field.description;
  const notes = [field.title, !field.required && 'optional', field.example && `such as ${field.example}`].filter(
    Boolean,
  );
  out.line(`  ${field.name}: ${notes.join(', ')}`);
  if (help !== undefined) out.line(`    ${help.trim().replaceAll('\n', '\n    ')}`);
}
