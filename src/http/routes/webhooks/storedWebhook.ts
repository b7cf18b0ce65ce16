import type { z } from 'zod';
import type { WebhookConfig } from '../../../integrations/types.ts';
import type { webhookAnswer } from '../../schemas/integrations.ts';

/** `WebhookConfig` is input and output in one; as output what the service sets is always there. */
export function storedWebhook(webhook: WebhookConfig): Readonly<z.output<typeof webhookAnswer>> {
  const { secret: _secret, events, ...rest } = webhook;
  return { ...rest, events: [...events] } as z.output<typeof webhookAnswer>;
}
