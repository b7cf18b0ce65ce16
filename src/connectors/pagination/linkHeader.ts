/**
 * The target of the first link with this relation in a `Link` header (RFC 8288), or undefined.
 * Commas and semicolons inside `<…>` and quotes belong to what they stand in.
 */
export function linkTarget(header: string | undefined, rel: string): string | undefined {
  const links = (header ?? '').matchAll(
    /<([^>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g,
  );
  for (const [, target, params] of links) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]+))/i.exec(params ?? '');
    const relations = (relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/);
    if (relations.includes(rel.toLowerCase())) return target;
  }
  return undefined;
}
