import type { Command } from 'commander';
import type { Integration } from '../../integrations/types.ts';
import { command } from '../command.ts';
import { withApp } from '../openApp.ts';

interface Options {
  readonly platform?: string;
  readonly owner?: string;
}

export function integrationsList(): Command {
  return command<Options>('list', 'List the integrations', (invocation) =>
    withApp(invocation, async ({ catalog }) => {
      const { out, options } = invocation;
      const integrations: Integration[] = [];
      for await (const one of catalog.all({ platform: options.platform, owner: options.owner })) integrations.push(one);
      if (out.json) return out.data(integrations);
      if (integrations.length === 0) {
        out.say('There are no integrations yet.');
        return out.hint('integration-services integrations create');
      }
      out.table(
        ['ID', 'NAME', 'PLATFORM', 'STATUS', 'SYNC'],
        integrations.map(({ id, name, platform, status, configuration }) => [
          id,
          name,
          platform,
          status,
          configuration.syncFrequency ?? 'manual',
        ]),
      );
    }),
  )
    .option('--platform <platform>', 'only of this platform')
    .option('--owner <owner>', 'only of this owner');
}
