import type { AlertReason } from '../alerts/types.ts';
import { countedBy } from './measured.ts';

/** Why an alert ended, where that is anything but a value that recovered; null where it did. */
export function endingText(change: { reason: AlertReason; metric: string | null; samples: number }): string | null {
  const { reason, metric, samples } = change;
  const counted = metric === null ? 'measurements' : countedBy(metric);
  switch (reason) {
    case 'value':
      return null;
    case 'no_data':
      return samples === 0
        ? `Resolved: no ${counted} in the window any more. That does not say that it has recovered.`
        : `Resolved: too few ${counted} in the window to judge (${samples}). That does not say that it has recovered.`;
    case 'error':
      return 'Resolved: the rule cannot be evaluated any more. That does not say that it has recovered.';
    case 'rule_changed':
      return 'Resolved: the rule measures something else now. That does not say that it has recovered.';
    case 'rule_disabled':
      return 'Resolved: the rule was disabled. That does not say that it has recovered.';
    case 'rule_deleted':
      return 'Resolved: the rule was deleted. That does not say that it has recovered.';
    case 'series_gone':
      return 'Resolved: what the alert was about is gone.';
  }
}
