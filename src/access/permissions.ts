/**
 * Every permission there is. `integration`: is asked about one integration, so grants and denies may be limited to an
 * integration, a platform or an owner. `workspace`: is about the installation as a whole.
 */
export const PERMISSIONS = {
  'integrations:read': { scope: 'integration', title: 'See an integration, its runs, health and metrics' },
  'integrations:create': { scope: 'integration', title: 'Create an integration' },
  'integrations:update': { scope: 'integration', title: 'Change an integration, connect and disconnect it' },
  'integrations:delete': { scope: 'integration', title: 'Delete an integration with its records' },
  'integrations:test': { scope: 'integration', title: 'Test a connection, check health, ask the rate budget' },
  'integrations:sync': { scope: 'integration', title: 'Start and stop syncs, confirm deletions' },
  'credentials:write': { scope: 'integration', title: 'Store credentials of an integration' },
  'records:read': { scope: 'integration', title: 'Read synced records' },
  'records:export': { scope: 'integration', title: 'Export synced records' },
  'logs:read': { scope: 'integration', title: 'Read and follow logs' },
  'logs:export': { scope: 'integration', title: 'Export logs' },
  'webhooks:read': { scope: 'integration', title: 'See webhook endpoints' },
  'webhooks:write': { scope: 'integration', title: 'Add, change and remove webhook endpoints' },
  'connectors:read': { scope: 'workspace', title: 'See descriptions of platforms' },
  'connectors:write': { scope: 'workspace', title: 'Add and change descriptions of platforms' },
  'users:read': { scope: 'workspace', title: 'See users, their roles and grants' },
  'users:write': { scope: 'workspace', title: 'Invite, change and remove users' },
  'roles:write': { scope: 'workspace', title: 'Change roles, grants and denies' },
  'apiKeys:read': { scope: 'workspace', title: 'See the API keys of everybody' },
  'apiKeys:write': { scope: 'workspace', title: 'Revoke the API keys of everybody' },
  'access:freeze': { scope: 'workspace', title: 'Freeze and unfreeze a user or an API key' },
  'breakGlass:request': { scope: 'workspace', title: 'Ask for break-glass access' },
  'breakGlass:approve': { scope: 'workspace', title: 'Approve the break-glass access of somebody else' },
  'metrics:read': { scope: 'workspace', title: 'Read the metrics of the whole installation' },
  'monitoring:read': { scope: 'workspace', title: 'See health, metrics, dashboards, alerts and notifications' },
  'monitoring:write': {
    scope: 'workspace',
    title: 'Change dashboards, alert rules and who is told; silence and acknowledge alerts',
  },
  'logs:write': { scope: 'workspace', title: 'Set log levels and how long logs are kept' },
  'audit:read': { scope: 'workspace', title: 'Read, export and prove the audit log' },
} as const;

export type Permission = keyof typeof PERMISSIONS;

export function isPermission(text: string): text is Permission {
  return Object.hasOwn(PERMISSIONS, text);
}
