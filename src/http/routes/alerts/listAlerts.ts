import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import type { ListedAlert } from '../../../monitoring/alerts/alertList.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { alertAnswer, alertFilter } from '../../schemas/alerts.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { plain } from '../notifications/plain.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ ...alertFilter, cursor, limit: limitOf(LIMITS.pageSizeMax) });

const CURSOR = /^(\d{1,15})\.([\w-]{1,200})\.([0-9a-f]{16})$/;

export const listAlerts: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listAlerts',
        summary: 'List alerts',
        description:
          'Those that changed last come first. Alerts of integrations show up for those who may see the integration; resolved ones for a day, with `state=normal`. Each says what keeps it from being told of.',
        tags: ['monitoring'],
        querystring: query,
        response: answers({ 200: pageOf(alertAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from, ...filter } = request.query;
      const [, ms, ruleId, fingerprint] = CURSOR.exec(decodeCursor(from, (text) => CURSOR.test(text)) ?? '') ?? [];
      const before = ms === undefined ? null : { changedAt: Number(ms), ruleId: ruleId!, fingerprint: fingerprint! };
      const visible = await request.access.visible('integrations:read');
      const alerts = await app.monitoringService.getAlerts({ ...filter, before, limit: limit + 1 }, visible);
      const page = toPage(alerts, limit, (alert) => `${alert.changedAt}.${alert.ruleId}.${alert.fingerprint}`);
      return { ...page, data: page.data.map(toAnswer) };
    },
  );
};

function toAnswer({
  activeSince,
  firedAt,
  recoveredSince: _,
  resolvedAt,
  changedAt,
  lastEvaluatedAt,
  ...rest
}: ListedAlert) {
  return plain({
    ...rest,
    activeSince: toIso(activeSince),
    firedAt: toIso(firedAt),
    resolvedAt: toIso(resolvedAt),
    changedAt: new Date(changedAt).toISOString(),
    evaluatedAt: new Date(lastEvaluatedAt).toISOString(),
  });
}

function toIso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
