import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { checkpointAnswer } from '../../schemas/audit.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listCheckpoints: AddRoute = (server, app) => {
  server.get(
    `${API}/audit/checkpoints`,
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'listAuditCheckpoints',
        summary: 'List the signed checkpoints of the audit log',
        description: 'Newest first. Kept somewhere else, they show whether the log was changed later.',
        tags: ['audit'],
        querystring: query,
        response: answers({ 200: pageOf(checkpointAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const before = decodeCursor(request.query.cursor, (text) => /^\d{1,15}$/.test(text));
      const data = await app.audit.checkpoints(limit, before === null ? null : Number(before));
      return { data, nextCursor: data.length < limit ? null : encodeCursor(String(data.at(-1)!.size)) };
    },
  );
};
