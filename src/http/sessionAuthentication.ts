import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { CsrfTokenRejectedError, SessionRequiredError } from '../access/accounts/errors.ts';
import { type AuthenticatedSession, SESSION_SECONDS, type UserPrincipal } from '../access/accounts/sessions.ts';
import type { Config } from '../config/config.ts';
import { ForeignSiteError } from './errors.ts';
import { originOf } from './guard/origin.ts';

export const SESSION_COOKIE = 'is_session';
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

interface Parts {
  readonly access: Pick<Access, 'accounts'>;
  readonly config: Config;
}

/**
 * The session that the request's cookie proves, with what a change needs besides; null without a cookie or when it
 * proves nothing. A cookie that is due for a new secret gets it with the answer.
 * @throws ForeignSiteError, CsrfTokenRejectedError
 */
export async function authenticateSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { access, config }: Parts,
): Promise<AuthenticatedSession | null> {
  const cookie = request.cookies[SESSION_COOKIE];
  if (cookie === undefined) return null;
  const session = await access.accounts.sessions.authenticate(cookie, originOf(request));
  if (session === null) return null;
  requireCsrf(request, session, { access, config });
  if (session.setCookie !== undefined) setSessionCookie(reply, session.setCookie, config);
  return session;
}

/**
 * A change made with a session must come from a page of ours: by the Origin, which browsers send, and by the token,
 * which pages of other sites cannot read.
 * @throws ForeignSiteError, CsrfTokenRejectedError
 */
function requireCsrf(request: FastifyRequest, session: AuthenticatedSession, { access, config }: Parts): void {
  if (SAFE_METHODS.has(request.method)) return;
  requireOwnOrigin(request, config);
  const token = request.headers['x-csrf-token'];
  if (typeof token !== 'string' || !access.accounts.sessions.isCsrfToken(session.principal.sessionId, token)) {
    throw new CsrfTokenRejectedError();
  }
}

/** @throws ForeignSiteError when a browser says that the request comes from a page of another site */
export function requireOwnOrigin(request: FastifyRequest, config: Config): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const isOwn = origin === undefined || origin === new URL(config.publicUrl).origin || isOfHost(origin, host);
  if (isOwn && site !== 'cross-site' && site !== 'same-site') return;
  throw new ForeignSiteError(
    `A page of ${JSON.stringify(origin ?? 'another site')} may not do this. Use a page of ${config.publicUrl}.`,
  );
}

export function setSessionCookie(reply: FastifyReply, value: string, config: Config): void {
  void reply.setCookie(SESSION_COOKIE, value, { ...cookieOptions(config), maxAge: SESSION_SECONDS });
}

export function clearSessionCookie(reply: FastifyReply, config: Config): void {
  void reply.clearCookie(SESSION_COOKIE, cookieOptions(config));
}

/** The person whose session this is. @throws SessionRequiredError for a key */
export function requireUser({ principal }: FastifyRequest): UserPrincipal {
  if (principal?.kind !== 'user') throw new SessionRequiredError();
  return principal;
}

function cookieOptions({ publicUrl }: Config) {
  return { httpOnly: true, sameSite: 'strict', secure: publicUrl.startsWith('https:'), path: '/' } as const;
}

function isOfHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host;
}
