import type { Command } from 'commander';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';

export function performanceRevert(): Command {
  return command('revert <integration> <experiment>', 'Take back what an experiment changed', (invocation) =>
    withApp(invocation, async (app) => {
      const { args, out } = invocation;
      const { id } = await findIntegration(app, args[0]!);
      const experiment = await app.performanceOptimizer.revert(id, args[1]!);
      if (out.json) return out.data(experiment);
      const { knob, from } = experiment.change;
      out.line(
        `${experiment.id} is ${experiment.status.replaceAll('_', ' ')}: ${knob} is ${from ?? "the connector's"} again.`,
      );
    }),
  );
}
