import { PROBLEM_TYPES } from '../../problem.ts';
import type { AddRoute } from '../route.ts';
import { PAGE_POLICY, page } from './page.ts';

/** Where the `type` of every problem leads: what the code means and what to do. */
export const errorPage: AddRoute = (server) => {
  const html = render();
  server.get('/docs/errors', { config: { open: true }, schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY);
    return html;
  });
};

function render(): string {
  const rows = Object.entries(PROBLEM_TYPES).map(
    ([code, { status, title, remedy }]) =>
      `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${toHtml(title)}.<td>${toHtml(remedy)}`,
  );
  return page(
    'Error codes · Integration Services',
    `<h1>Error codes</h1>
<p>Programs branch on <code>code</code>; texts may change.</p>
<table>
<tr><th>Code<th>Status<th>Meaning<th>What to do
${rows.join('\n')}
</table>`,
  );
}

function toHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
