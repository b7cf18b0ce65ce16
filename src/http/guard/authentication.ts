import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiKeyAuthenticator } from '../../access/apiKeys/keyAuthenticator.ts';
import type { StackAuthenticator } from '../../access/stackAuth/stackUsers.ts';
import type { Principal } from '../../access/types.ts';
import type { AuditOrigin } from '../../audit/types.ts';
import { UnauthenticatedError } from '../errors.ts';
import { originOf } from './origin.ts';
import { type PresentedCredential, presentedCredential } from './presentedCredential.ts';

interface SessionAuthentication {
  readonly principal: Principal;
  readonly csrfToken: string;
}

/** Sessions of people, as the guard asks for them. */
interface SessionAuthenticator {
  readonly cookieName: string;
  /**
   * Null for a session that is unknown, over or revoked, or whose user is not active. Throws where a change comes
   * without the session's token or from a page of another site. May renew the cookie with the answer.
   */
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<SessionAuthentication | null>;
}

export interface Authenticators {
  /** The installation's key, of the configuration. */
  readonly apiKey: string;
  readonly apiKeys: ApiKeyAuthenticator;
  /** Null where it is not configured. */
  readonly stackAuth: StackAuthenticator | null;
  readonly sessions: SessionAuthenticator;
}

interface Authenticated {
  readonly principal: Principal;
  /** Of the session that it came with. */
  readonly csrfToken: string | null;
}

const INSTALLATION: Principal = { kind: 'installation', name: 'API_KEY' };

/** Tells who makes a request, by the one credential that came with it. */
export class RequestAuthentication {
  readonly #deps: Authenticators;
  readonly #keyHash: Buffer;

  constructor(deps: Authenticators) {
    this.#deps = deps;
    this.#keyHash = sha256(deps.apiKey);
  }

  /**
   * @throws UnauthenticatedError, MalformedRequestError, and what sessions throw
   * @throws UnavailableError the database or the keys of Stack Auth cannot be reached
   */
  async authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Authenticated> {
    const { sessions } = this.#deps;
    const credential = presentedCredential(request.headers, request.raw.rawHeaders, sessions.cookieName);
    if (credential === null) throw new UnauthenticatedError(null);
    if (credential.kind === 'session') {
      const session = await sessions.authenticate(request, reply);
      if (session === null) throw new UnauthenticatedError('The session is over. Sign in again.');
      return session;
    }
    const result = await this.#byToken(credential, originOf(request));
    if (result === null) throw new UnauthenticatedError('wrong');
    if ('refused' in result) throw new UnauthenticatedError(result.refused);
    return { principal: result.principal, csrfToken: null };
  }

  async #byToken(credential: Exclude<PresentedCredential, { kind: 'session' }>, origin: AuditOrigin) {
    if (credential.kind === 'unreadable') return null;
    const { text } = credential;
    // Hashes have one length whatever was sent, so the comparison takes the same time for every wrong key.
    if (timingSafeEqual(sha256(text), this.#keyHash)) return { principal: INSTALLATION };
    if (credential.kind === 'key') return this.#deps.apiKeys.authenticate(text);
    return this.#deps.stackAuth === null ? null : this.#deps.stackAuth.authenticate(text, origin);
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
