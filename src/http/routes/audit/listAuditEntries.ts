import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { auditEntryAnswer, auditFilter } from '../../schemas/audit.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ ...auditFilter, cursor, limit: limitOf(LIMITS.pageSizeMax) });

const CURSOR = /^(\d{1,15})\.(\d{1,15})$/;

export const listAuditEntries: AddRoute = (server, app) => {
  server.get(
    `${API}/audit`,
    {
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'listAuditEntries',
        summary: 'List the audit log',
        description: 'Newest first. An event shows up moments after what it tells of.',
        tags: ['audit'],
        querystring: query,
        response: answers({ 200: pageOf(auditEntryAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from, ...filter } = request.query;
      const [, ms, seq] = CURSOR.exec(decodeCursor(from, (text) => CURSOR.test(text)) ?? '') ?? [];
      const before = ms === undefined ? null : { occurredAt: new Date(Number(ms)), seq: Number(seq) };
      const data = await app.audit.list(filter, limit, before);
      const last = data.length < limit ? undefined : data.at(-1);
      return { data, nextCursor: last === undefined ? null : encodeCursor(`${Date.parse(last.time)}.${last.seq}`) };
    },
  );
};
