import { type CallSecrets, publicHeaders } from './callSecrets.ts';
import { isConnectionHeader } from './connectionHeaders.ts';
import type { RequestTarget } from './requestTarget.ts';
import { ACCEPTED_CODINGS } from './responseBody.ts';
import { NOTHING_SENT, TransportFailure } from './transportFailure.ts';
import type { OutgoingCall, OutgoingRequest } from './types.ts';

/**
 * Whether an origin is one that this call's credential and private headers are meant for: those the authenticator
 * names, or without one the origin that the caller addressed.
 */
export function isHome(origin: string, call: OutgoingCall): boolean {
  return call.authenticator?.origins.includes(origin) ?? origin === new URL(call.url).origin;
}

/**
 * The request for one target of a call: with the credential where it is at home; anywhere else without it, without
 * private headers, and without query parameters that hold it (as next-page links of some providers do).
 */
export async function prepareRequest(
  call: OutgoingCall,
  { method, url, body }: RequestTarget,
  secrets: CallSecrets,
  signal: AbortSignal,
): Promise<OutgoingRequest> {
  const headers: Record<string, string> = { 'accept-encoding': ACCEPTED_CODINGS, 'user-agent': 'integration-services' };
  for (const [name, value] of Object.entries(call.headers ?? {})) {
    const lower = name.toLowerCase();
    if (!isConnectionHeader(lower)) headers[lower] = value;
  }
  // After a redirect that dropped the body, its description goes too.
  if (body === undefined && call.body !== undefined) delete headers['content-type'];
  const { authenticator } = call;
  const request: OutgoingRequest = { method, url: new URL(url), headers, body };
  if (!isHome(url.origin, call)) {
    if (authenticator !== undefined && url.search !== '') await learnCredential(call, secrets, signal);
    secrets.strip(request.url);
    request.headers = publicHeaders(headers);
  } else if (authenticator !== undefined) {
    const before = { ...request, url: new URL(url), headers: { ...headers } };
    await authenticator.apply(request, signal);
    secrets.learnFromCredential(before, request);
    for (const name of Object.keys(request.headers)) if (isConnectionHeader(name)) delete request.headers[name];
    if (request.url.origin !== url.origin) {
      throw new TransportFailure('blocked', 'the credential changed the origin of the request', NOTHING_SENT);
    }
  }
  return request;
}

/** Puts the credential into a request that is never sent, to know what it looks like. */
async function learnCredential(call: OutgoingCall, secrets: CallSecrets, signal: AbortSignal): Promise<void> {
  const { authenticator } = call;
  const [home] = authenticator?.origins ?? [];
  if (authenticator === undefined || home === undefined) return;
  const before: OutgoingRequest = { method: 'GET', url: new URL(home), headers: {} };
  const after: OutgoingRequest = { method: 'GET', url: new URL(home), headers: {} };
  await authenticator.apply(after, signal);
  secrets.learnFromCredential(before, after);
}
