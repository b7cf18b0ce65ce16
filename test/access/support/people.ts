import type { Kysely, Transaction } from 'kysely';
import { AccessSignal } from '../../../src/access/accessSignal.ts';
import { ApiKeys } from '../../../src/access/apiKeys/apiKeys.ts';
import type { Decider } from '../../../src/access/decider.ts';
import { Freezer } from '../../../src/access/freeze/freeze.ts';
import { PERMISSIONS, type Permission } from '../../../src/access/permissions.ts';
import type { IntegrationRef, Principal } from '../../../src/access/types.ts';
import type { AuditEvent, AuditTrail } from '../../../src/audit/types.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId } from '../../../src/core/ids.ts';
import type { VisibleIntegrations } from '../../../src/integrations/visibleIntegrations.ts';
import type { Database } from '../../../src/store/database.ts';
import type { Schema } from '../../../src/store/schema.ts';
import { scopedDecider } from './scopedDecider.ts';

export const EVERYTHING = Object.keys(PERMISSIONS) as readonly Permission[];
export const OPERATOR: Principal = { kind: 'installation', name: 'command line' };

export function person(userId: string): Principal {
  return { kind: 'user', userId, sessionId: 'ses_test' };
}

/** A user in the database. */
export async function addUser({ db }: Pick<Database, 'db'>, role = 'viewer'): Promise<string> {
  const id = newId('user');
  await db
    .insertInto('users')
    .values({ id, email: `${id}@example.com`, name: id, role })
    .execute();
  return id;
}

interface Rule {
  readonly permissions: readonly Permission[];
  /** Null: every integration. */
  readonly owners: readonly string[] | null;
  readonly deniedIds: readonly string[];
}

/** Who may do what, as a test writes it down: the part that roles and grants have in the product. */
export class RuleBook {
  readonly #rules = new Map<string, Rule>();
  readonly #database: Database;
  readonly decider: Decider;

  constructor(database: Database) {
    this.#database = database;
    const isActive = (userId: string) => this.#isActive(userId);
    this.decider = scopedDecider({
      decide: async (userId, permission, integration) => {
        const allowed = (await isActive(userId)) && this.#allows(userId, permission, integration);
        return { allowed, reason: allowed ? 'A rule allows it.' : 'No rule allows it.', ruleId: null };
      },
      decideOnceActive: async (userId, permission) => ({
        allowed: this.#allows(userId, permission, null),
        reason: 'A rule allows it, or none does.',
        ruleId: null,
      }),
      visibleFilter: async (userId, permission) =>
        (await isActive(userId)) ? this.#visible(userId, permission) : { kind: 'none' },
    });
  }

  allow(userId: string, permissions: readonly Permission[], limits: Partial<Omit<Rule, 'permissions'>> = {}): void {
    this.#rules.set(userId, { permissions, owners: null, deniedIds: [], ...limits });
  }

  #allows(userId: string, permission: Permission, integration: IntegrationRef | null): boolean {
    const rule = this.#rules.get(userId);
    if (rule === undefined || !rule.permissions.includes(permission)) return false;
    if (integration === null) return true;
    if (rule.deniedIds.includes(integration.id)) return false;
    return rule.owners === null || rule.owners.includes(integration.owner);
  }

  #visible(userId: string, permission: Permission): VisibleIntegrations {
    const rule = this.#rules.get(userId);
    if (rule === undefined || !rule.permissions.includes(permission)) return { kind: 'none' };
    const { owners, deniedIds } = rule;
    return {
      kind: 'some',
      only: owners === null ? null : { ids: [], owners, platforms: [] },
      except: { ids: deniedIds, owners: [], platforms: [] },
      within: null,
    };
  }

  async #isActive(userId: string): Promise<boolean> {
    const { db } = this.#database;
    return (
      (await db.selectFrom('users').select('status').where('id', '=', userId).executeTakeFirst())?.status === 'active'
    );
  }
}

/** Keeps what is recorded; what was recorded in a transaction that is rolled back stays, so failures show. */
export class Recorder implements AuditTrail {
  readonly events: AuditEvent[] = [];

  async record(_db: Kysely<Schema> | Transaction<Schema>, event: AuditEvent): Promise<void> {
    this.events.push(event);
  }

  actions(): string[] {
    return this.events.map(({ action }) => action);
  }
}

/** The services of keys and freezing on a test's database, by a rule book. */
export function openAccess(database: Database) {
  const rules = new RuleBook(database);
  const audit = new Recorder();
  const signal = new AccessSignal();
  const { decider } = rules;
  const endedSessions: string[] = [];
  return {
    rules,
    audit,
    signal,
    endedSessions,
    apiKeys: new ApiKeys({ database, audit, decider, signal, clock: systemClock }),
    freezer: new Freezer({
      database,
      audit,
      decider,
      signal,
      endSessions: async (_tx, userId) => void endedSessions.push(userId),
    }),
  };
}
