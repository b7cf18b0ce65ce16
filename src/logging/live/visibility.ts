import { LRUCache } from 'lru-cache';
import type { IntegrationRef } from '../../access/types.ts';
import { findIntegrationRefs } from '../../integrations/integrationQueries.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';

const MAX_CACHED = 20_000;
/** Owner and platform never change; that an integration is gone is noticed within this. */
const CACHED_MS = 5_000;

/** Owners and platforms of integrations, as visibility asks for them. */
export class KnownIntegrations {
  readonly #database: Database;
  readonly #refs = new LRUCache<string, IntegrationRef>({ max: MAX_CACHED, ttl: CACHED_MS });

  constructor(database: Database) {
    this.#database = database;
  }

  /** Of these ids; those that are unknown or being deleted are left out. @throws UnavailableError */
  async find(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, IntegrationRef>> {
    const found = new Map<string, IntegrationRef>();
    const missing: string[] = [];
    for (const id of ids) {
      const ref = this.#refs.get(id);
      if (ref === undefined) missing.push(id);
      else found.set(id, ref);
    }
    if (missing.length === 0) return found;
    for (const ref of await findIntegrationRefs(this.#database.db, missing)) {
      this.#refs.set(ref.id, ref);
      found.set(ref.id, ref);
    }
    return found;
  }
}

/** Whether somebody sees the integration. `undefined`: it is none, as 'system', or is gone. */
export function sees(visible: VisibleIntegrations, ref: IntegrationRef | undefined): boolean {
  if (visible.kind !== 'some') return visible.kind === 'all';
  if (ref === undefined) return false;
  const { only, except, within } = visible;
  return (only === null || names(only, ref)) && !names(except, ref) && (within === null || within.includes(ref.id));
}

type Named = Extract<VisibleIntegrations, { kind: 'some' }>['except'];

function names({ ids, owners, platforms }: Named, ref: IntegrationRef): boolean {
  return ids.includes(ref.id) || owners.includes(ref.owner) || platforms.includes(ref.platform);
}
