import { z } from 'zod';
import type { App } from '../../../app.ts';
import type { VisibleIntegrations } from '../../../integrations/visibleIntegrations.ts';
import { statsOf } from '../../../rateLimits/limitTallies.ts';
import type { RateLimitStats } from '../../../rateLimits/types.ts';
import { answers } from '../../schemas/problem.ts';
import { statsAnswer } from '../../schemas/rateLimits.ts';
import { type AddRoute, API } from '../route.ts';

const querystring = z.strictObject({ integrationId: z.string().min(1).max(200).optional() });

export const getRateLimitStats: AddRoute = (server, app) => {
  server.get(
    `${API}/rate-limits`,
    {
      config: { permission: 'integrations:read', about: 'many' },
      schema: {
        operationId: 'getRateLimitStats',
        summary: 'Read what is used of rate limits',
        description: 'Of the integrations that the caller may see; at most 1,000 limits, the latest.',
        tags: ['integrations'],
        querystring,
        response: answers({ 200: statsAnswer }),
      },
    },
    async (request) =>
      visibleStats(app, request.query.integrationId, await request.access.visible('integrations:read')),
  );
};

/** Limits of names that are no integration's are for those who may see everything. */
async function visibleStats(
  app: App,
  integrationId: string | undefined,
  visible: VisibleIntegrations,
): Promise<RateLimitStats> {
  const stats = app.rateLimitingService.getRateLimitStats(integrationId);
  if (visible.kind === 'all') return stats;
  const named = new Set(
    [...stats.limits, ...stats.outgoing, ...stats.changes].map(({ integrationId }) => integrationId),
  );
  const seen = new Set<string>();
  for await (const { id } of app.catalog.all({}, visible)) if (named.has(id)) seen.add(id);
  const isSeen = ({ integrationId }: { readonly integrationId: string }) => seen.has(integrationId);
  const { store, limits, outgoing, changes } = stats;
  return { store, ...statsOf(limits.filter(isSeen), outgoing.filter(isSeen)), changes: changes.filter(isSeen) };
}
