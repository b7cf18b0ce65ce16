import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { alertChangeAnswer, alertHistoryFilter } from '../../schemas/alerts.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { plain } from '../notifications/plain.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ ...alertHistoryFilter, cursor, limit: limitOf(LIMITS.pageSizeMax) });

const CURSOR = /^(\d{1,15})\.(\d{1,15})$/;

export const listAlertHistory: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/history`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listAlertHistory',
        summary: 'List what became of alerts',
        description:
          'Every change of the last 30 days, newest first, as it was told at the time. Changes of alerts of integrations show up for those who may see the integration.',
        tags: ['monitoring'],
        querystring: query,
        response: answers({ 200: pageOf(alertChangeAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from, since, until, ...filter } = request.query;
      const [, ms, seq] = CURSOR.exec(decodeCursor(from, (text) => CURSOR.test(text)) ?? '') ?? [];
      const before = ms === undefined ? null : { atMs: Number(ms), seq: Number(seq) };
      const times = { ...(since && { since: new Date(since) }), ...(until && { until: new Date(until) }) };
      const visible = await request.access.visible('integrations:read');
      const changes = await app.monitoringService.getAlertHistory(
        { ...filter, ...times, before, limit: limit + 1 },
        visible,
      );
      const page = toPage(changes, limit, ({ at, seq }) => `${at}.${seq}`);
      return { ...page, data: page.data.map((one) => plain({ ...one, at: new Date(one.at).toISOString() })) };
    },
  );
};
