import { randomBytes, timingSafeEqual } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { AuditEvent, AuditOrigin, AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import { newId } from '../../core/ids.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { Principal } from '../types.ts';
import { SessionNotFoundError } from './errors.ts';
import { hashToken } from './secretTokens.ts';
import { SessionCookies } from './sessionCookie.ts';
import {
  endSessions,
  findLiveSession,
  findLiveSessionIds,
  markSeen,
  replaceSecret,
  type SessionState,
} from './sessionQueries.ts';

const IDLE_SECONDS = 12 * 3_600;
export const SESSION_SECONDS = 30 * 86_400;
/** After so long in use a session gets a new secret. */
const ROTATE_SECONDS = 15 * 60;
/** For requests that were under way when the new secret arrived. */
const FORMER_GOOD_SECONDS = 60;
const SEEN_EVERY_SECONDS = 60;
const MAX_PER_USER = 100;
/** A session that ended elsewhere is noticed within this, so less than a second in all. */
const CACHED_MS = 750;
const MAX_CACHED = 5_000;
const MAX_USER_AGENT_CHARS = 300;

export type UserPrincipal = Extract<Principal, { kind: 'user' }>;

export interface AuthenticatedSession {
  readonly principal: UserPrincipal;
  /** What changes made with this session have to bring as X-CSRF-Token. */
  readonly csrfToken: string;
  /** The cookie's new value, when the answer has to bring one. */
  readonly setCookie?: string;
}

/** A session as its user sees it. */
export interface SessionInfo {
  readonly id: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  /** Where the person signed in. */
  readonly address: string | null;
  readonly lastAddress: string | null;
  readonly userAgent: string | null;
}

/**
 * Sessions of people who signed in. A cookie holds the id and a secret that changes every 15 minutes of use; whoever
 * comes with a secret that was replaced has a copy, so then the session ends for everybody.
 *
 * A new secret may be lost on its way. So the former one stays good until a minute after the new one was first seen;
 * without that, a broken connection would end sessions.
 */
export class SessionService {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #cookies: SessionCookies;
  readonly #cache: LRUCache<string, AuthenticatedSession>;

  constructor(parts: {
    readonly database: Database;
    readonly audit: AuditTrail;
    readonly jwtSecret: string;
    readonly clock: Clock;
  }) {
    this.#database = parts.database;
    this.#audit = parts.audit;
    this.#cookies = new SessionCookies(parts.jwtSecret);
    this.#cache = new LRUCache({
      max: MAX_CACHED,
      ttl: CACHED_MS,
      ttlResolution: 0,
      perf: { now: () => parts.clock.monotonicMs() },
    });
  }

  /** Begins a session in the transaction that proves the user; the value for the cookie. */
  async begin(tx: Transaction<Schema>, userId: string, origin: AuditOrigin): Promise<AuthenticatedSession> {
    const id = newId('session');
    const secret = newSecret();
    await this.#endOldest(tx, userId);
    await tx
      .insertInto('sessions')
      .values({
        id,
        user_id: userId,
        secret_hash: hashToken(secret),
        address: origin.address ?? null,
        last_address: origin.address ?? null,
        user_agent: origin.userAgent?.slice(0, MAX_USER_AGENT_CHARS) ?? null,
        expires_at: sql`now() + make_interval(secs => ${SESSION_SECONDS})`,
      })
      .execute();
    return { ...this.#session(userId, id), setCookie: this.#cookies.write({ sessionId: id, secret }) };
  }

  /** Whose session the cookie proves; null when it proves none. `setCookie` must reach the browser when it is there. */
  async authenticate(cookie: string, origin: AuditOrigin = {}): Promise<AuthenticatedSession | null> {
    const read = this.#cookies.read(cookie);
    if (read === null) return null;
    const cacheKey = hashToken(cookie).toString('base64');
    const cached = this.#cache.get(cacheKey);
    if (cached !== undefined) return cached;

    const presented = hashToken(read.secret);
    const state = await findLiveSession(this.#database.db, read.sessionId, IDLE_SECONDS);
    if (state === null) return null;
    const isPresent = timingSafeEqual(presented, state.secretHash);
    if (!isPresent && !isFormerGood(state, presented)) {
      await this.#endStolen(state.userId, read.sessionId, origin);
      return null;
    }
    const session = this.#session(state.userId, read.sessionId);
    const next = isDueForSecret(state, isPresent) ? newSecret() : null;
    const hashes = next === null ? null : { present: state.secretHash, former: presented, next: hashToken(next) };
    if (hashes !== null && (await replaceSecret(this.#database.db, read.sessionId, hashes))) {
      await markSeen(this.#database.db, read.sessionId, origin.address, null);
      return { ...session, setCookie: this.#cookies.write({ sessionId: read.sessionId, secret: next! }) };
    }
    const firstSeen = isPresent && state.secretSeenSeconds === null;
    if (firstSeen || state.unseenSeconds > SEEN_EVERY_SECONDS) {
      await markSeen(this.#database.db, read.sessionId, origin.address, isPresent ? presented : null);
    }
    this.#cache.set(cacheKey, session);
    return session;
  }

  /** Those of these sessions that are still good. @throws UnavailableError */
  async liveAmong(sessionIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(await findLiveSessionIds(this.#database.db, sessionIds, IDLE_SECONDS));
  }

  csrfToken(sessionId: string): string {
    return this.#cookies.csrfToken(sessionId);
  }

  isCsrfToken(sessionId: string, token: string): boolean {
    return this.#cookies.isCsrfToken(sessionId, token);
  }

  /** The sessions of a user that have not ended, the newest first; at most 100. */
  async list(userId: string): Promise<SessionInfo[]> {
    const rows = await this.#database.db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('ended_at', 'is', null)
      .where('expires_at', '>', sql<Date>`now()`)
      .where('last_seen_at', '>', sql<Date>`now() - make_interval(secs => ${IDLE_SECONDS})`)
      .orderBy('id', 'desc')
      .limit(MAX_PER_USER)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      createdAt: row.created_at.toISOString(),
      lastSeenAt: row.last_seen_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      address: row.address,
      lastAddress: row.last_address,
      userAgent: row.user_agent,
    }));
  }

  /** Ends one session of the person. @throws SessionNotFoundError, also for those of others */
  async end(principal: UserPrincipal, sessionId: string, origin: AuditOrigin): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const ended = await endSessions(tx, principal.userId, { only: sessionId });
      if (ended.length === 0) throw new SessionNotFoundError(sessionId);
      await this.#audit.record(tx, {
        actor: { kind: 'user', id: principal.userId },
        action: sessionId === principal.sessionId ? 'session.loggedOut' : 'session.revoked',
        outcome: 'success',
        target: { kind: 'session', id: sessionId },
        origin,
      });
    });
    this.forget();
  }

  /** Ends all sessions of the person; how many. */
  async endAll(principal: UserPrincipal, origin: AuditOrigin): Promise<number> {
    const ended = await this.#database.transaction(async (tx) => {
      const ids = await endSessions(tx, principal.userId);
      await this.#audit.record(tx, {
        actor: { kind: 'user', id: principal.userId },
        action: 'session.allRevoked',
        outcome: 'success',
        target: { kind: 'user', id: principal.userId },
        details: { sessions: ids.length },
        origin,
      });
      return ids.length;
    });
    this.forget();
    return ended;
  }

  /** Has this process ask the database again at once; after a transaction that ended sessions. */
  forget(): void {
    this.#cache.clear();
  }

  #session(userId: string, sessionId: string): AuthenticatedSession {
    return { principal: { kind: 'user', userId, sessionId }, csrfToken: this.csrfToken(sessionId) };
  }

  async #endStolen(userId: string, sessionId: string, origin: AuditOrigin): Promise<void> {
    await this.#database.transaction(async (tx) => {
      if ((await endSessions(tx, userId, { only: sessionId })).length === 0) return;
      await this.#audit.record(tx, {
        actor: { kind: 'system', id: 'sessions' },
        action: 'session.revoked',
        outcome: 'success',
        target: { kind: 'session', id: sessionId },
        details: { userId, reason: 'a secret that had been replaced was used: somebody has a copy of the cookie' },
        origin,
      });
    });
    this.forget();
  }

  async #endOldest(tx: Transaction<Schema>, userId: string): Promise<void> {
    await sql`
      update sessions set ended_at = now()
      where id in (
        select id from sessions where user_id = ${userId} and ended_at is null order by id desc offset ${MAX_PER_USER - 1}
      )`.execute(tx);
  }
}

/** What the audit log has of every session that begins, and of how the person was proven. */
export function loginEvent(
  { userId, sessionId }: UserPrincipal,
  method: 'password' | 'totp' | 'recoveryCode' | 'setupLink' | 'invitation',
  origin: AuditOrigin,
): AuditEvent {
  return {
    actor: { kind: 'user', id: userId },
    action: 'login.succeeded',
    outcome: 'success',
    target: { kind: 'session', id: sessionId },
    details: { method },
    origin,
  };
}

function isFormerGood(state: SessionState, presented: Buffer): boolean {
  const { formerSecretHash, secretSeenSeconds } = state;
  if (formerSecretHash === null || !timingSafeEqual(presented, formerSecretHash)) return false;
  return secretSeenSeconds === null || secretSeenSeconds < FORMER_GOOD_SECONDS;
}

/** The present secret is old, or the one that was to replace the former never arrived. */
function isDueForSecret(state: SessionState, isPresent: boolean): boolean {
  if (isPresent) return state.secretAgeSeconds > ROTATE_SECONDS;
  return state.secretSeenSeconds === null && state.secretAgeSeconds > FORMER_GOOD_SECONDS;
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
