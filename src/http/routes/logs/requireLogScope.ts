import type { App } from '../../../app.ts';

/** So that a mistyped id is not taken for a setting. @throws IntegrationNotFoundError */
export async function requireLogScope(app: App, scope: string): Promise<void> {
  if (scope !== '*' && scope !== 'system') await app.catalog.get(scope);
}
