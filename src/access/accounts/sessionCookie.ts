import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { isId } from '../../core/ids.ts';

/** What a session's cookie says: which session, and the secret that proves it. */
export interface SessionCookie {
  readonly sessionId: string;
  readonly secret: string;
}

const MAX_CHARS = 256;

/**
 * Signs the values of session cookies with a key derived from JWT_SECRET, so that what was not made here is refused
 * without asking the database, and an old secret of a session is known to be a real one.
 */
export class SessionCookies {
  readonly #cookieKey: Buffer;
  readonly #csrfKey: Buffer;

  constructor(jwtSecret: string) {
    this.#cookieKey = deriveKey(jwtSecret, 'session-cookie');
    this.#csrfKey = deriveKey(jwtSecret, 'csrf-token');
  }

  write({ sessionId, secret }: SessionCookie): string {
    return `${sessionId}.${secret}.${mac(this.#cookieKey, `${sessionId}.${secret}`)}`;
  }

  /** Null for everything that `write` did not make. */
  read(value: string): SessionCookie | null {
    if (value.length > MAX_CHARS) return null;
    const [sessionId, secret, signature, ...rest] = value.split('.');
    if (sessionId === undefined || secret === undefined || signature === undefined || rest.length > 0) return null;
    if (!isId('session', sessionId)) return null;
    return equal(signature, mac(this.#cookieKey, `${sessionId}.${secret}`)) ? { sessionId, secret } : null;
  }

  /** The token that changes made with this session have to bring; pages of other sites cannot read it. */
  csrfToken(sessionId: string): string {
    return mac(this.#csrfKey, sessionId);
  }

  isCsrfToken(sessionId: string, token: string): boolean {
    return equal(token, this.csrfToken(sessionId));
  }
}

function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `integration-services/${purpose}/1`, 32));
}

function mac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** In constant time, for texts whose right length is no secret. */
function equal(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
