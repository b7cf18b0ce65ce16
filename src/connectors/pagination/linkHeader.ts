// No "<" inside: no address has one, and a row of them would be read again from each.
const LINK = /<([^<>]*)>((?:\s*;\s*[\w!#$&+.^`|~*-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g;
const PARAMETER = /;\s*([\w!#$&+.^`|~*-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;

/**
 * The target of the first link with this relation in a `Link` header (RFC 8288), or undefined.
 * Commas and semicolons inside `<…>` and quotes belong to what they stand in.
 */
export function linkTarget(header: string | undefined, rel: string): string | undefined {
  for (const [, target, parameters] of (header ?? '').matchAll(LINK)) {
    for (const [, name, quoted, plain] of (parameters ?? '').matchAll(PARAMETER)) {
      if (name?.toLowerCase() !== 'rel') continue;
      const relations = (quoted ?? plain ?? '').toLowerCase().split(/\s+/);
      if (relations.includes(rel.toLowerCase())) return target;
    }
  }
  return undefined;
}
