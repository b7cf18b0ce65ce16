import {
  type EntityJson,
  preparsePolicySet,
  statefulIsAuthorized,
  type TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import { expect } from 'vitest';
import { PERMISSION_NAMES } from '../../../../src/access/decisions/permissionNames.ts';
import type { Scope } from '../../../../src/access/decisions/scope.ts';
import type { AccessSnapshot } from '../../../../src/access/decisions/snapshot.ts';
import { PERMISSIONS } from '../../../../src/access/permissions.ts';
import { BUILT_IN_ROLES, type RolePermission } from '../../../../src/access/roles/builtInRoles.ts';
import type { Question, World } from './worlds.ts';

/** As docs/permissions.md says it; written out here, so that the code's own list is not what it is compared with. */
const CLOSED_TO_BREAK_GLASS = ['audit:*', 'apiKeys:*', 'breakGlass:*', 'roles:write', 'users:write'];

const quote = (text: string) => JSON.stringify(text);
const user = (id: string) => `User::${quote(id)}`;
const actions = (patterns: readonly string[]) => `[${patterns.map((one) => `Action::${quote(one)}`).join(', ')}]`;
const uid = (type: string, id: string): TypeAndId => ({ type, id });

/** Where a permit of this scope counts; on the whole only when it is limited to nothing. */
function permitted(scope: Scope): string {
  if (scope.kind === 'all') return 'true';
  const attribute = scope.kind === 'integration' ? 'name' : scope.kind;
  return `resource is Integration && resource.${attribute} == ${quote(scope.value)}`;
}

/** Where a forbid counts: also on the question about every integration, when it is about integrations. */
function forbidden(scope: Scope): string {
  return scope.kind === 'all' ? 'true' : `resource is EveryIntegration || (${permitted(scope)})`;
}

function until(expiresAtMs: number | null): string {
  return expiresAtMs === null ? 'true' : `context.now < ${expiresAtMs}`;
}

function rolePolicies(name: string, permissions: readonly RolePermission[]): string[] {
  return (['all', 'own'] as const).flatMap((reach) => {
    const names = permissions.filter((one) => one.reach === reach).map((one) => one.permission);
    if (names.length === 0) return [];
    const condition = reach === 'all' ? 'true' : 'resource is Integration && resource.owner == principal.name';
    return `permit(principal in Role::${quote(name)}, action in ${actions(names)}, resource) when { ${condition} };`;
  });
}

/** The same world said in Cedar. */
function toPolicies({ roles, grants, breakGlass }: AccessSnapshot): string {
  const builtIn = BUILT_IN_ROLES.filter(({ name }) => name !== 'owner' && name !== 'admin');
  const policies = [
    'forbid(principal, action, resource) unless { principal.status == "active" };',
    'permit(principal in Role::"owner", action, resource);',
    'permit(principal in Role::"admin", action, resource);',
    ...[...builtIn, ...roles].flatMap(({ name, permissions }) => rolePolicies(name, permissions)),
    ...grants.map((grant) => {
      const head = `(principal == ${user(grant.userId)}, action in ${actions(grant.permissions)}, resource)`;
      return grant.effect === 'allow'
        ? `permit${head} when { ${permitted(grant.scope)} } when { ${until(grant.expiresAtMs)} };`
        : `forbid${head} when { ${forbidden(grant.scope)} } when { ${until(grant.expiresAtMs)} };`;
    }),
    ...breakGlass.map(
      ({ userId, permissions, scope, expiresAtMs }) =>
        `permit(principal == ${user(userId)}, action in ${actions(permissions)}, resource)
         when { ${permitted(scope)} } when { ${until(expiresAtMs)} } unless { action in ${actions(CLOSED_TO_BREAK_GLASS)} };`,
    ),
  ];
  return policies.join('\n');
}

/** Patterns are groups of actions: `records:read` is in `records:*`, which is in `*`. */
function actionOf(permission: string): EntityJson[] {
  const noun = `${permission.split(':')[0]}:*`;
  return [
    { uid: uid('Action', permission), attrs: {}, parents: [uid('Action', noun)] },
    { uid: uid('Action', noun), attrs: {}, parents: [uid('Action', '*')] },
    { uid: uid('Action', '*'), attrs: {}, parents: [] },
  ];
}

const ACTIONS = Object.fromEntries(PERMISSION_NAMES.map((name) => [name, actionOf(name)]));

/** Answers questions about one world with Cedar. */
export function cedarOf({ snapshot }: World, name: string): (question: Question) => boolean {
  const parsed = preparsePolicySet(name, { staticPolicies: toPolicies(snapshot) });
  expect(parsed).toMatchObject({ type: 'success' });
  return ({ userId, permission, integration, nowMs }) => {
    const known = snapshot.users.find(({ id }) => id === userId);
    const resource =
      integration !== null
        ? uid('Integration', integration.id)
        : uid(PERMISSIONS[permission].scope === 'workspace' ? 'Workspace' : 'EveryIntegration', 'it');
    const answer = statefulIsAuthorized({
      preparsedPolicySetId: name,
      principal: uid('User', userId),
      action: uid('Action', permission),
      resource,
      context: { now: nowMs },
      entities: [
        {
          uid: uid('User', userId),
          attrs: { name: userId, status: known?.status ?? 'unknown' },
          parents: known === undefined ? [] : [uid('Role', known.role)],
        },
        {
          uid: resource,
          attrs:
            integration === null
              ? {}
              : { name: integration.id, owner: integration.owner, platform: integration.platform },
          parents: [],
        },
        ...ACTIONS[permission]!,
      ],
    });
    if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
    expect(answer.response.diagnostics.errors).toEqual([]);
    return answer.response.decision === 'allow';
  };
}
