import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { createIntegrationSchema } from '../../../integrations/schemas.ts';
import { etagOf } from '../../etag.ts';
import { integrationAnswer } from '../../schemas/integrations.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const body = createIntegrationSchema.meta({
  id: 'CreateIntegration',
  examples: [
    {
      name: 'Our code',
      platform: 'github',
      credentials: { token: 'ghp_…' },
      configuration: { syncFrequency: 'hourly', streams: ['issues', 'pull_requests'] },
    },
  ],
});

export const createIntegration: AddRoute = (server, app) => {
  server.post(
    `${API}/integrations`,
    {
      config: { permission: 'integrations:create', about: 'many', requiresFor: requireOwner },
      schema: {
        operationId: 'createIntegration',
        summary: 'Create an integration',
        description:
          'Belongs to the user who makes it, unless `owner` says otherwise. Credentials are encrypted and never returned; storing them takes `credentials:write`. Every problem of the input is told at once.',
        tags: ['integrations'],
        body,
        response: answers({ 201: integrationAnswer }, 400, 409, 413, 415, 422),
      },
    },
    async (request, reply) => {
      const data = { ...request.body, owner: ownerFor(request) };
      const integration = await app.catalog.create(data, request.resourceName);
      reply.code(201).header('location', `${API}/integrations/${integration.id}`).header('etag', etagOf(integration));
      return integration;
    },
  );
};

async function requireOwner(request: FastifyRequest): Promise<void> {
  const { platform, credentials } = request.body as z.output<typeof body>;
  const planned = { id: '', owner: ownerFor(request), platform };
  await request.access.require('integrations:create', planned);
  if (credentials !== undefined) await request.access.require('credentials:write', planned);
}

function ownerFor({ principal, body: data }: FastifyRequest): string {
  const { owner } = data as z.output<typeof body>;
  return owner ?? (principal.kind === 'installation' ? 'default' : principal.userId);
}
