import { sql } from 'kysely';
import type { Database } from '../store/database.ts';

/** What waits to be told; the oldest makes room. */
const MAX_PENDING = 10_000;
const BATCH = 500;
/** Read at a time, the latest. */
const MAX_READ = 5_000;
/** Written that long before it can be read, at most: what is older than the last read by less is read again. */
const OVERLAP_MS = 5_000;
/** What a replica that starts wants to know. */
const KEPT_MS = 600_000;

/** What one replica learned from a provider about one integration. */
export interface Learned {
  readonly integrationId: string;
  /** Of its budgets, what the integration uses. */
  readonly share: number;
  readonly reason: string;
  /** The provider said that nothing is left for so many milliseconds from now; 0: it did not. */
  readonly shutForMs: number;
}

interface LearnedRow {
  readonly integration_id: string;
  readonly share: number;
  readonly reason: string;
  readonly shut_for_ms: number;
  readonly written: string;
}

/**
 * Tells other replicas what this one learned, and hears what they did: a row for each integration, by the clock of the
 * database. Written at once, read when changes of settings are.
 */
export class LearnedLimits {
  readonly #database: Database;
  readonly #replicaId: string;
  readonly #hear: (learned: Learned) => void;
  readonly #pending = new Map<string, { readonly learned: Learned; readonly atMs: number }>();
  /** What was heard last, as what changed lately is read more than once. */
  #heard = new Map<string, string>();
  /** By the clock of the database. */
  #readAtMs: number | null = null;
  #writing: Promise<void> | null = null;

  constructor(options: { database: Database; replicaId: string; hear: (learned: Learned) => void }) {
    this.#database = options.database;
    this.#replicaId = options.replicaId;
    this.#hear = options.hear;
  }

  /** Writes in the background; the latest of an integration takes the place of what was not written yet. */
  tell(learned: Learned): void {
    this.#pending.delete(learned.integrationId);
    this.#pending.set(learned.integrationId, { learned, atMs: performance.now() });
    if (this.#pending.size > MAX_PENDING) this.#pending.delete(this.#pending.keys().next().value!);
    void this.flush();
  }

  /** Writes what is still to be told; what cannot be written is tried again at the next read. */
  async flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    await this.#writing;
  }

  async read(): Promise<void> {
    void this.flush();
    const since =
      this.#readAtMs === null
        ? sql`changed_at > clock_timestamp() - make_interval(secs => ${KEPT_MS / 1_000}) or shut_until > clock_timestamp()`
        : sql`changed_at > to_timestamp(${(this.#readAtMs - OVERLAP_MS) / 1_000})`;
    const { rows } = await sql<LearnedRow & { now_ms: number }>`
      select learned.*, extract(epoch from clock_timestamp())::float8 * 1000 as now_ms from (select 1) one left join (
        select integration_id, share, reason, changed_at::text as written,
               greatest(0, extract(epoch from shut_until - clock_timestamp()) * 1000)::float8 as shut_for_ms
        from rate_limit_learned
        where (${since}) and replica_id <> ${this.#replicaId}
        order by changed_at desc limit ${MAX_READ}
      ) learned on true`.execute(this.#database.db);
    const heard = new Map<string, string>();
    for (const row of rows) {
      // One row stands for none, to tell the time.
      if (row.integration_id === null) continue;
      heard.set(row.integration_id, row.written);
      const known = this.#heard.get(row.integration_id) === row.written || this.#pending.has(row.integration_id);
      if (!known) this.#hearRow(row);
    }
    this.#heard = heard;
    this.#readAtMs = rows[0]!.now_ms;
  }

  #hearRow({ integration_id, share, reason, shut_for_ms }: LearnedRow): void {
    this.#hear({ integrationId: integration_id, share, reason, shutForMs: shut_for_ms ?? 0 });
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, BATCH);
      try {
        await this.#write(batch.map(([, { learned, atMs }]) => ({ learned, agoMs: performance.now() - atMs })));
      } catch {
        // The read that tries again says so.
        return;
      }
      for (const [id, told] of batch) if (this.#pending.get(id) === told) this.#pending.delete(id);
    }
  }

  async #write(batch: readonly { readonly learned: Learned; readonly agoMs: number }[]): Promise<void> {
    // In one order, so that two replicas cannot deadlock.
    const sorted = [...batch].sort((a, b) => (a.learned.integrationId < b.learned.integrationId ? -1 : 1));
    const column = <T>(read: (one: (typeof sorted)[number]) => T) => sorted.map(read);
    await sql`
      insert into rate_limit_learned as stored (integration_id, replica_id, share, reason, shut_until, changed_at)
      select id, ${this.#replicaId}, share, reason,
             case when shut_ms > 0 then clock_timestamp() + make_interval(secs => shut_ms / 1000) end, clock_timestamp()
      from unnest(${column(({ learned }) => learned.integrationId)}::text[],
                  ${column(({ learned }) => learned.share)}::float8[],
                  ${column(({ learned }) => learned.reason)}::text[],
                  ${column(({ learned, agoMs }) => learned.shutForMs - agoMs)}::float8[]) as one (id, share, reason, shut_ms)
      on conflict (integration_id) do update set
        replica_id = excluded.replica_id, share = excluded.share, reason = excluded.reason,
        shut_until = greatest(stored.shut_until, excluded.shut_until), changed_at = excluded.changed_at
    `.execute(this.#database.db);
  }
}

/** Deletes what tells nothing any more. */
export async function deleteStaleLearned(database: Database): Promise<void> {
  await sql`
    delete from rate_limit_learned
    where changed_at < now() - make_interval(secs => ${KEPT_MS / 1_000}) and coalesce(shut_until < now(), true)
  `.execute(database.db);
}
