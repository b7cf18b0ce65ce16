import type { Integration } from '../integrations/types.ts';
import { PreconditionFailedError } from './errors.ts';

/**
 * `"<version>-<state>"`. The version is what a change must be made from; the state also follows what the server
 * learns by itself (the connection's status), so that a cached answer is never taken for the present one.
 */
export function etagOf(integration: Integration): string {
  return `"${integration.version}-${Date.parse(integration.updatedAt).toString(36)}"`;
}

/** Whether `If-None-Match` names this very answer, so that it need not be sent again. */
export function isNotModified(header: string | undefined, etag: string): boolean {
  return tags(header).some((tag) => tag === '*' || tag === etag.slice(1, -1));
}

/**
 * Checks `If-Match` against the stored integration; the bare version in quotes is taken too.
 * @returns the version that the change must still find, or undefined when the header does not ask for one.
 * @throws PreconditionFailedError
 */
export function matchedVersion(header: string | undefined, stored: Integration): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  if (tags(header).some((tag) => tag.split('-')[0] === String(stored.version))) return stored.version;
  throw staleVersion(stored.id, etagOf(stored));
}

export function staleVersion(integrationId: string, etag: string | null): PreconditionFailedError {
  const now = etag === null ? 'it was changed meanwhile' : `its ETag is ${etag} now`;
  return new PreconditionFailedError(
    `Integration ${integrationId} is not the version that If-Match names: ${now}. Nothing was changed. Read it again and repeat the change.`,
    { details: { integrationId, ...(etag === null ? {} : { etag }) } },
  );
}

function tags(header: string | undefined): string[] {
  return (header ?? '').split(',').map((tag) =>
    tag
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1'),
  );
}
