import type { Command } from 'commander';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

export function connectorsList(): Command {
  return command('list', 'List the platforms', (invocation) =>
    withApp(invocation, async ({ connectors }) => {
      const { out } = invocation;
      const known = (await connectors.list()).map(({ platform, title, category, auth, streams }) => ({
        platform,
        title,
        category,
        authModes: auth.map(({ name }) => name),
        streams: streams.map(({ name }) => name),
      }));
      if (out.json) return out.data(known);
      out.table(
        ['PLATFORM', 'TITLE', 'CATEGORY', 'AUTH', 'STREAMS'],
        known.map((one) => [one.platform, one.title, one.category, one.authModes.join(', '), one.streams.length]),
      );
      out.hint('integration-services connectors show <platform>');
    }),
  );
}
