import { actAs } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import { type ArchivePlace, openArchive } from './archive/logArchive.ts';
import { type ImportResult, importLogs } from './importLogs.ts';
import type { LogSettings } from './logSettings.ts';
import { applyRetention } from './retention.ts';

const RETENTION_JOB = 'logs.retention';
const RETENTION = { actor: { kind: 'system', id: RETENTION_JOB } } as const;
const DEFAULT_IMPORT_KEEP_DAYS = 7;

interface Parts {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: LogSettings;
  /** Where records go before they are deleted; null: nowhere. */
  readonly archive: ArchivePlace | null;
}

/** How long logs are kept, where they go then, and how they come back. */
export class LogKeeping {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.jobs.define(RETENTION_JOB, (_payload, signal) => actAs(RETENTION, () => this.applyRetention(signal)), {
      cron: '23 * * * *',
      deadlineSeconds: 3_600,
    });
  }

  /** Archives and deletes what is past its time, as the job does every hour. @throws LogArchiveError */
  async applyRetention(signal: AbortSignal): Promise<void> {
    const { database, log, settings, clock, archive } = this.#parts;
    const opened = archive === null ? null : await openArchive(archive);
    try {
      const retention = await settings.retention();
      await applyRetention({ database, log, archive: opened }, retention, new Date(clock.now()), signal);
    } finally {
      opened?.close();
    }
  }

  /**
   * Brings archived records back; see `importLogs`.
   * @param options `keepDays`: how long retention leaves them alone; default 7
   * @throws LogArchiveError
   */
  async importArchive(
    place: ArchivePlace,
    options: { readonly prefix?: string; readonly keepDays?: number; readonly signal: AbortSignal },
  ): Promise<ImportResult> {
    const archive = await openArchive(place);
    try {
      const { prefix = '', keepDays = DEFAULT_IMPORT_KEEP_DAYS, signal } = options;
      return await importLogs(this.#parts, archive, { prefix, keepDays, signal });
    } finally {
      archive.close();
    }
  }
}
