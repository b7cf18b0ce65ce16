import type { Transaction } from 'kysely';
import { actingUserId } from '../audit/acting.ts';
import { describeChange } from '../audit/describeChange.ts';
import type { AuditTrail } from '../audit/types.ts';
import { validateIntegrationInput } from '../connectors/resolve.ts';
import { type InputProblem, InvalidInputError } from '../core/errors.ts';
import { namedId, newIdName } from '../core/ids.ts';
import { invalidInput, parseInput } from '../core/input.ts';
import { LIMITS } from '../core/limits.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Outgoing } from '../outgoing/pipeline.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { parseFrequency } from '../sync/frequency.ts';
import type { SyncService } from '../sync/syncService.ts';
import { changeOf, toJson } from './auditing.ts';
import { IntegrationNotFoundError, versionConflict } from './errors.ts';
import {
  findIntegration,
  type IntegrationFilter,
  insertIntegration,
  listIntegrations,
  updateIntegrationRow,
} from './integrationQueries.ts';
import { createIntegrationSchema, updateIntegrationSchema } from './schemas.ts';
import type { ConnectorSessions } from './sessions.ts';
import type { CreateIntegrationData, Integration, IntegrationConfiguration, UpdateIntegrationData } from './types.ts';
import type { VisibleIntegrations } from './visibleIntegrations.ts';

interface Dependencies {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly sessions: ConnectorSessions;
  readonly sync: SyncService;
  readonly outgoing: Outgoing;
  readonly audit: AuditTrail;
}

/** The integrations as stored: made, read and changed. */
export class IntegrationCatalog {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * `name` makes it repeatable: an integration made under this name before is answered instead of a second one.
   * @throws InvalidInputError that lists everything wrong with `data`; nothing is stored then.
   */
  async create(data: CreateIntegrationData, name: string = newIdName()): Promise<Integration> {
    const { database, sessions, audit } = this.#deps;
    const input = parseInput(createIntegrationSchema, data, 'The integration');
    const configuration = input.configuration ?? {};
    const connector = await sessions.connector(input.platform, configuration);
    refuse([
      ...validateIntegrationInput(connector, { credentials: input.credentials ?? null, configuration }),
      ...configurationProblems(configuration),
      ...sizeProblems(configuration, input.credentials),
    ]);
    const id = namedId('integration', name);
    const owner = input.owner ?? actingUserId() ?? 'default';
    await database.transaction(async (tx) => {
      const made = await insertIntegration(tx, {
        id,
        owner,
        name: input.name,
        type: input.type ?? connector.category,
        platform: input.platform,
        configuration,
      });
      if (!made) return;
      await audit.record(tx, {
        ...changeOf(id, 'integration.created'),
        after: toJson({ name: input.name, platform: input.platform, owner, configuration }),
      });
      if (input.credentials !== undefined)
        await this.#storeCredentials(tx, id, owner, input.credentials, sessions.origins(connector, configuration));
    });
    return this.get(id);
  }

  /** @throws IntegrationNotFoundError */
  async get(id: string): Promise<Integration> {
    const integration = await this.find(id);
    if (integration === null) throw new IntegrationNotFoundError(id);
    return integration;
  }

  find(id: string): Promise<Integration | null> {
    return findIntegration(this.#deps.database.db, id);
  }

  /** One page, in the order they were made; `after` is the last id of the page before. */
  list(
    filter: IntegrationFilter,
    after: string | null,
    limit: number,
    visible?: VisibleIntegrations,
  ): Promise<Integration[]> {
    return listIntegrations(this.#deps.database.db, filter, after, limit, visible);
  }

  /** Every integration that is visible, read page by page. */
  async *all(filter: IntegrationFilter = {}, visible?: VisibleIntegrations): AsyncGenerator<Integration> {
    let after: string | null = null;
    for (;;) {
      const page = await this.list(filter, after, LIMITS.recordsPageSizeMax, visible);
      yield* page;
      if (page.length < LIMITS.recordsPageSizeMax) return;
      after = page.at(-1)!.id;
    }
  }

  /**
   * @throws IntegrationNotFoundError
   * @throws InvalidInputError nothing was changed
   * @throws ConflictError the stored version is not `data.version`, or changed meanwhile; nothing was changed
   */
  async update(id: string, data: UpdateIntegrationData): Promise<Integration> {
    const { database, sessions, sync, outgoing, audit } = this.#deps;
    const input = parseInput(updateIntegrationSchema, data, 'The change');
    const stored = await this.get(id);
    if (input.version !== undefined && input.version !== stored.version)
      throw versionConflict(id, input.version, stored.version);

    const configuration = merge(stored.configuration, input.configuration);
    const connector = await sessions.connector(stored.platform, configuration);
    refuse([
      // Stored credentials are write-only: they were checked when they came and are not opened to be checked again.
      ...validateIntegrationInput(connector, {
        credentials: input.credentials ?? null,
        storedCredentialFields: stored.credentialFields,
        configuration,
      }),
      ...configurationProblems(configuration),
      ...sizeProblems(configuration, input.credentials),
    ]);
    const origins = sessions.origins(connector, configuration);
    if (input.credentials === undefined && stored.credentialFields.length > 0)
      refuse(
        originProblems(
          sessions.origins(await sessions.connector(stored.platform, stored.configuration), stored.configuration),
          origins,
        ),
      );
    const { connection, connector: described } = input.configuration ?? {};
    const retest = input.credentials !== undefined || connection !== undefined || described !== undefined;
    await database.transaction(async (tx) => {
      const won = await updateIntegrationRow(
        tx,
        id,
        stored.version,
        {
          name: input.name ?? stored.name,
          type: input.type ?? stored.type,
          configuration,
        },
        retest,
      );
      if (!won) throw versionConflict(id, stored.version, null);
      const { name, type } = { ...stored, ...input };
      await audit.record(tx, {
        ...changeOf(id, 'integration.updated'),
        ...describeChange(
          toJson({ name: stored.name, type: stored.type, configuration: stored.configuration }),
          toJson({ name, type, configuration }),
        ),
      });
      if (input.credentials !== undefined)
        await this.#storeCredentials(tx, id, stored.owner, input.credentials, origins);
      const { syncFrequency = 'manual', timezone = 'UTC' } = configuration;
      const changed =
        syncFrequency !== (stored.configuration.syncFrequency ?? 'manual') ||
        timezone !== (stored.configuration.timezone ?? 'UTC');
      if (changed) await sync.reschedule(tx, id, syncFrequency, timezone);
    });
    // What failed before may work with what was changed: the next call is let through.
    outgoing.resetBreaker(id);
    return this.get(id);
  }

  async #storeCredentials(
    tx: Transaction<Schema>,
    id: string,
    owner: string,
    values: Record<string, string>,
    origins: readonly string[],
  ): Promise<void> {
    const { credentials, audit } = this.#deps;
    await credentials.save(tx, id, owner, values, origins);
    const details = { fields: Object.keys(values).sort(), origins: [...origins] };
    await audit.record(tx, { ...changeOf(id, 'credential.stored'), details });
  }
}

function merge(
  stored: IntegrationConfiguration,
  change: UpdateIntegrationData['configuration'],
): IntegrationConfiguration {
  const merged = { ...stored, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined));
}

function refuse(problems: readonly InputProblem[]): void {
  if (problems.length > 0) throw invalidInput('The integration', problems);
}

/** Stored credentials are write-only: whoever may change an address must not learn them by changing it. */
function originProblems(before: readonly string[], after: readonly string[]): InputProblem[] {
  const strange = after.filter((origin) => !before.includes(origin));
  if (strange.length === 0) return [];
  const detail = `are required with this change: the stored ones were given for ${before.join(', ')} and would now be sent to ${strange.join(', ')}.`;
  return [{ pointer: '/credentials', detail }];
}

function configurationProblems(configuration: IntegrationConfiguration): InputProblem[] {
  try {
    parseFrequency(configuration.syncFrequency ?? 'manual', configuration.timezone ?? 'UTC');
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.problems.map((problem) => ({ ...problem, pointer: `/configuration${problem.pointer}` }));
  }
}

function sizeProblems(
  configuration: IntegrationConfiguration,
  credentials: Record<string, string> | undefined,
): InputProblem[] {
  const problems: InputProblem[] = [];
  const check = (pointer: string, value: unknown, limitBytes: number): void => {
    const bytes = Buffer.byteLength(JSON.stringify(value ?? {}));
    if (bytes > limitBytes)
      problems.push({ pointer, detail: `takes at most ${limitBytes} bytes as JSON; got ${bytes}.` });
  };
  check('/configuration', configuration, LIMITS.configurationBytes);
  check('/credentials', credentials, LIMITS.credentialsBytes);
  return problems;
}
