import { PERMISSION_NAMES } from '../decisions/permissionNames.ts';
import { PERMISSIONS, type Permission } from '../permissions.ts';

/** What a role allows. `own`: on integrations whose owner is the user. */
export interface RolePermission {
  readonly permission: Permission;
  readonly reach: 'all' | 'own';
}

export interface Role {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly RolePermission[];
}

/** The role that may do everything, also to others of its kind; one active user has it at any time. */
export const OWNER = 'owner';

/**
 * The role of whoever came from outside and was given none yet. No role of this name exists or can be made, so it
 * allows nothing.
 */
export const NO_ROLE = 'none';

const everywhere = (...permissions: readonly Permission[]): RolePermission[] =>
  permissions.map((permission) => ({ permission, reach: 'all' }));

const onOwn = (...permissions: readonly Permission[]): RolePermission[] =>
  permissions.map((permission) => ({ permission, reach: 'own' }));

const ABOUT_INTEGRATIONS = PERMISSION_NAMES.filter((name) => PERMISSIONS[name].scope === 'integration');

/** The roles that are always there; docs/permissions.md has the same as a table, and a test compares them. */
export const BUILT_IN_ROLES: readonly Role[] = [
  { name: OWNER, description: 'May do everything.', permissions: everywhere(...PERMISSION_NAMES) },
  {
    name: 'admin',
    description: 'May do everything but make, change or freeze owners.',
    permissions: everywhere(...PERMISSION_NAMES),
  },
  {
    name: 'operator',
    description: 'Runs every integration: tests, syncs, changes; does not store credentials or delete.',
    permissions: everywhere(
      'integrations:read',
      'integrations:update',
      'integrations:test',
      'integrations:sync',
      'records:read',
      'logs:read',
      'webhooks:read',
      'connectors:read',
      'monitoring:read',
      'monitoring:write',
      'breakGlass:request',
    ),
  },
  {
    name: 'developer',
    description: 'Makes integrations and may do everything with those of one’s own.',
    permissions: [
      ...onOwn(...ABOUT_INTEGRATIONS),
      ...everywhere('connectors:read', 'monitoring:read', 'breakGlass:request'),
    ],
  },
  {
    name: 'viewer',
    description: 'Sees every integration, its records, logs and webhooks; changes and exports nothing.',
    permissions: everywhere(
      'integrations:read',
      'records:read',
      'logs:read',
      'webhooks:read',
      'connectors:read',
      'monitoring:read',
    ),
  },
  {
    name: 'auditor',
    description: 'Reads the audit log, users and integrations; sees no records.',
    permissions: everywhere('audit:read', 'users:read', 'integrations:read', 'monitoring:read'),
  },
];

export function findBuiltInRole(name: string): Role | undefined {
  return BUILT_IN_ROLES.find((role) => role.name === name);
}
