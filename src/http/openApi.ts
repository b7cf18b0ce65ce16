import swagger from '@fastify/swagger';
import type { FastifyContextConfig } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isIdempotent } from './idempotency.ts';
import type { Server } from './typeProvider.ts';
import { VERSION } from './version.ts';

const DESCRIPTION = `Everything below \`/api/v1\` needs an API key, a session or a token of Stack Auth, and the permission of its route.

Errors are problem details (RFC 9457) with a stable \`code\`; [the list of codes](/docs/errors) says what to do.
Lists come in pages: pass \`nextCursor\` as \`cursor\`. A POST with an \`Idempotency-Key\` may be repeated safely for
24 hours. Every answer has a \`Request-Id\`; send your own to find a request in the log.`;

const TAGS = [
  { name: 'integrations', description: 'Connections to platforms: create, test, change, delete.' },
  { name: 'syncs', description: 'Runs, schedules and streams.' },
  { name: 'optimizations', description: 'Experiments that make integrations faster.' },
  { name: 'records', description: 'What was synced: change feed and exports.' },
  { name: 'performance', description: 'How fast and how reliable integrations are.' },
  { name: 'logs', description: 'What happened: searched, counted, exported and followed live.' },
  { name: 'webhooks', description: 'Where events are sent.' },
  { name: 'connectors', description: 'Platforms, as data.' },
  { name: 'monitoring', description: 'Alert rules, and the alerts that they make.' },
  { name: 'access', description: 'Who may do what: roles, grants, break-glass.' },
  { name: 'audit', description: 'Who did what, and proof of it.' },
  { name: 'auth', description: 'Signing in, sessions, the second factor, invitations.' },
  { name: 'users', description: 'The people of the installation.' },
  { name: 'apiKeys', description: 'Keys of users, for programs.' },
  { name: 'freezes', description: 'Stopping a compromised account or key.' },
];

const idempotencyHeader = z.object({
  'Idempotency-Key': z.string().max(255).optional().describe('Makes the request safe to repeat for 24 hours.'),
});

/** Describes the routes registered after it as OpenAPI 3.1, made of the schemas that check their requests. */
export function describeRoutes(server: Server): void {
  server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Integration Services',
        version: VERSION,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      security: [{ bearer: [] }, { apiKey: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or an access token of Stack Auth.' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
    },
    transform: (document) => {
      const { route, schema } = document;
      const headers = documentedHeaders(route.method, route.config);
      return jsonSchemaTransform(headers === null ? document : { ...document, schema: { ...schema, headers } });
    },
    transformObject: (document) => {
      const openapi = jsonSchemaTransformObject(document) as OpenApiDocument;
      return dropUnusedSchemas(openapi) as ReturnType<typeof jsonSchemaTransformObject>;
    },
  });
  server.after(() => {
    server.get('/api/openapi.json', { config: { open: true }, schema: { hide: true } }, async () => server.swagger());
  });
}

/** Headers that a route reads are not part of its schema (which would replace them all); its config names them. */
function documentedHeaders(method: string | string[], config: FastifyContextConfig | undefined): z.ZodType | null {
  const name = config?.documentedHeader;
  if (name !== undefined) return z.object({ [name]: z.string().optional().describe('An ETag of this integration.') });
  return isIdempotent(method, config) ? idempotencyHeader : null;
}

interface OpenApiDocument {
  readonly paths?: object;
  readonly components?: { readonly schemas?: Record<string, object> };
}

/** Every named schema comes as input and as output; what nothing refers to is left out. */
function dropUnusedSchemas(document: OpenApiDocument): OpenApiDocument {
  const schemas = document.components?.schemas ?? {};
  const used = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || used.has(name)) continue;
      used.add(name);
      follow(schemas[name]);
    }
  };
  follow(document.paths ?? {});
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas: kept } };
}
