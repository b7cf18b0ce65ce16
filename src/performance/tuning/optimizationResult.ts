import type { Experiment, OptimizationResult, TuningChange } from './types.ts';

/** An experiment as `optimize` answers it. */
export function resultOf(experiment: Experiment, status: OptimizationResult['status']): OptimizationResult {
  const { id, integrationId, change, performanceGain, confidence, before, after, startedAt, decideBy } = experiment;
  const canRevert = experiment.status === 'running' || experiment.status === 'kept';
  return {
    integrationId,
    status,
    reason: experiment.verdict ?? change.reason,
    experimentId: id,
    change,
    performanceGain,
    confidence,
    before,
    after,
    startedAt,
    decideBy,
    revert: canRevert ? `POST /api/v1/integrations/${integrationId}/optimizations/${id}/revert` : null,
  };
}

/** Nothing was changed. @param change what would be tried */
export function unchanged(
  integrationId: string,
  status: 'nothing_to_do' | 'not_enough_data',
  reason: string,
  change: TuningChange | null = null,
): OptimizationResult {
  return {
    integrationId,
    status,
    reason,
    experimentId: null,
    change,
    performanceGain: null,
    confidence: null,
    before: null,
    after: null,
    startedAt: null,
    decideBy: null,
    revert: null,
  };
}
