import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, toPage } from '../../cursor.ts';
import { ruleAnswer, ruleFilter } from '../../schemas/alerts.ts';
import { cursor, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { toRuleAnswer } from './toRuleAnswer.ts';

const query = z.strictObject({ ...ruleFilter, cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listAlertRules: AddRoute = (server, app) => {
  server.get(
    `${API}/alerts/rules`,
    {
      config: { permission: 'monitoring:read' },
      schema: {
        operationId: 'listAlertRules',
        summary: 'List alert rules',
        description: 'In the order they were made.',
        tags: ['monitoring'],
        querystring: query,
        response: answers({ 200: pageOf(ruleAnswer) }, 400),
      },
    },
    async (request) => {
      const { limit, cursor: from, ...filter } = request.query;
      const after = decodeCursor(from, (id) => isId('alertRule', id));
      const page = toPage(await app.alerts.rules.list(filter, after, limit + 1), limit, ({ id }) => id);
      return { ...page, data: page.data.map(toRuleAnswer) };
    },
  );
};
