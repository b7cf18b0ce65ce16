import { createHash } from 'node:crypto';
import type { App } from '../../../app.ts';
import { VERSION } from '../../version.ts';
import type { AddRoute } from '../route.ts';

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif }
  body { max-width: 42rem; margin: 10vh auto; padding: 0 1.5rem }
  code, pre { font: 0.9em ui-monospace, monospace }
  pre { padding: 1rem; border: 1px solid; border-radius: 0.5rem; overflow-x: auto }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** What a person sees who opens the server's address: what this is, and where to go on. */
export const home: AddRoute = (server, app) => {
  const page = render(app);
  server.get('/', { config: { open: true }, schema: { hide: true } }, async (_request, reply) => {
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'`);
    return page;
  });
};

function render({ config }: App): string {
  const key =
    config.apiKey !== null
      ? 'The key is the value of <code>API_KEY</code> that the server was started with.'
      : 'The start printed the key; it is kept in <code>secrets/api-key</code> of the data folder.';
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Integration Services</title>
<style>${STYLE}</style>
<h1>Integration Services</h1>
<p>The server runs: version ${VERSION}. There is no dashboard yet; everything is in the REST API and the command line.</p>
<ul>
  <li><a href="/docs/">API reference</a> (<a href="/api/openapi.json">OpenAPI 3.1</a>, <a href="/docs/errors">error codes</a>)</li>
  <li><a href="/health">Health</a></li>
</ul>
<p>The API under <code>/api/v1</code> needs the API key. ${key}</p>
<pre>curl -H "Authorization: Bearer $API_KEY" \\
  ${config.publicUrl.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}/api/v1/integrations</pre>
</html>
`;
}
