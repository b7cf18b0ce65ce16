import { LRUCache } from 'lru-cache';
import type { ConnectorSession } from '../types.ts';
import { type IssuedToken, TokenCache, tokenKey } from './tokenCache.ts';

/** Tokens issued for one integration's credentials. */
export interface TokenSource {
  get(signal: AbortSignal): Promise<IssuedToken>;
  /** The provider refused this token; true when a new one may be accepted. */
  refused(token: string): boolean;
  /** Takes the cached token out, to be given back to the provider. */
  take(): IssuedToken | undefined;
}

/** Shared by all sessions of the process: they are short, tokens are not. */
const cache = new TokenCache();

/** A token is hidden also after another took its place. */
const REMEMBERED_TOKENS = 6;
const remembered = new LRUCache<string, readonly string[]>({ max: 10_000 });

/** The tokens lately issued for an integration, so that they can be hidden. */
export function issuedTokens(integrationId: string): readonly string[] {
  return remembered.get(integrationId) ?? [];
}

function remember(integrationId: string, { token, refreshToken }: IssuedToken): void {
  const issued = [token, ...(refreshToken === undefined ? [] : [refreshToken])];
  remembered.set(integrationId, [...issued, ...issuedTokens(integrationId)].slice(0, REMEMBERED_TOKENS));
}

/** @param issuedFor what the token depends on, besides integration and credentials */
export function cachedTokens(
  session: ConnectorSession,
  issuedFor: readonly unknown[],
  obtain: (signal: AbortSignal) => Promise<IssuedToken>,
): TokenSource {
  const credentials = Object.entries(session.credentials).sort(([a], [b]) => (a < b ? -1 : 1));
  const key = tokenKey([session.integrationId, session.connector.platform, credentials, issuedFor]);
  return {
    get: (signal) =>
      cache.get(key, session.clock, signal, async (deadline) => {
        const issued = await obtain(deadline);
        remember(session.integrationId, issued);
        return issued;
      }),
    refused: (token) => cache.refused(key, token, session.clock),
    take: () => cache.take(key),
  };
}
