import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type PollLoop, startPollLoop } from '../core/pollLoop.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { Redactor } from '../redaction/redactor.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { CheckpointWebhook } from './checkpointWebhook.ts';
import { type AuditFilter, findEntry, type ListPosition, listCheckpoints, listEntries } from './entryQueries.ts';
import { AuditEntryNotFoundError } from './errors.ts';
import { encodeEvent } from './event.ts';
import { exportEntries } from './exportEntries.ts';
import { type AuditExportFormat, type EntryProof, PROOF_FORMAT } from './exportFormat.ts';
import { GroupedInserts } from './groupedInserts.ts';
import { KeptFiles, keptPaths, readKeptNotes } from './keptFiles.ts';
import { LogChecks } from './logChecks.ts';
import { insertPending } from './pendingQueries.ts';
import { proveInclusion } from './proveEntry.ts';
import { Sequencer, type SequencerOptions } from './sequencer.ts';
import { lockTree } from './sequencerQueries.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './signedNote.ts';
import { SigningKeys } from './signingKeys.ts';
import { type StoredEntry, toStoredEntry } from './storedEntry.ts';
import { StoredHashes } from './storedHashes.ts';
import type { AuditEvent, AuditTrail } from './types.ts';
import { type LogVerdict, verifyDatabase } from './verifyDatabase.ts';

const CHECK_JOB = 'audit.check';
const SEND_JOB = 'audit.sendCheckpoint';
const SEND_RETRIES = 10;
const SEND_DEADLINE_SECONDS = 30;
/** Between looks for what was recorded: soon after this process recorded something, and otherwise. */
const BUSY_POLL_MS = 50;
const IDLE_POLL_MS = 250;
const RETRY_AFTER_ERROR_MS = 2_000;

export interface AuditLogOptions extends SequencerOptions {
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly dataDir: string;
  /** What this log is called in its checkpoints, without spaces or plus signs; counts when its key is made. */
  readonly origin: string;
  /** Where checkpoints are also sent. */
  readonly webhook: { readonly url: string; readonly allowedPrivateHosts: readonly string[] } | null;
  /** Values that must stand in no event, whoever records it. */
  readonly secrets: readonly string[];
}

/**
 * Who did what: an append-only log whose entries are the leaves of a Merkle tree (RFC 6962) with signed checkpoints.
 * docs/audit.md says what it proves and against whom.
 */
export class AuditLog implements AuditTrail {
  readonly #options: AuditLogOptions;
  readonly #redactor: Redactor;
  readonly #grouped: GroupedInserts;
  readonly #signingKeys: SigningKeys;
  readonly #sequencer: Sequencer;
  readonly #files: KeptFiles;
  readonly #webhook: CheckpointWebhook | null;
  readonly #checks: LogChecks;
  #loop: PollLoop | null = null;
  #recorded = false;
  #failing = false;
  #saidOlder = false;

  constructor(options: AuditLogOptions) {
    const { credentials, origin, dataDir, webhook, clock, jobs } = options;
    this.#options = options;
    this.#redactor = new Redactor(options.secrets);
    this.#grouped = new GroupedInserts((events) => insertPending(options.database.db, events));
    this.#signingKeys = new SigningKeys(credentials, origin);
    this.#files = new KeptFiles(dataDir);
    this.#webhook = webhook === null ? null : new CheckpointWebhook({ ...webhook, clock });
    this.#sequencer = new Sequencer(
      {
        database: options.database,
        signer: (tx) => this.#signingKeys.signer(tx),
        announce: (tx, checkpoint) => this.#announce(tx, checkpoint),
      },
      options,
    );
    this.#checks = new LogChecks({
      ...options,
      verifierKey: async () => parseVerifierKey(await this.verifierKey()),
    });
    jobs.define(CHECK_JOB, () => this.check(), { cron: '* * * * *' });
    const sender = this.#webhook;
    if (sender === null) return;
    jobs.define<{ note: string }>(SEND_JOB, ({ note }, signal) => sender.send(note, signal), {
      retryLimit: SEND_RETRIES,
      deadlineSeconds: SEND_DEADLINE_SECONDS,
    });
  }

  /**
   * Adds an event in the transaction of the change that it tells of. Nobody waits for it, and it waits for nobody.
   * What is too large is cut with a mark, what looks like a secret is taken out; the content of an event is no error.
   */
  record(db: Kysely<Schema> | Transaction<Schema>, event: AuditEvent): Promise<void> {
    return this.recordMany(db, [event]);
  }

  /** As `record`, several in one statement; they keep their order. */
  async recordMany(db: Kysely<Schema> | Transaction<Schema>, events: readonly AuditEvent[]): Promise<void> {
    if (events.length === 0) return;
    const nowMs = this.#options.clock.now();
    const encoded = events.map((event) => encodeEvent(event, nowMs, this.#redactor));
    // What is recorded by itself shares its commit with what is recorded at the same time.
    if (db.isTransaction) await insertPending(db, encoded);
    else await this.#grouped.add(encoded);
    this.#recorded = true;
  }

  /** Begins to give what was recorded its place; any number of processes may. */
  start(): void {
    this.#loop ??= startPollLoop(() => this.#step(), this.#options.clock);
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
    await this.#webhook?.close();
  }

  /** Puts everything that was committed before the call into the tree, under a signed checkpoint. */
  flush(): Promise<void> {
    return this.#sequencer.runAndSign();
  }

  /** Newest first; events show up moments after they were recorded. */
  async list(filter: AuditFilter, limit: number, before: ListPosition | null = null): Promise<StoredEntry[]> {
    return (await listEntries(this.#db, filter, limit, before)).map(toStoredEntry);
  }

  /** Newest first. */
  async checkpoints(limit: number, before: number | null = null) {
    return (await listCheckpoints(this.#db, limit, before)).map((row) => ({
      size: row.tree_size,
      note: row.note,
      createdAt: row.created_at.toISOString(),
    }));
  }

  /** The public key in the form of C2SP signed-note, which verifiers take; made now if there is none yet. */
  async verifierKey(): Promise<string> {
    return await this.#options.database.transaction(async (tx) => {
      await lockTree(tx, { wait: true });
      return formatVerifierKey(await this.#signingKeys.signer(tx));
    });
  }

  /**
   * Shows that an entry, by its id or number, is in the log: its exact event and the hashes that lead to a signed root.
   * @throws AuditEntryNotFoundError, AuditTamperedError
   */
  async prove(reference: string): Promise<EntryProof> {
    let entry = await findEntry(this.#db, reference);
    let checkpoint = await this.#newestCheckpoint();
    if (entry === null || checkpoint === null || entry.seq >= checkpoint.size) {
      await this.flush();
      entry = await findEntry(this.#db, reference);
      checkpoint = await this.#newestCheckpoint();
    }
    if (entry === null || checkpoint === null) throw new AuditEntryNotFoundError(reference);
    const proof = await proveInclusion(new StoredHashes(this.#db), entry, checkpoint);
    return {
      format: PROOF_FORMAT,
      seq: entry.seq,
      event: entry.event.toString(),
      proof: proof.map((hash) => hash.toString('base64')),
      checkpoint: checkpoint.note,
    };
  }

  /** The chosen entries as text, in pieces, everything recorded before the call included. */
  async *export(format: AuditExportFormat, filter: AuditFilter = {}): AsyncGenerator<string> {
    await this.flush();
    const checkpoint = await this.#newestCheckpoint();
    const verifierKey = await this.verifierKey();
    yield* exportEntries({ db: this.#db, filter, checkpoint, verifierKey }, format);
  }

  /**
   * Recomputes everything, and compares it with the signed checkpoints: those of the database, and those kept in the
   * data folder unless others are given.
   * @param options.key default: the one the database names, which somebody with rights on it can exchange
   */
  async verify(
    options: {
      readonly key?: VerifierKey;
      readonly checkpoints?: readonly string[];
      readonly onProgress?: (entries: number) => void;
    } = {},
  ): Promise<LogVerdict> {
    const { dataDir } = this.#options;
    return await verifyDatabase(this.#db, {
      key: options.key ?? parseVerifierKey(await this.verifierKey()),
      keptNotes: options.checkpoints ?? (await readKeptNotes(dataDir)),
      keptLeavesPath: keptPaths(dataDir).leaves,
      onProgress: options.onProgress,
    });
  }

  /** Verifies what is new, and a piece of all of it; a job does so every minute. What is found is kept, and alerts tell it. */
  check(): Promise<void> {
    return this.#checks.run();
  }

  get #db(): Kysely<Schema> {
    return this.#options.database.db;
  }

  async #newestCheckpoint(): Promise<Checkpoint | null> {
    const [row] = await listCheckpoints(this.#db, 1, null);
    return row === undefined ? null : openCheckpoint(row.note, parseVerifierKey(await this.verifierKey()));
  }

  async #announce(tx: Transaction<Schema>, { note }: Checkpoint): Promise<void> {
    if (this.#webhook !== null) await this.#options.jobs.enqueue(SEND_JOB, { note }, { tx });
  }

  /** One look; gives how long to wait until the next. */
  async #step(): Promise<number> {
    try {
      const busy = this.#recorded;
      this.#recorded = false;
      const { moved, full, signedSize } = await this.#sequencer.run();
      await this.#keep(signedSize);
      this.#failing = false;
      if (full) return 0;
      return busy || moved > 0 ? BUSY_POLL_MS : IDLE_POLL_MS;
    } catch (error) {
      // Said once: it is tried again, and what is recorded waits in its table.
      if (!this.#failing) this.#options.log.error('The audit log does not advance', { reason: errorMessage(error) });
      this.#failing = true;
      return RETRY_AFTER_ERROR_MS;
    }
  }

  async #keep(signedSize: number): Promise<void> {
    const keptSize = await this.#files.catchUp(this.#db, signedSize);
    if (keptSize <= signedSize || this.#saidOlder) return;
    this.#saidOlder = true;
    this.#options.log.error(
      'The audit log in the database is older than the checkpoints kept in the data folder: entries are gone, or it is another database. "audit verify" says more.',
      { keptSize, signedSize },
    );
  }
}
