import type { Clock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import { readTuning } from './tuningQueries.ts';
import { type Tuning, UNTUNED } from './types.ts';

/** Calls under way follow a change, made by whichever replica, this much later at most. */
const FRESH_MS = 2_000;
const MAX_KEPT = 10_000;

interface Kept {
  /** Never rejects. */
  readonly tuning: Promise<Tuning>;
  readonly readAtMs: number;
}

/** What the pipeline reads before every call: from memory, and from the database every two seconds while there are calls. */
export class CurrentTuning {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(options: { database: Database; clock: Clock }) {
    this.#database = options.database;
    this.#clock = options.clock;
  }

  /** As it is in the database now; for the start of an operation. */
  read(integrationId: string): Promise<Tuning> {
    const tuning = readTuning(this.#database.db, integrationId);
    void this.#keep(integrationId, tuning);
    return tuning;
  }

  /** At most two seconds old. Never throws: while the database is away, what was read last counts. */
  recent(integrationId: string): Promise<Tuning> {
    const kept = this.#kept.get(integrationId);
    if (kept !== undefined && this.#clock.monotonicMs() - kept.readAtMs < FRESH_MS) return kept.tuning;
    return this.#keep(integrationId, readTuning(this.#database.db, integrationId));
  }

  #keep(integrationId: string, reading: Promise<Tuning>): Promise<Tuning> {
    const before = this.#kept.get(integrationId)?.tuning ?? Promise.resolve(UNTUNED);
    const tuning = reading.catch(() => before);
    // In the order of their readings, so the first was read longest ago.
    this.#kept.delete(integrationId);
    this.#kept.set(integrationId, { tuning, readAtMs: this.#clock.monotonicMs() });
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return tuning;
  }
}
