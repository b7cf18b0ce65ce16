import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** What an id's prefix says it is. */
const ID_PREFIXES = {
  integration: 'int',
  operation: 'op',
  attempt: 'att',
  syncRun: 'syn',
  webhook: 'whk',
  installationKey: 'key',
  request: 'req',
  user: 'usr',
  grant: 'gra',
  breakGlass: 'bgl',
  auditEvent: 'aud',
  auditSigningKey: 'ask',
  session: 'ses',
  invitation: 'inv',
  oneTimeToken: 'ott',
  apiKey: 'ak',
  replica: 'rep',
  journal: 'jrn',
} as const;

type IdKind = keyof typeof ID_PREFIXES;

let lastMs = 0;
let sequence = 0;

/**
 * A new prefixed id such as `int_01k9xv…`: a UUIDv7 (RFC 9562, 48-bit milliseconds, then a 12-bit counter
 * and 62 random bits) in Crockford base32, so ids sort by the time they were made.
 */
export function newId(kind: IdKind, nowMs: number = Date.now()): string {
  return namedId(kind, newIdName(nowMs));
}

/** The id of this kind with a name made before. */
export function namedId(kind: IdKind, name: string): string {
  return `${ID_PREFIXES[kind]}_${name}`;
}

/** An id without its prefix, for a thing whose kind is not known yet. */
export function newIdName(nowMs: number = Date.now()): string {
  // Within one millisecond the counter keeps ids of this process in order; past 4,096 the time is borrowed.
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = 0;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  const random = randomBytes(8);
  const uuid =
    (BigInt(lastMs) << 80n) |
    (0x7n << 76n) |
    (BigInt(sequence) << 64n) |
    (0b10n << 62n) |
    (random.readBigUInt64BE() & 0x3fffffffffffffffn);
  let text = '';
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((uuid >> shift) & 31n)];
  return text;
}

/** Whether `text` has the form of an id of this kind (it may still be unknown). */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${ID_PREFIXES[kind]}_[${ALPHABET}]{26}$`).test(text);
}
