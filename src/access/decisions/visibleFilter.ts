import { type Expression, type SqlBool, sql } from 'kysely';
import type { IntegrationRef } from '../types.ts';
import type { Scope } from './scope.ts';

/** Integrations named one by one, by owner or by platform. */
interface Named {
  readonly ids: readonly string[];
  readonly owners: readonly string[];
  readonly platforms: readonly string[];
}

/** Which integrations somebody may see, as data. */
export type VisibleFilter =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | {
      readonly kind: 'some';
      /** In one of these; null: all but `except`. */
      readonly only: Named | null;
      readonly except: Named;
      /** And, for an API key that is limited to some, one of these ids. */
      readonly within: readonly string[] | null;
    };

/** What is left of `allowed` without `denied`. */
export function visibleOf(allowed: readonly Scope[], denied: readonly Scope[]): VisibleFilter {
  if (allowed.length === 0 || denied.some(isAll)) return { kind: 'none' };
  const all = allowed.some(isAll);
  if (all && denied.length === 0) return { kind: 'all' };
  return { kind: 'some', only: all ? null : named(allowed), except: named(denied), within: null };
}

/** The same, limited to these ids. */
export function within(filter: VisibleFilter, integrationIds: readonly string[] | null): VisibleFilter {
  if (filter.kind === 'none' || integrationIds === null) return filter;
  const { only, except } = filter.kind === 'some' ? filter : { only: null, except: named([]) };
  return { kind: 'some', only, except, within: integrationIds };
}

export function isVisible(filter: VisibleFilter, integration: IntegrationRef): boolean {
  if (filter.kind !== 'some') return filter.kind === 'all';
  const { only, except, within: ids } = filter;
  return (
    (only === null || isNamed(only, integration)) &&
    !isNamed(except, integration) &&
    (ids === null || ids.includes(integration.id))
  );
}

/** The same as a condition on the table `integrations`, which the query calls `alias`. */
export function visibleCondition(filter: VisibleFilter, alias = 'i'): Expression<SqlBool> {
  if (filter.kind !== 'some') return filter.kind === 'all' ? sql<SqlBool>`true` : sql<SqlBool>`false`;
  const parts = [
    ...(filter.only === null ? [] : [namedCondition(filter.only, alias)]),
    sql`not ${namedCondition(filter.except, alias)}`,
    ...(filter.within === null ? [] : [sql`${sql.ref(`${alias}.id`)} = any(${filter.within}::text[])`]),
  ];
  return sql<SqlBool>`(${sql.join(parts, sql` and `)})`;
}

function namedCondition({ ids, owners, platforms }: Named, alias: string) {
  const columns = [['id', ids] as const, ['owner', owners] as const, ['platform', platforms] as const]
    .filter(([, values]) => values.length > 0)
    .map(([column, values]) => sql`${sql.ref(`${alias}.${column}`)} = any(${values}::text[])`);
  return columns.length === 0 ? sql`false` : sql`(${sql.join(columns, sql` or `)})`;
}

function isNamed({ ids, owners, platforms }: Named, { id, owner, platform }: IntegrationRef): boolean {
  return ids.includes(id) || owners.includes(owner) || platforms.includes(platform);
}

function named(scopes: readonly Scope[]): Named {
  const values = (kind: Scope['kind']) => [
    ...new Set(scopes.flatMap((scope) => (scope.kind === kind && scope.kind !== 'all' ? [scope.value] : []))),
  ];
  return { ids: values('integration'), owners: values('owner'), platforms: values('platform') };
}

function isAll(scope: Scope): boolean {
  return scope.kind === 'all';
}
