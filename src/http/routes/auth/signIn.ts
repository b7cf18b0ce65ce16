import type { FastifyReply } from 'fastify';
import type { AuthenticatedSession } from '../../../access/accounts/sessions.ts';
import type { User } from '../../../access/accounts/userQueries.ts';
import type { App } from '../../../app.ts';
import { setSessionCookie } from '../../sessionAuthentication.ts';

/** The answer to whoever has just signed in: the session as a cookie, and what its pages need. */
export function signIn(reply: FastifyReply, { config }: App, user: User, session: AuthenticatedSession) {
  if (session.setCookie !== undefined) setSessionCookie(reply, session.setCookie, config);
  return { user, csrfToken: session.csrfToken };
}
