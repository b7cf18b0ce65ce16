import { sql, type Transaction } from 'kysely';
import { acting, actingUserId } from '../../audit/acting.ts';
import type { AuditTrail } from '../../audit/types.ts';
import { ConflictError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { DashboardNotFoundError } from '../errors.ts';
import { type DashboardDefinition, type DashboardInput, dashboardFile, dashboardInput } from './dashboardSchema.ts';
import { READY_DASHBOARDS } from './readyDashboards.ts';

const MAX_DASHBOARDS = 1_000;
const MAX_VERSIONS = 100;

export interface DashboardSummary {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Who sees it besides its owner; null: everybody who may see monitoring. */
  readonly roles: readonly string[] | null;
  readonly owner: string | null;
  /** It comes with the product and is changed by being copied. */
  readonly ready: boolean;
  /** 0 for a ready one. */
  readonly version: number;
  readonly updatedAt: string | null;
}

export interface Dashboard extends DashboardSummary {
  readonly definition: DashboardDefinition;
}

export interface DashboardVersion {
  readonly version: number;
  readonly title: string;
  readonly savedBy: string;
  readonly savedAt: string;
}

/** Who looks: a user, whose role decides what is shared with them; null for the installation, which sees all. */
export type Viewer = { readonly userId: string } | null;

interface Row {
  readonly id: string;
  readonly title: string;
  readonly roles: string[] | null;
  readonly owner: string | null;
  readonly version: number;
  readonly definition: DashboardDefinition;
  readonly updated_at: Date;
}

/** Dashboards that people arranged, with their versions, beside the ready ones. */
export class Dashboards {
  readonly #database: Database;
  readonly #audit: AuditTrail;

  constructor(database: Database, audit: AuditTrail) {
    this.#database = database;
    this.#audit = audit;
  }

  /** The ready ones, then the others by title. There are at most 1,000. */
  async list(viewer: Viewer): Promise<DashboardSummary[]> {
    const { rows } = await sql<Row>`
      select id, title, roles, owner, version, definition, updated_at from dashboards d
      where ${seenBy(viewer)} order by title, id limit ${MAX_DASHBOARDS}`.execute(this.#database.db);
    return [...READY_DASHBOARDS.map(fromReady), ...rows.map(fromRow)].map(({ definition: _, ...summary }) => summary);
  }

  /** @throws DashboardNotFoundError */
  async get(viewer: Viewer, id: string): Promise<Dashboard> {
    const ready = READY_DASHBOARDS.find((one) => one.id === id);
    return ready === undefined ? fromRow(await this.#find(this.#database.db, viewer, id)) : fromReady(ready);
  }

  /** @throws InvalidInputError with every problem */
  async create(data: DashboardInput): Promise<Dashboard> {
    const input = parseInput(dashboardInput, data, 'The dashboard');
    const id = newId('dashboard');
    return this.#database.transaction(async (tx) => {
      const { count } = await tx
        .selectFrom('dashboards')
        .select((row) => row.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      if (count >= MAX_DASHBOARDS) {
        const detail = `There are ${MAX_DASHBOARDS} dashboards already; delete one first.`;
        throw invalidInput('The dashboard', [{ pointer: '', detail }]);
      }
      const row = await tx
        .insertInto('dashboards')
        .values({ id, owner: actingUserId(), version: 1, ...stored(input) })
        .returningAll()
        .executeTakeFirstOrThrow();
      await this.#keepVersion(tx, row as Row);
      await this.#record(tx, 'dashboard.created', id, { after: { title: row.title, version: 1 } });
      return fromRow(row as Row);
    });
  }

  /**
   * @param version the version it was changed from
   * @throws InvalidInputError, DashboardNotFoundError, ConflictError when it is not the stored version
   */
  async update(viewer: Viewer, id: string, data: DashboardInput, version: number): Promise<Dashboard> {
    const input = parseInput(dashboardInput, data, 'The dashboard');
    refuseReady(id);
    return this.#database.transaction(async (tx) => {
      const before = await this.#find(tx, viewer, id);
      const row = await tx
        .updateTable('dashboards')
        .set({ ...stored(input), version: version + 1, updated_at: sql`now()` })
        .where('id', '=', id)
        .where('version', '=', version)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) {
        throw new ConflictError(
          `Dashboard ${id} is at version ${before.version}, not ${version}. Nothing was changed. Read it again and repeat the change.`,
          { details: { dashboardId: id, version: before.version } },
        );
      }
      await this.#keepVersion(tx, row as Row);
      await this.#record(tx, 'dashboard.updated', id, {
        before: { title: before.title, version },
        after: { title: row.title, version: row.version },
      });
      return fromRow(row as Row);
    });
  }

  /** @throws DashboardNotFoundError */
  async delete(viewer: Viewer, id: string): Promise<void> {
    refuseReady(id);
    await this.#database.transaction(async (tx) => {
      const { title, version } = await this.#find(tx, viewer, id);
      await tx.deleteFrom('dashboards').where('id', '=', id).execute();
      await this.#record(tx, 'dashboard.deleted', id, { before: { title, version } });
    });
  }

  /** The latest first; at most 100 are kept. @throws DashboardNotFoundError */
  async versions(viewer: Viewer, id: string): Promise<DashboardVersion[]> {
    refuseReady(id);
    await this.#find(this.#database.db, viewer, id);
    const rows = await this.#database.db
      .selectFrom('dashboard_versions')
      .select(['version', 'title', 'saved_by', 'saved_at'])
      .where('dashboard_id', '=', id)
      .orderBy('version', 'desc')
      .execute();
    return rows.map(({ version, title, saved_by, saved_at }) => ({
      version,
      title,
      savedBy: saved_by,
      savedAt: saved_at.toISOString(),
    }));
  }

  /** A kept version, to be looked at or saved again. @throws DashboardNotFoundError */
  async version(viewer: Viewer, id: string, version: number): Promise<Dashboard> {
    const dashboard = await this.get(viewer, id);
    const row = await this.#database.db
      .selectFrom('dashboard_versions')
      .selectAll()
      .where('dashboard_id', '=', id)
      .where('version', '=', version)
      .executeTakeFirst();
    if (row === undefined) throw new DashboardNotFoundError(`${id} version ${version}`);
    const definition = row.definition as DashboardDefinition;
    const { description } = definition;
    return { ...dashboard, version, title: row.title, description, definition, updatedAt: row.saved_at.toISOString() };
  }

  /** As a file that `importFile` takes, here or elsewhere. @throws DashboardNotFoundError */
  async exportFile(viewer: Viewer, id: string) {
    const { title, definition } = await this.get(viewer, id);
    return { format: 'integration-services/dashboard', formatVersion: 1, title, definition } as const;
  }

  /** Makes a new dashboard of it. @throws InvalidInputError with every problem */
  async importFile(file: unknown): Promise<Dashboard> {
    const { title, definition } = parseInput(dashboardFile, file, 'The file of the dashboard');
    return this.create({ title, definition });
  }

  async #find(db: Database['db'] | Transaction<Schema>, viewer: Viewer, id: string): Promise<Row> {
    const { rows } = await sql<Row>`select d.* from dashboards d where id = ${id} and ${seenBy(viewer)}`.execute(db);
    const [row] = rows;
    if (row === undefined) throw new DashboardNotFoundError(id);
    return row;
  }

  async #keepVersion(tx: Transaction<Schema>, { id, version, title, definition }: Row): Promise<void> {
    await tx
      .insertInto('dashboard_versions')
      .values({
        dashboard_id: id,
        version,
        title,
        definition: JSON.stringify(definition),
        saved_by: acting().actor.id,
      })
      .execute();
    await tx
      .deleteFrom('dashboard_versions')
      .where('dashboard_id', '=', id)
      .where('version', '<=', version - MAX_VERSIONS)
      .execute();
  }

  async #record(
    tx: Transaction<Schema>,
    action: string,
    id: string,
    change: { before?: { title: string; version: number }; after?: { title: string; version: number } },
  ): Promise<void> {
    await this.#audit.record(tx, {
      ...acting(),
      action,
      outcome: 'success',
      target: { kind: 'dashboard', id },
      ...change,
    });
  }
}

/** What is true of the dashboards `d` that somebody may see. */
function seenBy(viewer: Viewer) {
  if (viewer === null) return sql`true`;
  const { userId } = viewer;
  return sql`(d.roles is null or d.owner = ${userId} or exists (
    select from users where users.id = ${userId} and users.role = any(d.roles || array['owner', 'admin'])
  ))`;
}

function stored({
  title,
  roles,
  definition,
}: {
  title: string;
  roles: string[] | null;
  definition: DashboardDefinition;
}) {
  return { title, roles, definition: JSON.stringify(definition) };
}

function fromReady({ id, title, definition }: (typeof READY_DASHBOARDS)[number]): Dashboard {
  const { description } = definition;
  return { id, title, description, roles: null, owner: null, ready: true, version: 0, updatedAt: null, definition };
}

function fromRow({ updated_at, ...row }: Row): Dashboard {
  const { id, title, roles, owner, version, definition } = row;
  const { description } = definition;
  return {
    id,
    title,
    description,
    roles,
    owner,
    ready: false,
    version,
    updatedAt: updated_at.toISOString(),
    definition,
  };
}

function refuseReady(id: string): void {
  if (!READY_DASHBOARDS.some((one) => one.id === id)) return;
  const detail = 'is a ready dashboard. Export it and import it as one of your own to change it.';
  throw invalidInput('The dashboard', [{ pointer: '/id', detail }]);
}
