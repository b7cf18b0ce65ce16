import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const ISSUER = 'Integration Services';
/** RFC 6238 with what every authenticator app takes. */
const PERIOD_SECONDS = 30;
const OPTIONS = { algorithm: 'SHA1', digits: 6, period: PERIOD_SECONDS } as const;
/** Steps before and after the present one, for clocks that are wrong. */
const WINDOW = 1;

/** 160 random bits in base32, as RFC 4226 recommends. */
export function newTotpSecret(): string {
  return new Secret({ buffer: Uint8Array.from(randomBytes(20)).buffer }).base32;
}

/** `otpauth://…`, which authenticator apps read from a QR code. */
export function totpUri(secret: string, email: string): string {
  return new TOTP({ ...OPTIONS, issuer: ISSUER, label: email, secret: Secret.fromBase32(secret) }).toString();
}

/** The time step whose code this is, among the three around `nowMs`; null when it is none of theirs. */
export function totpStep(secret: string, code: string, nowMs: number): number | null {
  const token = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return null;
  const delta = TOTP.validate({
    ...OPTIONS,
    token,
    secret: Secret.fromBase32(secret),
    timestamp: nowMs,
    window: WINDOW,
  });
  return delta === null ? null : Math.floor(nowMs / 1000 / PERIOD_SECONDS) + delta;
}
