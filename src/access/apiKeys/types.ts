import type { KeyScopes } from '../types.ts';

/** An API key as it may be shown; the key itself is shown once, when it is made. */
export interface ApiKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly scopes: KeyScopes;
  /** `expired`: its time is over, or it was rotated and the overlap is. */
  readonly status: 'active' | 'frozen' | 'revoked' | 'expired';
  readonly frozenReason: string | null;
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null;
  /** ISO 8601, to the minute; null: never. */
  readonly lastUsedAt: string | null;
  /** Id of the key that it replaces. */
  readonly rotatedFrom: string | null;
  /** ISO 8601: it was rotated, and works beside the new one until then. */
  readonly overlapUntil: string | null;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

/** A key that was just made. `key` is shown this once. */
export interface MadeApiKey {
  readonly apiKey: ApiKey;
  readonly key: string;
}
