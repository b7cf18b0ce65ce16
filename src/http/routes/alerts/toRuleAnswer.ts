import type { z } from 'zod';
import type { ListedRule } from '../../../monitoring/alerts/alertRules.ts';
import type { ruleAnswer } from '../../schemas/alerts.ts';

export function toRuleAnswer(rule: ListedRule): z.output<typeof ruleAnswer> {
  const { queryVersion: _queryVersion, shard: _shard, deletedAt: _deletedAt, ...shown } = rule;
  return {
    ...(structuredClone(shown) as unknown as z.output<typeof ruleAnswer>),
    createdAt: rule.createdAt.toISOString(),
    updatedAt: rule.updatedAt.toISOString(),
  };
}
