import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify';
import type { z } from 'zod';
import type { Permission } from '../access/permissions.ts';
import type { Principal } from '../access/types.ts';
import { AppError } from '../core/errors.ts';
import { parseInput } from '../core/input.ts';
import type { RequestAccess } from './guard/authorization.ts';
import type { LimitState } from './guard/requestLimit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** With an Idempotency-Key: what the request makes is to be called so, because an earlier try may have made it. */
    resourceName?: string;
    /** Who makes the request, proven by the guard. @throws UnauthenticatedError on an open route */
    readonly principal: Principal;
    /** The same; null on an open route and before the guard. */
    identity: Principal | null;
    /** What the principal may do. Not on open routes. */
    access: RequestAccess;
    /** Fires when the principal is frozen; the connection is ended then anyway. Not on open routes. */
    freezeSignal: AbortSignal;
    /** Of the session that the request came with. */
    csrfToken: string | null;
    /** The request limits that were counted, by their names. */
    limits: Readonly<Record<string, LimitState>> | null;
  }

  interface FastifyContextConfig {
    /** Answers without a credential, and also when the server has too much work. */
    open?: boolean;
    /** Answers also when the server has too much work, like an open one. */
    evenOverloaded?: boolean;
    /** What the principal must be allowed; `self`: the route is about the caller's own account. Required unless open. */
    permission?: Permission | 'self';
    /**
     * For a permission about integrations: `:id` is that of an integration or of a webhook, or the handler limits
     * what it does to those that `request.access` allows.
     */
    about?: 'integration' | 'webhook' | 'many';
    /** What a valid body asks for besides; asked before the answer to an earlier request is given again, too. */
    requiresFor?: (request: FastifyRequest) => Promise<void>;
    /** A `self` route that an API key may use for its user. */
    keysToo?: boolean;
    /** A POST that changes nothing, so that an Idempotency-Key means nothing to it. */
    repeatable?: boolean;
    /** A header that the route reads, for the OpenAPI document. */
    documentedHeader?: string;
  }
}

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** Handlers get what the zod schemas of their route give, and may answer with readonly data. */
interface HttpTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: this['schema'] extends z.ZodType ? DeepReadonly<z.output<this['schema']>> : unknown;
}

export type Server = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  HttpTypeProvider
>;

const WHAT: Readonly<Record<string, string>> = {
  body: 'The body',
  params: 'The address',
  querystring: 'The query',
  headers: 'The headers',
};

/** Checks a part of a request with its zod schema, with the messages that the rest of the product gives. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart = 'body' }) =>
  (data: unknown) => {
    try {
      // Fastify hands an absent body over as null.
      return { value: parseInput(schema, data ?? undefined, WHAT[httpPart] ?? 'The request') };
    } catch (error) {
      if (error instanceof AppError) return { error };
      throw error;
    }
  };
