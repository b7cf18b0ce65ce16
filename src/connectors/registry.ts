import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { acting } from '../audit/acting.ts';
import type { AuditEvent, AuditTrail } from '../audit/types.ts';
import type { JsonObject } from '../core/json.ts';
import { lazy } from '../core/lazy.ts';
import type { Database } from '../store/database.ts';
import { DESCRIBED_PLATFORM } from './describedApi.ts';
import { ConnectorNotFoundError, InvalidConnectorError } from './errors.ts';
import type { Connector } from './format.ts';
import { parseConnector, validateConnectorFile } from './loader.ts';

/** The connectors that come with the product; the same place seen from src/ and from dist/. */
const DIRECTORY = new URL('../../connectors/', import.meta.url);

/** How long a change made by another replica may go unseen. */
const FRESH_MS = 1000;

interface StoredVersion {
  readonly platform: string;
  readonly version: number;
}

/**
 * Every platform that is known: the files that come with the product, and those added at run time, which win.
 * Run-time ones are versioned rows; the newest counts, on every replica within a second.
 */
export class ConnectorRegistry {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #directory: string;
  readonly #files: () => Promise<ReadonlyMap<string, () => Promise<Connector>>>;
  /** Parsed run-time connectors, by platform and version: a version never changes. */
  readonly #parsed = new LRUCache<string, Connector>({ max: 1000 });
  #stored: ReadonlyMap<string, StoredVersion> = new Map();
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  /** Raised by every change made here: what a query saw before it does not count. */
  #changes = 0;

  constructor(database: Database, audit: AuditTrail, directory: URL = DIRECTORY) {
    this.#database = database;
    this.#audit = audit;
    this.#directory = fileURLToPath(directory);
    this.#files = lazy(() => this.#findFiles());
  }

  /** Every platform, by name. A stored one that this version of the product cannot read is left out. */
  async list(): Promise<Connector[]> {
    await this.#refresh();
    const platforms = new Set([...(await this.#files()).keys(), ...this.#stored.keys()]);
    const found: Connector[] = [];
    for (const platform of [...platforms].sort()) {
      try {
        const connector = await this.get(platform);
        if (connector !== null) found.push(connector);
      } catch (error) {
        if (!(error instanceof InvalidConnectorError)) throw error;
      }
    }
    return found;
  }

  /**
   * The platform's description, or null when there is none of this name.
   * @throws InvalidConnectorError when a stored one is not valid in this version of the product
   */
  async get(platform: string): Promise<Connector | null> {
    await this.#refresh();
    const stored = this.#stored.get(platform);
    if (stored !== undefined) return this.#load(stored);
    const read = (await this.#files()).get(platform);
    return read === undefined ? null : read();
  }

  /**
   * Adds a platform, or a new version of one, from YAML. It counts here at once, elsewhere within a second.
   * @param connector what the source says, where it was parsed already
   * @throws InvalidConnectorError that lists every problem; nothing is stored then
   */
  async save(
    source: string,
    connector = parseConnector(source, 'connector'),
  ): Promise<{ connector: Connector; version: number }> {
    const { platform } = connector;
    if (platform === DESCRIBED_PLATFORM) {
      const message = `is "${DESCRIBED_PLATFORM}", which stands for APIs described in an integration itself; take another name.`;
      throw new InvalidConnectorError('connector', [{ line: 1, column: 1, path: ['platform'], message }]);
    }
    const version = await this.#database.transaction(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtext('connectors'), hashtext(${platform}))`.execute(tx);
      const { last } = await tx
        .selectFrom('connectors')
        .select(({ fn }) => fn.coalesce(fn.max('version'), sql<number>`0`).as('last'))
        .where('platform', '=', platform)
        .executeTakeFirstOrThrow();
      await tx
        .insertInto('connectors')
        .values({ platform, version: last + 1, source })
        .execute();
      await this.#audit.record(tx, changeOf(platform, 'connector.saved', { version: last + 1 }));
      return last + 1;
    });
    this.#parsed.set(versionKey({ platform, version }), connector);
    this.#forget();
    return { connector, version };
  }

  /**
   * Takes a run-time platform away; one that comes with the product is then used again.
   * @throws ConnectorNotFoundError when none of this name was added at run time
   */
  async remove(platform: string): Promise<void> {
    const removed = await this.#database.transaction(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('connectors')
        .set({ deleted_at: sql`now()` })
        .where('platform', '=', platform)
        .where('deleted_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows > 0n) await this.#audit.record(tx, changeOf(platform, 'connector.removed', {}));
      return numUpdatedRows > 0n;
    });
    this.#forget();
    if (removed) return;
    const comes = (await this.#files()).has(platform);
    throw new ConnectorNotFoundError(
      comes
        ? `${JSON.stringify(platform)} comes with the product and cannot be removed; no version of it was added at run time.`
        : `No platform ${JSON.stringify(platform)} was added at run time.`,
      { details: { platform } },
    );
  }

  async #findFiles(): Promise<Map<string, () => Promise<Connector>>> {
    const files = (await readdir(this.#directory)).filter((name) => name.endsWith('.yaml')).sort();
    return new Map(
      files.map((name) => [
        name.slice(0, -'.yaml'.length),
        lazy(() => validateConnectorFile(`${this.#directory}${name}`)),
      ]),
    );
  }

  #forget(): void {
    this.#changes += 1;
    this.#loadedAtMs = Number.NEGATIVE_INFINITY;
  }

  async #refresh(): Promise<void> {
    while (performance.now() - this.#loadedAtMs >= FRESH_MS) {
      this.#loading ??= this.#loadVersions().finally(() => {
        this.#loading = undefined;
      });
      await this.#loading;
    }
  }

  async #loadVersions(): Promise<void> {
    const startedAtMs = performance.now();
    const changes = this.#changes;
    const rows = await this.#database.db
      .selectFrom('connectors')
      .select(['platform', ({ fn }) => fn.max('version').as('version')])
      .where('deleted_at', 'is', null)
      .groupBy('platform')
      .execute();
    if (changes !== this.#changes) return;
    this.#stored = new Map(rows.map((row) => [row.platform, row]));
    this.#loadedAtMs = startedAtMs;
  }

  async #load(stored: StoredVersion): Promise<Connector> {
    const { platform, version } = stored;
    const key = versionKey(stored);
    const known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const { source } = await this.#database.db
      .selectFrom('connectors')
      .select('source')
      .where('platform', '=', platform)
      .where('version', '=', version)
      .executeTakeFirstOrThrow();
    const connector = parseConnector(source, key);
    this.#parsed.set(key, connector);
    return connector;
  }
}

function changeOf(platform: string, action: string, details: JsonObject): AuditEvent {
  return { ...acting(), action, outcome: 'success', target: { kind: 'connector', id: platform }, details };
}

function versionKey({ platform, version }: StoredVersion): string {
  return `${platform}@${version}`;
}
