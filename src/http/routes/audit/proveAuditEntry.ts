import { z } from 'zod';
import { proofAnswer } from '../../schemas/audit.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const params = z.strictObject({
  id: z
    .string()
    .regex(/^[\w]{1,100}$/, 'takes an id or a number')
    .describe('Id or number of the entry.'),
});

export const proveAuditEntry: AddRoute = (server, app) => {
  server.get(
    `${API}/audit/entries/:id/proof`,
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'proveAuditEntry',
        summary: 'Prove an entry of the audit log',
        description: 'The entry, and the hashes that lead from it to the root of a signed checkpoint.',
        tags: ['audit'],
        params,
        response: answers({ 200: proofAnswer }, 400, 404),
      },
    },
    async (request) => await app.audit.prove(request.params.id),
  );
};
