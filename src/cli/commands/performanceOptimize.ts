import type { Command } from 'commander';
import type { OptimizationResult } from '../../performance/tuning/types.ts';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';

export function performanceOptimize(): Command {
  return command(
    'optimize <integration>',
    'Try out one setting, measured against the time before, or tell how the try is doing',
    (invocation) =>
      withApp(invocation, async (app) => {
        const { args, out } = invocation;
        const { id, name } = await findIntegration(app, args[0]!);
        const result = await app.performanceOptimizer.optimize(id);
        if (out.json) return out.data(result);
        out.line(`${name}: ${result.status.replaceAll('_', ' ')}: ${result.reason}`);
        for (const line of detailsOf(result)) out.line(`  ${line}`);
        if (result.revert !== null) out.hint(`integration-services performance revert ${id} ${result.experimentId}`);
      }),
  );
}

function detailsOf({
  change,
  before,
  after,
  performanceGain,
  confidence,
  status,
  decideBy,
}: OptimizationResult): string[] {
  const speed = (value: number | null) => (value === null ? 'not measured' : `${value.toFixed(1)} records/s`);
  return [
    ...(change === null ? [] : [`${change.knob}: ${change.from ?? "the connector's"} → ${change.to}`]),
    ...(before === null ? [] : [`before: ${speed(before.recordsPerSecond)} in ${before.throughputs.length} syncs`]),
    ...(after === null ? [] : [`after: ${speed(after.recordsPerSecond)} in ${after.throughputs.length} syncs`]),
    ...(performanceGain === null
      ? []
      : [`gain: ${performanceGain.toFixed(1)} % (confidence ${(100 * confidence!).toFixed(1)} %)`]),
    ...(status === 'started' || status === 'running' ? [`decided by ${decideBy} at the latest`] : []),
  ];
}
