import type { Command } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import { suggestion } from '../../core/input.ts';
import { tuningSchema } from '../../performance/tuning/tuningInput.ts';
import type { Tuning } from '../../performance/tuning/types.ts';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';

const NAMES = Object.keys(tuningSchema.shape);

export function performanceTuning(): Command {
  return command(
    'tuning <integration> [settings...]',
    'Show the settings of an integration, or set some: name=value, or name=null for what the connector says',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, out } = invocation;
        const { id, name } = await findIntegration(app, args[0]!);
        const given = args.slice(1).map(parseSetting);
        let tuning = await app.performanceOptimizer.tuning(id);
        if (given.length > 0)
          tuning = await app.performanceOptimizer.setTuning(id, {
            ...settingsOf(tuning),
            ...Object.fromEntries(given),
          });
        if (out.json) return out.data(tuning);
        out.line(name);
        for (const [setting, value] of Object.entries(settingsOf(tuning)))
          out.line(`  ${setting}: ${value ?? "the connector's"}`);
      }),
  );
}

function settingsOf({ version: _version, updatedAt: _updatedAt, ...settings }: Tuning) {
  return settings;
}

/** Whether the value is one is for the schema to say. */
function parseSetting(text: string): [string, unknown] {
  const [name = '', ...rest] = text.split('=');
  const value = rest.join('=');
  if (!NAMES.includes(name)) {
    const detail = `There is no setting ${JSON.stringify(name)}.${suggestion(name, NAMES)} There are: ${NAMES.join(', ')}.`;
    throw new InvalidInputError(detail, [{ pointer: `/${name}`, detail }]);
  }
  if (value === 'null') return [name, null];
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, value === '' ? value : Number(value)];
}
