import { z } from 'zod';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const keyAnswer = z.object({
  verifierKey: z.string().describe('C2SP signed-note: name, key id and Ed25519 public key. Keep it somewhere else.'),
});

export const getAuditKey: AddRoute = (server, app) => {
  server.get(
    `${API}/audit/key`,
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'getAuditKey',
        summary: 'Get the public key of the audit log',
        tags: ['audit'],
        response: answers({ 200: keyAnswer }),
      },
    },
    async () => ({ verifierKey: await app.audit.verifierKey() }),
  );
};
