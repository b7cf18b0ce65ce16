import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import { emailSchema, personNameSchema } from '../accounts/schemas.ts';
import { Jwks } from './jwks.ts';

/** Longer ones are refused before anything is decoded; real ones are around 1 KB. */
const MAX_TOKEN_CHARS = 8 * 1024;
const MAX_ID_CHARS = 200;
/** How far the clocks of issuer and server may be apart. */
const CLOCK_TOLERANCE_S = 5;
/** Access tokens live minutes; one that is older than a day is none, whatever its `exp` says. */
const MAX_AGE_S = 86_400;
/** The only algorithm: a token does not choose how it is checked. */
const ALGORITHMS = ['ES256'];

export interface StackTokenOptions {
  readonly projectId: string;
  /** Base addresses that may issue tokens. */
  readonly issuers: readonly string[];
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a genuine token says of its user. */
export interface StackClaims {
  readonly subject: string;
  /** The session at Stack Auth. */
  readonly sessionId: string;
  readonly email: string | null;
  /** Whether Stack Auth has seen that the address is theirs. */
  readonly emailVerified: boolean;
  readonly name: string | null;
}

type Verified = { readonly claims: StackClaims } | { readonly refused: string };

/**
 * Checks access tokens of Stack Auth: ES256, issued by one of the configured issuers for the configured project, in
 * their time, and neither of a restricted nor of an anonymous user. Keys come from the issuer's own address; `jku`,
 * `x5u` and `jwk` of a token are not looked at.
 */
export class StackTokens {
  readonly #options: StackTokenOptions;
  readonly #keys: ReadonlyMap<string, Jwks>;

  constructor(options: StackTokenOptions) {
    this.#options = options;
    const { projectId, fetch, clock, log } = options;
    this.#keys = new Map(
      options.issuers.map((base) => {
        const issuer = `${base}/api/v1/projects/${encodeURIComponent(projectId)}`;
        return [issuer, new Jwks({ url: `${issuer}/.well-known/jwks.json`, fetch, clock, log })];
      }),
    );
  }

  /** @throws UnavailableError the issuer's keys cannot be fetched */
  async verify(token: string): Promise<Verified> {
    const { projectId, clock } = this.#options;
    if (token.length > MAX_TOKEN_CHARS) return { refused: 'The token is longer than those of Stack Auth are.' };
    const named = readNames(token);
    const keys = named === null ? undefined : this.#keys.get(named.issuer);
    if (named === null || keys === undefined) return { refused: 'The token is not one of Stack Auth for this server.' };
    const find = await keys.keysFor(named.keyId);
    try {
      const { payload } = await verifySignedToken(token, find, {
        issuer: named.issuer,
        audience: projectId,
        currentDate: new Date(clock.now()),
      });
      return judge(payload, projectId);
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { refused: 'The token has expired. Get a new one.' };
      if (error instanceof errors.JOSEError || error instanceof TypeError)
        return { refused: 'The token is not valid for this server.' };
      throw error;
    }
  }
}

/** The check itself, with the keys of one issuer. @throws JOSEError of any kind */
export function verifySignedToken(
  token: string,
  find: JWTVerifyGetKey,
  expected: { readonly issuer: string; readonly audience: string; readonly currentDate: Date },
): Promise<JWTVerifyResult> {
  return jwtVerify(token, find, {
    ...expected,
    algorithms: ALGORITHMS,
    requiredClaims: ['exp', 'iat', 'sub'],
    clockTolerance: CLOCK_TOLERANCE_S,
    // Also refuses an `iat` of the future.
    maxTokenAge: MAX_AGE_S,
  });
}

/** The key and issuer that a token names, not yet proven; null when it cannot be one of ours. */
function readNames(token: string): { readonly keyId: string; readonly issuer: string } | null {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const { iss } = decodeJwt(token);
    if (alg === undefined || !ALGORITHMS.includes(alg)) return null;
    if (!isId(kid) || typeof iss !== 'string') return null;
    return { keyId: kid, issuer: iss };
  } catch {
    return null;
  }
}

function judge(payload: JWTPayload, projectId: string): Verified {
  const { sub, project_id, is_restricted, is_anonymous, refresh_token_id, email, email_verified, name } = payload;
  if (project_id !== projectId || payload.aud !== projectId) return { refused: 'The token is of another project.' };
  if (!isId(sub)) return { refused: 'The token names no user.' };
  // Whatever is not plainly false is refused.
  if (is_restricted !== undefined && is_restricted !== false)
    return { refused: 'Stack Auth has restricted this user. Finish what it asks for there.' };
  if (is_anonymous !== undefined && is_anonymous !== false)
    return { refused: 'Anonymous users have no account here. Sign in.' };
  return {
    claims: {
      subject: sub,
      sessionId: isId(refresh_token_id) ? refresh_token_id : sub,
      email: emailSchema.safeParse(email).data ?? null,
      emailVerified: email_verified === true,
      name: personNameSchema.safeParse(nameOf(name)).data ?? null,
    },
  };
}

/** Cut to what is taken; whatever else does not fit, such as control characters, makes it none. */
function nameOf(name: unknown): unknown {
  return typeof name === 'string' ? name.trim().slice(0, MAX_ID_CHARS) : name;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) && value.length <= MAX_ID_CHARS;
}
