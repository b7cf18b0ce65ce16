import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify';
import { principalKey } from '../access/decisions/actor.ts';
import type { App } from '../app.ts';
import { errorMessage } from '../core/errors.ts';
import { invalidInput } from '../core/input.ts';
import { type Answer, type Claim, IdempotentAnswers } from './idempotentAnswers.ts';
import type { Server } from './typeProvider.ts';

const KEPT_HEADERS = ['content-type', 'etag', 'location'] as const;

/**
 * Makes POST safe to repeat: with an `Idempotency-Key`, a request that was answered is answered the same again
 * without being carried out again. Only final answers are kept. Must be registered before anything
 * that changes the payload on its way out, such as compression.
 */
export function answerIdempotently(server: Server, app: App): void {
  const answers = new IdempotentAnswers(app.database, app.credentials);
  const claims = new WeakMap<FastifyRequest, Claim>();
  server.decorateRequest('resourceName');

  // After validation: a request that cannot be carried out as written does not use up its key.
  server.addHook('preHandler', async (request, reply) => {
    const key = idempotencyKey(request);
    if (key === undefined) return;
    const taken = await answers.claim(principalKey(request.principal), key, hashOf(request));
    if ('lockedUntil' in taken) {
      claims.set(request, taken);
      request.resourceName = taken.resourceName;
    } else {
      void reply
        .code(taken.status)
        .headers({ ...taken.headers, 'idempotent-replay': 'true' })
        .send(taken.body);
      return reply;
    }
  });

  server.addHook('onSend', async (request, reply, payload) => {
    const claim = claims.get(request);
    if (claim === undefined) return payload;
    claims.delete(request);
    try {
      if (!isFinal(reply.statusCode)) await answers.release(claim);
      else await answers.keep(claim, toAnswer(reply, payload));
    } catch (error) {
      // The work is done and its answer goes out; a repetition has to wait until the lock expires.
      app.log.warn('The answer for an Idempotency-Key could not be kept', {
        requestId: request.id,
        reason: errorMessage(error),
      });
    }
    return payload;
  });
}

/** Not a failure of the server, and not a wait that the client was asked for. */
function isFinal(status: number): boolean {
  return status < 500 && status !== 429;
}

/** Whether the route takes part, as the OpenAPI document also tells. */
export function isIdempotent(method: string | readonly string[], config: FastifyContextConfig | undefined): boolean {
  return method === 'POST' && config?.repeatable !== true;
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || !isIdempotent(request.method, request.routeOptions.config)) return undefined;
  // Nobody's keys: on an open route a key means nothing.
  if (request.identity === null) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalidInput('The request', [
    { pointer: '', detail: 'Idempotency-Key takes 1 to 255 printable characters without spaces, such as a UUID.' },
  ]);
}

function hashOf({ method, url, body }: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(`${method}\n${url}\n${canonicalize(body ?? null)}`)
    .digest();
}

function toAnswer(reply: FastifyReply, payload: unknown): Answer {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return { status: reply.statusCode, headers: Object.fromEntries(headers), body: String(payload ?? '') };
}
