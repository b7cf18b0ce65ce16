import type { NotificationMessage } from '../message.ts';

/** The colour beside a message, as `#rrggbb`. */
export function colourOf({ status, alerts }: NotificationMessage): string {
  if (status === 'resolved') return '#2e7d32';
  switch (alerts[0]?.severity) {
    case 'critical':
      return '#b71c1c';
    case 'error':
      return '#d84315';
    case 'warning':
      return '#f9a825';
    default:
      return '#1565c0';
  }
}
