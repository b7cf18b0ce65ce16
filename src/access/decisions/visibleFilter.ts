import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Scope } from './scope.ts';

/** What is left of `allowed` without `denied`. */
export function visibleOf(allowed: readonly Scope[], denied: readonly Scope[]): VisibleIntegrations {
  if (allowed.length === 0 || denied.some(isAll)) return { kind: 'none' };
  const all = allowed.some(isAll);
  if (all && denied.length === 0) return { kind: 'all' };
  return { kind: 'some', only: all ? null : named(allowed), except: named(denied), within: null };
}

/** The same, limited to these ids. */
export function within(filter: VisibleIntegrations, integrationIds: readonly string[] | null): VisibleIntegrations {
  if (filter.kind === 'none' || integrationIds === null) return filter;
  const { only, except } = filter.kind === 'some' ? filter : { only: null, except: named([]) };
  return { kind: 'some', only, except, within: integrationIds };
}

function named(scopes: readonly Scope[]) {
  const values = (kind: Scope['kind']) => [
    ...new Set(scopes.flatMap((scope) => (scope.kind === kind && scope.kind !== 'all' ? [scope.value] : []))),
  ];
  return { ids: values('integration'), owners: values('owner'), platforms: values('platform') };
}

function isAll(scope: Scope): boolean {
  return scope.kind === 'all';
}
