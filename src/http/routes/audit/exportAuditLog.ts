import { z } from 'zod';
import { EXPORT_FORMATS } from '../../../audit/exportFormat.ts';
import { recordExport } from '../../../audit/recordExport.ts';
import { errorMessage } from '../../../core/errors.ts';
import { auditFilter } from '../../schemas/audit.ts';
import { answers } from '../../schemas/problem.ts';
import { streamPieces } from '../../streamedPieces.ts';
import { type AddRoute, API } from '../route.ts';

const FORMATS = {
  jsonl: { type: 'application/x-ndjson', name: 'audit.jsonl' },
  csv: { type: 'text/csv; charset=utf-8; header=present', name: 'audit.csv' },
  ocsf: { type: 'application/x-ndjson', name: 'audit.ocsf.jsonl' },
} as const;

const entries = {
  description: 'The entries, oldest first.',
  content: { 'application/x-ndjson': { schema: z.string() }, 'text/csv': { schema: z.string() } },
};

const query = z.strictObject({
  ...auditFilter,
  format: z
    .enum(EXPORT_FORMATS)
    .default('jsonl')
    .describe('`jsonl` verifies offline with `audit verify --file`; `ocsf` is one event of that schema a line.'),
});

export const exportAuditLog: AddRoute = (server, app) => {
  server.get(
    `${API}/audit/export`,
    {
      // It would read the whole log to answer nothing.
      exposeHeadRoute: false,
      config: { permission: 'audit:read' },
      schema: {
        operationId: 'exportAuditLog',
        summary: 'Export the audit log',
        description:
          'Everything recorded before the request, under a checkpoint signed now. A cut answer is not complete.',
        tags: ['audit'],
        querystring: query,
        response: { ...answers({}, 400), 200: entries },
      },
    },
    async (request, reply) => {
      const { format, ...filter } = request.query;
      await recordExport(app, format, filter);
      const pieces = await streamPieces(app.audit.export(format, filter), (error) =>
        app.log.error('An export was cut off', { requestId: request.id, reason: errorMessage(error) }),
      );
      const { type, name } = FORMATS[format];
      reply.type(type).header('content-disposition', `attachment; filename="${name}"`);
      // The schema describes the text; that it comes as a stream is beyond the type provider.
      return reply.send(pieces as never);
    },
  );
};
