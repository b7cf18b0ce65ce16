import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import { invalidInput } from '../../core/input.ts';
import type { Log } from '../../core/log.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';
import { visibleAmong } from './alertList.ts';
import { type AlertRow, toInstance } from './alertQueries.ts';
import { AlertRules } from './alertRules.ts';
import { DEFAULT_RULES } from './defaultRules.ts';
import { AlertEvaluator } from './evaluator.ts';
import { type CreateRuleData, parseRule } from './ruleSchema.ts';
import { MAX_PREVIEW_EVALUATIONS, type Preview, previewRule, type Trial, type TriedRule, tryRule } from './tryRule.ts';
import type { MetricSource } from './types.ts';

const TRIAL_DEADLINE_MS = 20_000;

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly source: MetricSource;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when changes were recorded by this process. */
  readonly changed?: () => void;
}

/** Alert rules, what they make of the metrics, and the evaluator. */
export class Alerts {
  readonly rules: AlertRules;
  readonly #deps: Dependencies;
  readonly #evaluator: AlertEvaluator;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.rules = new AlertRules(deps.database, deps.audit);
    this.#evaluator = new AlertEvaluator(deps);
  }

  /** Makes the default rules that were never there, and begins to evaluate. */
  async start(): Promise<void> {
    await this.rules.seed(DEFAULT_RULES);
    this.#evaluator.start();
  }

  close(): Promise<void> {
    return this.#evaluator.close();
  }

  /** What a rule finds now. Changes nothing, tells nobody. @throws AlertRuleNotFoundError */
  async test(id: string, visible: VisibleIntegrations): Promise<TriedRule> {
    const rule = await this.rules.get(id);
    const rows = await this.#deps.database.db
      .selectFrom('alert_instances')
      .selectAll()
      .where('rule_id', '=', id)
      .where('query_version', '=', rule.queryVersion)
      .execute();
    const alerts = rows.map((row) => toInstance(row as AlertRow));
    return tryRule(this.#trial(visible), rule, alerts, this.#deps.clock.now());
  }

  /**
   * What a rule would have made of the last `rangeMs`.
   * @throws InvalidInputError also when that takes more evaluations than are allowed
   */
  async preview(data: CreateRuleData, rangeMs: number, visible: VisibleIntegrations): Promise<Preview> {
    const rule = parseRule(data);
    if (rangeMs > MAX_PREVIEW_EVALUATIONS * rule.intervalMs)
      throw invalidInput('The preview', [
        {
          pointer: '/rangeMs',
          detail: `takes at most ${MAX_PREVIEW_EVALUATIONS} evaluations: ${MAX_PREVIEW_EVALUATIONS * rule.intervalMs} at this intervalMs.`,
        },
      ]);
    return previewRule(this.#trial(visible), { ...rule, id: 'preview' }, rangeMs, this.#deps.clock.now());
  }

  #trial(visible: VisibleIntegrations): Trial {
    const { database, source } = this.#deps;
    return {
      source,
      signal: AbortSignal.timeout(TRIAL_DEADLINE_MS),
      visible: async (labels) => {
        const ids = new Set(labels.flatMap(({ integrationId }) => (integrationId ? [integrationId] : [])));
        const seen = await visibleAmong(database.db, [...ids], visible);
        return new Set(labels.filter(({ integrationId }) => !integrationId || seen.has(integrationId)));
      },
    };
  }
}
