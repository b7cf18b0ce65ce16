import { createHash } from 'node:crypto';

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif }
  body { max-width: 60rem; margin: 8vh auto; padding: 0 1.5rem }
  code, pre { font: 0.9em ui-monospace, monospace }
  pre { padding: 1rem; border: 1px solid; border-radius: 0.5rem; overflow-x: auto }
  table { border-collapse: collapse; width: 100% }
  th, td { padding: 0.35rem 1rem 0.35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #8884 }
  tr:target { background: #fd04 }
`;

/** How a content security policy names a style or script that stands in the page. */
export function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

export const PAGE_STYLE_HASH = hashSource(STYLE);

/** What a page of ours may do: show itself. */
export const PAGE_POLICY = `default-src 'none'; style-src ${PAGE_STYLE_HASH}; base-uri 'none'`;

/** A whole page around trusted HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
${body}
</html>
`;
}
