import type { IncomingHttpHeaders } from 'node:http';
import { MalformedRequestError } from '../errors.ts';

/** A credential as it came. `unreadable`: something that is none of those that are taken. */
export type PresentedCredential =
  | { readonly kind: 'key'; readonly text: string }
  | { readonly kind: 'stack'; readonly text: string }
  | { readonly kind: 'session' }
  | { readonly kind: 'unreadable' };

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'x-stack-access-token', 'cookie'] as const;
/** Three parts of base64url: a JWS, which none of our keys is. */
const JWS = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * The one credential of a request; null when there is none.
 *
 * Where two came, a proxy and this server might not agree on the one that counts, and one of them may be somebody
 * else's. So none of them does.
 * @throws MalformedRequestError one came twice, or two different ones came
 */
export function presentedCredential(
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  sessionCookie: string,
): PresentedCredential | null {
  refuseRepeated(rawHeaders);
  const found: PresentedCredential[] = [];
  const { authorization } = headers;
  if (authorization !== undefined) found.push(bearer(authorization));
  const apiKey = headers['x-api-key'];
  if (typeof apiKey === 'string' && apiKey !== '') found.push({ kind: 'key', text: apiKey });
  const stackToken = headers['x-stack-access-token'];
  if (typeof stackToken === 'string' && stackToken !== '') found.push({ kind: 'stack', text: stackToken });
  const cookie = cookieNamed(headers.cookie, sessionCookie);
  if (cookie !== null) found.push({ kind: 'session' });
  if (found.length > 1)
    throw new MalformedRequestError(
      'More than one credential came: send only one of Authorization, X-API-Key, X-Stack-Access-Token and the session cookie.',
    );
  return found[0] ?? null;
}

/** Node keeps the first of some repeated headers and joins others, so only the raw ones tell. */
function refuseRepeated(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (!(CREDENTIAL_HEADERS as readonly string[]).includes(name)) continue;
    if (seen.has(name)) throw new MalformedRequestError(`The header ${name} came twice. Send it once.`);
    seen.add(name);
  }
}

function bearer(authorization: string): PresentedCredential {
  const text = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (text === undefined) return { kind: 'unreadable' };
  return { kind: JWS.test(text) ? 'stack' : 'key', text };
}

function cookieNamed(header: string | undefined, name: string): string | null {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  if (values.length > 1) throw new MalformedRequestError(`The cookie ${name} came twice. Delete the site’s cookies.`);
  return values[0] === undefined || values[0] === '' ? null : values[0];
}
