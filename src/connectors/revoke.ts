import { authModeOf, tokenSourceFor } from './authentication/authenticatorFor.ts';
import { revokeToken } from './authentication/clientCredentials.ts';
import { logOut } from './authentication/sessionLogin.ts';
import type { ConnectorSession } from './types.ts';

/**
 * Gives back to the provider what it has issued to us: tokens and sessions. What a person made and pasted (an API
 * key, a personal access token) stays theirs: it may be in use elsewhere.
 *
 * Only this process's tokens are known; those of other replicas expire by themselves.
 */
export async function revokeCredentials(session: ConnectorSession, signal: AbortSignal): Promise<void> {
  const mode = authModeOf(session);
  const issued = tokenSourceFor(session, mode)?.take();
  if (issued === undefined) return;
  if (mode.type === 'session' && mode.logout !== undefined) await logOut(session, mode.logout, issued, signal);
  if (mode.type === 'oauth2_client_credentials' && mode.revokeUrl !== undefined)
    await revokeToken(session, { ...mode, revokeUrl: mode.revokeUrl }, issued.token, signal);
}
