import { z } from 'zod';
import {
  credentialFieldSchema,
  headersSchema,
  httpMethodSchema,
  nameSchema,
  pathSchema,
  templateSchema,
} from './parts.ts';

const modeShape = {
  /** What `configuration.authMode` selects it by. */
  name: nameSchema,
  title: z.string().min(1).max(200),
  fields: z.array(credentialFieldSchema).max(50).default([]),
};

const noneSchema = z.strictObject({ ...modeShape, type: z.literal('none') });

const apiKeySchema = z.strictObject({
  ...modeShape,
  type: z.literal('api_key'),
  in: z.enum(['header', 'query']),
  /** The header's or parameter's name. */
  key: templateSchema.min(1),
  value: templateSchema,
});

const basicSchema = z.strictObject({
  ...modeShape,
  type: z.literal('basic'),
  username: templateSchema,
  password: templateSchema.default(''),
});

const bearerSchema = z.strictObject({ ...modeShape, type: z.literal('bearer'), token: templateSchema });

/** Several or unusual headers: each a template. */
const headersModeSchema = z.strictObject({ ...modeShape, type: z.literal('headers'), headers: headersSchema });

/** Where an issued token goes. */
const tokenHeadersSchema = headersSchema.default({ authorization: 'Bearer {{ token }}' });

/** RFC 6749 §4.4. */
const clientCredentialsSchema = z.strictObject({
  ...modeShape,
  type: z.literal('oauth2_client_credentials'),
  tokenUrl: templateSchema,
  clientId: templateSchema,
  clientSecret: templateSchema,
  clientAuthentication: z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
  scopes: z.array(z.string().min(1)).default([]),
  /** Further parameters of the token request, such as `audience`. */
  params: z.record(z.string().min(1), templateSchema).default({}),
  headers: tokenHeadersSchema,
  /** RFC 7009: where our tokens are given back when the integration is deleted. */
  revokeUrl: templateSchema.optional(),
});

/** Two steps: a login request gives a token, and the token goes into the headers of every request. */
const sessionSchema = z.strictObject({
  ...modeShape,
  type: z.literal('session'),
  login: z.strictObject({
    method: httpMethodSchema.default('POST'),
    path: templateSchema,
    headers: headersSchema.default({}),
    body: z.json().optional(),
    tokenPath: pathSchema,
    /** Seconds the token lives. Without it a JWT's own `exp` counts, else the token is used until it is refused. */
    expiresInPath: pathSchema.optional(),
    /** A second token of the answer, `{{ refreshToken }}` in `logout`. */
    refreshTokenPath: pathSchema.optional(),
  }),
  /** Ends the session when the integration is deleted. */
  logout: z
    .strictObject({
      method: httpMethodSchema.default('POST'),
      path: templateSchema,
      headers: headersSchema.default({}),
      body: z.json().optional(),
    })
    .optional(),
  headers: tokenHeadersSchema,
});

/** How a credential is put into a request. */
export const authModeSchema = z.discriminatedUnion('type', [
  noneSchema,
  apiKeySchema,
  basicSchema,
  bearerSchema,
  headersModeSchema,
  clientCredentialsSchema,
  sessionSchema,
]);
export type AuthMode = z.output<typeof authModeSchema>;
export type ClientCredentialsMode = z.output<typeof clientCredentialsSchema>;
export type SessionMode = z.output<typeof sessionSchema>;
