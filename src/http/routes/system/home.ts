import type { App } from '../../../app.ts';
import { VERSION } from '../../version.ts';
import type { AddRoute } from '../route.ts';
import { PAGE_POLICY, page } from './page.ts';

/** What a person sees who opens the server's address: what this is, and where to go on. */
export const home: AddRoute = (server, app) => {
  const html = render(app);
  server.get('/', { config: { open: true }, schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY);
    return html;
  });
};

function render({ config }: App): string {
  const key =
    config.apiKey !== null
      ? 'The key is the value of <code>API_KEY</code> that the server was started with.'
      : 'The start printed the key; it is kept in <code>secrets/api-key</code> of the data folder.';
  return page(
    'Integration Services',
    `<h1>Integration Services</h1>
<p>The server runs: version ${VERSION}. There is no dashboard yet; everything is in the REST API and the command line.</p>
<ul>
  <li><a href="/login">Sign in</a>, or see <a href="/account">your account</a></li>
  <li><a href="/docs/">API reference</a> (<a href="/api/openapi.json">OpenAPI 3.1</a>, <a href="/docs/errors">error codes</a>)</li>
  <li><a href="/health">Health</a></li>
</ul>
<p>The API under <code>/api/v1</code> takes the key of the installation, or that of a user. ${key}</p>
<pre>curl -H "Authorization: Bearer $API_KEY" \\
  ${config.publicUrl.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}/api/v1/integrations</pre>`,
  );
}
