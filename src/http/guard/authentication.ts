import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { ApiKeyAuthenticator } from '../../access/apiKeys/keyAuthenticator.ts';
import type { StackAuthenticator } from '../../access/stackAuth/stackUsers.ts';
import type { Principal } from '../../access/types.ts';
import type { AuditOrigin } from '../../audit/types.ts';
import { CsrfTokenError, UnauthenticatedError } from '../errors.ts';
import { type PresentedCredential, presentedCredential } from './presentedCredential.ts';

/** Sessions of people, as the guard asks for them. */
export interface SessionAuthenticator {
  readonly cookieName: string;
  /** Null for a session that is unknown, over or revoked, or whose user is not active. */
  authenticate(
    cookie: string,
    origin: AuditOrigin,
  ): Promise<{ readonly principal: Principal; readonly csrfToken: string; readonly setCookie?: string } | null>;
}

export interface Authenticators {
  /** The installation's key, of the configuration. */
  readonly apiKey: string;
  readonly apiKeys: ApiKeyAuthenticator;
  /** Null where it is not configured. */
  readonly stackAuth: StackAuthenticator | null;
  readonly sessions: SessionAuthenticator | null;
}

interface Authenticated {
  readonly principal: Principal;
  readonly csrfToken: string | null;
  readonly setCookie: string | null;
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
   * @throws UnauthenticatedError, MalformedRequestError, CsrfTokenError
   * @throws UnavailableError the database or the keys of Stack Auth cannot be reached
   */
  async authenticate(request: FastifyRequest, origin: AuditOrigin): Promise<Authenticated> {
    const { sessions } = this.#deps;
    const credential = presentedCredential(
      request.headers,
      request.raw.rawHeaders,
      sessions === null ? null : sessions.cookieName,
    );
    if (credential === null) throw new UnauthenticatedError(null);
    if (credential.kind === 'session') return this.#bySession(request, credential.text, origin);
    const result = await this.#byToken(credential, origin);
    if (result === null) throw new UnauthenticatedError('wrong');
    if ('refused' in result) throw new UnauthenticatedError(result.refused);
    return { principal: result.principal, csrfToken: null, setCookie: null };
  }

  async #byToken(credential: Exclude<PresentedCredential, { kind: 'session' }>, origin: AuditOrigin) {
    if (credential.kind === 'unreadable') return null;
    const { text } = credential;
    // Hashes have one length whatever was sent, so the comparison takes the same time for every wrong key.
    if (timingSafeEqual(sha256(text), this.#keyHash)) return { principal: INSTALLATION };
    if (credential.kind === 'key') return this.#deps.apiKeys.authenticate(text);
    return this.#deps.stackAuth === null ? null : this.#deps.stackAuth.authenticate(text, origin);
  }

  async #bySession(request: FastifyRequest, cookie: string, origin: AuditOrigin): Promise<Authenticated> {
    const session = (await this.#deps.sessions?.authenticate(cookie, origin)) ?? null;
    if (session === null) throw new UnauthenticatedError('The session is over. Sign in again.');
    // A browser sends the cookie by itself, also for a page of another site; the token it does not.
    if (!['GET', 'HEAD'].includes(request.method) && !isToken(request.headers['x-csrf-token'], session.csrfToken))
      throw new CsrfTokenError();
    return { principal: session.principal, csrfToken: session.csrfToken, setCookie: session.setCookie ?? null };
  }
}

function isToken(given: string | string[] | undefined, token: string): boolean {
  return typeof given === 'string' && timingSafeEqual(sha256(given), sha256(token));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
