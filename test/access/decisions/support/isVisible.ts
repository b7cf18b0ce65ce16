import type { IntegrationRef } from '../../../../src/access/types.ts';
import type { VisibleIntegrations } from '../../../../src/integrations/visibleIntegrations.ts';

type Named = Extract<VisibleIntegrations, { kind: 'some' }>['except'];

/** What the list does in SQL, one by one. */
export function isVisible(filter: VisibleIntegrations, integration: IntegrationRef): boolean {
  if (filter.kind !== 'some') return filter.kind === 'all';
  const { only, except, within: ids } = filter;
  return (
    (only === null || isNamed(only, integration)) &&
    !isNamed(except, integration) &&
    (ids === null || ids.includes(integration.id))
  );
}

function isNamed({ ids, owners, platforms }: Named, { id, owner, platform }: IntegrationRef): boolean {
  return ids.includes(id) || owners.includes(owner) || platforms.includes(platform);
}
