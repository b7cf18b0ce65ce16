import type { Permission } from './permissions.ts';

/** Who makes a request, proven. Decisions are made about `userId`; an API key can do what its scopes leave of that. */
export type Principal =
  | { readonly kind: 'user'; readonly userId: string; readonly sessionId: string }
  | { readonly kind: 'apiKey'; readonly userId: string; readonly apiKeyId: string; readonly scopes: KeyScopes }
  /** The key of the configuration, and the command line on the machine itself: may do everything. */
  | { readonly kind: 'installation'; readonly name: 'API_KEY' | 'command line' | 'library' };

/** What an API key is limited to; null: to whatever its user may do. */
export interface KeyScopes {
  readonly permissions: readonly Permission[] | null;
  readonly integrationIds: readonly string[] | null;
}

/** What a decision about one integration needs to know of it. */
export interface IntegrationRef {
  readonly id: string;
  readonly owner: string;
  readonly platform: string;
}

/** An answer to "may they?", with the rule that made it. */
export interface Decision {
  readonly allowed: boolean;
  /** In words, for a person. */
  readonly reason: string;
  /** The role, grant, deny or break-glass that decided; null: nothing allowed it. */
  readonly ruleId: string | null;
}
