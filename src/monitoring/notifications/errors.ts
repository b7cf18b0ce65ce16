import { AppError } from '../../core/errors.ts';

export class ChannelNotFoundError extends AppError {
  readonly code = 'NOTIFICATION_CHANNEL_NOT_FOUND';

  constructor(id: string) {
    super(`There is no notification channel ${JSON.stringify(id.slice(0, 100))}.`);
  }
}

export class ChannelNameTakenError extends AppError {
  readonly code = 'NOTIFICATION_CHANNEL_NAME_TAKEN';

  constructor(name: string) {
    super(`There is a notification channel ${JSON.stringify(name)} already. Take another name.`);
  }
}

/** A policy still sends to it. */
export class ChannelInUseError extends AppError {
  readonly code = 'NOTIFICATION_CHANNEL_IN_USE';

  constructor(policies: readonly string[]) {
    super(`Policies send to this channel: ${policies.join(', ')}. Take it out of them first.`, {
      details: { policies },
    });
  }
}

export class PolicyNotFoundError extends AppError {
  readonly code = 'NOTIFICATION_POLICY_NOT_FOUND';

  constructor(id: string) {
    super(`There is no notification policy ${JSON.stringify(id.slice(0, 100))}.`);
  }
}

export class DefaultPolicyError extends AppError {
  readonly code = 'NOTIFICATION_POLICY_DEFAULT';

  constructor() {
    super('The default policy takes whatever no other policy does, so it cannot be deleted, limited or moved.');
  }
}

export class SilenceNotFoundError extends AppError {
  readonly code = 'SILENCE_NOT_FOUND';

  constructor(id: string) {
    super(`There is no silence ${JSON.stringify(id.slice(0, 100))}.`);
  }
}

/** A silence that is over stays as it was; make a new one. */
export class SilenceOverError extends AppError {
  readonly code = 'SILENCE_OVER';

  constructor(id: string) {
    super(`The silence ${id} is over. Make a new one if it is needed again.`);
  }
}

export class MaintenanceWindowNotFoundError extends AppError {
  readonly code = 'MAINTENANCE_WINDOW_NOT_FOUND';

  constructor(id: string) {
    super(`There is no maintenance window ${JSON.stringify(id.slice(0, 100))}.`);
  }
}

export class InhibitionRuleNotFoundError extends AppError {
  readonly code = 'INHIBITION_RULE_NOT_FOUND';

  constructor(id: string) {
    super(`There is no inhibition rule ${JSON.stringify(id.slice(0, 100))}.`);
  }
}

/** The alert is not active, so there is nothing to acknowledge. */
export class AlertNotActiveError extends AppError {
  readonly code = 'ALERT_NOT_ACTIVE';

  constructor(alerts: readonly string[]) {
    super(`Not active: ${alerts.join(', ')}. Nothing was changed.`, { details: { alerts } });
  }
}
