import { OutgoingCallError } from '../outgoing/errors.ts';
import type { Outcome, OutgoingResponse } from '../outgoing/types.ts';
import { type BuiltRequest, type SendOptions, sendRequest } from './request.ts';
import type { ConnectorSession } from './types.ts';
import { type AnswerValidators, conditionalHeaders, confirms } from './validators.ts';

/** What a server may say to a condition that it cannot take. */
const REFUSED: ReadonlySet<Outcome> = new Set(['invalid_request', 'bad_response']);

/**
 * Asks for an answer, unless it is still the one that is known; undefined then. A condition that is refused, or
 * answered by something that does not fit it, is as good as none: the answer is asked for without.
 * @throws what `sendRequest` throws
 */
export async function sendConditionally(
  session: ConnectorSession,
  request: BuiltRequest,
  options: SendOptions,
  known: AnswerValidators,
): Promise<OutgoingResponse | undefined> {
  const conditional = { ...request, headers: { ...request.headers, ...conditionalHeaders(known) } };
  try {
    const response = await sendRequest(session, conditional, { ...options, takesNotModified: true });
    if (response.status !== 304) return response;
    if (confirms(known, request.url, response)) return undefined;
  } catch (error) {
    if (!(error instanceof OutgoingCallError && REFUSED.has(error.outcome))) throw error;
  }
  return sendRequest(session, request, options);
}
