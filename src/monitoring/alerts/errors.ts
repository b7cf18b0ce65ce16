import { AppError } from '../../core/errors.ts';

/** No alert rule has this id. */
export class AlertRuleNotFoundError extends AppError {
  readonly code = 'ALERT_RULE_NOT_FOUND';

  constructor(id: string) {
    super(`There is no alert rule ${JSON.stringify(id)}.`, { details: { ruleId: id } });
  }
}
