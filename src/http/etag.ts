import { PreconditionFailedError } from './errors.ts';

/** What is changed by version. */
interface Versioned {
  readonly id: string;
  readonly version: number;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** What it is called in an error, and its id in the error's details. */
interface Kind {
  readonly name: string;
  readonly idName: string;
}

const INTEGRATION: Kind = { name: 'Integration', idName: 'integrationId' };
export const ALERT_RULE: Kind = { name: 'Alert rule', idName: 'ruleId' };

/**
 * `"<version>-<state>"`. The version is what a change must be made from; the state also follows what the server
 * learns by itself (the connection's status), so that a cached answer is never taken for the present one.
 */
export function etagOf({ version, updatedAt }: Pick<Versioned, 'version' | 'updatedAt'>): string {
  return `"${version}-${Date.parse(updatedAt).toString(36)}"`;
}

/** Whether `If-None-Match` names this very answer, so that it need not be sent again. */
export function isNotModified(header: string | undefined, etag: string): boolean {
  return tags(header).some((tag) => tag === '*' || tag === etag.slice(1, -1));
}

/**
 * Checks `If-Match` against what is stored; the bare version in quotes is taken too.
 * @returns the version that the change must still find, or undefined when the header does not ask for one.
 * @throws PreconditionFailedError
 */
export function matchedVersion(
  header: string | undefined,
  stored: Versioned,
  kind: Kind = INTEGRATION,
): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  if (tags(header).some((tag) => tag.split('-')[0] === String(stored.version))) return stored.version;
  throw staleVersion(stored.id, etagOf(stored), kind);
}

export function staleVersion(id: string, etag: string | null, kind: Kind = INTEGRATION): PreconditionFailedError {
  const now = etag === null ? 'it was changed meanwhile' : `its ETag is ${etag} now`;
  return new PreconditionFailedError(
    `${kind.name} ${id} is not the version that If-Match names: ${now}. Nothing was changed. Read it again and repeat the change.`,
    { details: { [kind.idName]: id, ...(etag === null ? {} : { etag }) } },
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
