import type { App } from '../../../app.ts';
import { IntegrationDisconnectedError } from '../../../integrations/errors.ts';
import type { Integration } from '../../../integrations/types.ts';

/** @throws IntegrationNotFoundError, IntegrationDisconnectedError */
export async function connectedIntegration(app: App, id: string): Promise<Integration> {
  const integration = await app.catalog.get(id);
  if (integration.status === 'disconnected') throw new IntegrationDisconnectedError(id);
  return integration;
}
