import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import type { ListedAlert } from '../../../monitoring/alerts/alertList.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { alertAnswer, alertFilter } from '../../schemas/alerts.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
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
          'Those that changed last come first. Alerts of integrations show up for those who may see the integration; resolved ones for a day, with `state=normal`.',
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
      const alerts = await app.alerts.list(filter, visible, before, limit + 1);
      const page = toPage(alerts, limit, (alert) => `${alert.changedAt}.${alert.ruleId}.${alert.fingerprint}`);
      return { ...page, data: page.data.map(toAnswer) };
    },
  );
};

function toAnswer(alert: ListedAlert) {
  const { activeSince, firedAt, resolvedAt, changedAt, lastEvaluatedAt, labels, annotations, ...rest } = alert;
  return {
    ...rest,
    labels: { ...labels },
    annotations: { ...annotations },
    activeSince: toIso(activeSince),
    firedAt: toIso(firedAt),
    resolvedAt: toIso(resolvedAt),
    changedAt: new Date(changedAt).toISOString(),
    evaluatedAt: new Date(lastEvaluatedAt).toISOString(),
  };
}

function toIso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
