import type { CreateRuleData } from '../../../../src/monitoring/alerts/ruleSchema.ts';

export function errorRateRule(fields: Partial<CreateRuleData> = {}): CreateRuleData {
  return {
    name: 'Many errors',
    kind: 'performance',
    severity: 'error',
    metric: 'error_rate',
    aggregation: 'avg',
    windowMs: 60_000,
    op: '>',
    threshold: 5,
    intervalMs: 10_000,
    ...fields,
  };
}
