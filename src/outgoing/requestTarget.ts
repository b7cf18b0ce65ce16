import { NOTHING_SENT, TransportFailure } from './transportFailure.ts';
import type { Outcome } from './types.ts';

/** What one request goes to and carries, before credentials. */
export interface RequestTarget {
  readonly method: string;
  readonly url: URL;
  readonly body?: string | Buffer;
}

export type Redirect =
  | { readonly kind: 'none' }
  | { readonly kind: 'follow'; readonly target: RequestTarget }
  | { readonly kind: 'refused'; readonly outcome: Outcome; readonly reason: string };

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Refuses addresses that are not plain http or https ones.
 * @throws TransportFailure blocked
 */
export function assertCallable(url: URL): void {
  const reason = refusalOfUrl(url);
  if (reason !== null) throw new TransportFailure('blocked', reason, NOTHING_SENT);
}

/** The address as it may be shown: without query, fragment and user information. */
export function shownUrl(url: URL): string {
  return `${url.origin === 'null' ? url.protocol : url.origin}${url.pathname}`;
}

/**
 * Where an answer sends the request on to. Followed is what can be repeated without harm:
 * - 301 and 302 with GET and HEAD (for another method they would turn it into a GET that does nothing),
 * - 303, as GET,
 * - 307 and 308, but not with a body to another origin, which is not who the body was meant for;
 * never from https to http, and never to an address that could not have been called in the first place.
 */
export function redirectOf(target: RequestTarget, status: number, location: string | undefined): Redirect {
  if (!REDIRECTS.has(status) || location === undefined) return { kind: 'none' };
  if (!URL.canParse(location, target.url.href))
    return refused('bad_response', 'was redirected to something that is no URL');
  const url = new URL(location, target.url);
  url.hash = '';
  const to = `was redirected (${status}) to ${url.origin}`;
  const refusal = refusalOfUrl(url);
  if (refusal !== null) return refused('blocked', `was redirected (${status}), and ${refusal}`);
  if (target.url.protocol === 'https:' && url.protocol === 'http:') return refused('blocked', `${to}, without TLS`);
  const safe = target.method === 'GET' || target.method === 'HEAD';
  if (status === 303) return { kind: 'follow', target: { method: safe ? target.method : 'GET', url } };
  if (status < 303 && !safe) return refused('bad_response', `${to}, which would drop the ${target.method}; call that`);
  if (target.body !== undefined && url.origin !== target.url.origin) {
    return refused('blocked', `${to}, which may not get the body of the request`);
  }
  return { kind: 'follow', target: { ...target, url } };
}

function refused(outcome: Outcome, reason: string): Redirect {
  return { kind: 'refused', outcome, reason };
}

function refusalOfUrl(url: URL): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${url.protocol} addresses are not called`;
  if (url.username !== '' || url.password !== '') return 'an address may not contain a user name or password';
  return null;
}
