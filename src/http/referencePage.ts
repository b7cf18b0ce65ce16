import { createHash } from 'node:crypto';
import reference from '@scalar/fastify-api-reference';
import type { Server } from './typeProvider.ts';

const ROUTE_PREFIX = '/docs';

/**
 * The reference page at /docs: the script comes out of the package, so the page works without the internet, and
 * its policy lets it speak to this server only.
 */
export function serveReferencePage(server: Server): void {
  server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
    });
    scope.addHook('onSend', async (_request, reply, payload) => {
      if (typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html'))
        reply.header('content-security-policy', policyFor(payload));
      return payload;
    });
    await scope.register(reference, {
      routePrefix: ROUTE_PREFIX,
      configuration: {
        url: '/api/openapi.json',
        pageTitle: 'Integration Services API',
        // Nothing of these works without a server of somebody else.
        withDefaultFonts: false,
        telemetry: false,
        agent: { disabled: true },
        mcp: { disabled: true },
        hideClientButton: true,
        showDeveloperTools: 'never',
      },
    });
  });
}

/** Allows the page's own inline script by its hash, and nothing from elsewhere. */
function policyFor(html: string): string {
  const hashes = [...html.matchAll(/<script[^>]*>([\s\S]+?)<\/script>/g)].map(
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
