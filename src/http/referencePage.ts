import { createHash } from 'node:crypto';
import fastify from 'fastify';
import { lazy } from '../core/lazy.ts';
import type { Server } from './typeProvider.ts';

const CONFIGURATION = {
  url: '/api/openapi.json',
  pageTitle: 'Integration Services API',
  // Nothing of these works without a server of somebody else.
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
} as const;

/**
 * The reference page at /docs. Its script comes out of the package, so the page works without the internet, and
 * its policy lets it speak to this server only. The package holds megabytes, so it is loaded by the first reader
 * instead of by every start, into a server of its own that is asked without a socket.
 */
export function serveReferencePage(server: Server): void {
  const files = lazy(async () => {
    const { default: reference } = await import('@scalar/fastify-api-reference');
    const inner = fastify();
    await inner.register(reference, { routePrefix: '/docs', configuration: CONFIGURATION });
    const [page, script] = await Promise.all([inner.inject('/docs/'), inner.inject('/docs/js/scalar.js')]);
    await inner.close();
    return { page: page.payload, script: script.payload, policy: policyFor(page.payload) };
  });
  const options = { config: { open: true }, schema: { hide: true } };
  server.get('/docs', options, async (_request, reply) => reply.redirect('/docs/', 301));
  server.get('/docs/', options, async (_request, reply) => {
    const { page, policy } = await files();
    reply.type('text/html; charset=utf-8').header('content-security-policy', policy);
    return page;
  });
  server.get('/docs/js/scalar.js', options, async (_request, reply) => {
    const { script } = await files();
    reply.type('text/javascript; charset=utf-8').header('cache-control', 'public, max-age=3600');
    return script;
  });
}

/** Allows the page's own inline script by its hash, and nothing from elsewhere. */
function policyFor(html: string): string {
  const hashes = [...html.matchAll(/<script(?![^>]* src=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`,
  );
  return [
    `default-src 'none'`,
    `script-src 'self' ${hashes.join(' ')}`,
    // The bundle sets styles on elements.
    `style-src 'self' 'unsafe-inline'`,
    `img-src 'self' data: blob:`,
    `font-src 'self' data:`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}
