import type { JsonObject } from '../core/json.ts';

export type SyncStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'stopped';

/** A run of a sync. Counts are of the whole run, also across restarts. */
export interface SyncRun {
  readonly id: string;
  readonly integrationId: string;
  readonly trigger: 'schedule' | 'manual';
  readonly fullRefresh: boolean;
  readonly status: SyncStatus;
  readonly dueAt: string;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly pages: number;
  readonly recordsRead: number;
  readonly recordsAdded: number;
  readonly recordsUpdated: number;
  readonly recordsDeleted: number;
  readonly recordsUnchanged: number;
  /** Not read, because the provider confirmed that they are as they were when they were read last. */
  readonly recordsConfirmed: number;
  /** The streams whose records were confirmed. */
  readonly streamsConfirmed: readonly string[];
  readonly error: { readonly code: string; readonly message: string; readonly stream?: string } | null;
  readonly warnings: readonly { readonly code: string; readonly message: string; readonly stream?: string }[];
}

/** What `syncIntegration` and `syncAll` answer: the finished run. */
export interface SyncResult extends SyncRun {
  readonly success: boolean;
  readonly durationMs: number;
}

export interface SyncOptions {
  /** Reads every stream from the start, also incremental ones, and finds deletions. */
  fullRefresh?: boolean;
  /** Only these streams. */
  streams?: string[];
  signal?: AbortSignal;
  /** Called after every written page. */
  onProgress?: (run: SyncRun) => void;
}

export interface ChangesOptions {
  /** Only of this stream; default all. A cursor is good for the choice it was given for. */
  readonly stream?: string;
  /** `nextCursor` of an earlier answer; default from the first change. */
  readonly cursor?: string;
  /** Default 50, at most 1,000. */
  readonly limit?: number;
}

export interface ExportOptions {
  /** Also records that are gone, with `deletedAt`. Default false. */
  readonly includeDeleted?: boolean;
}

export type ChangeKind = 'added' | 'updated' | 'deleted';

/**
 * One record as the change feed gives it. `change` is relative to the cursor that was asked from. Apply it as
 * "store" or "remove": a record made and deleted since then comes as `deleted` alone, and one that was deleted and
 * came back as `added`.
 */
export interface RecordChange {
  readonly stream: string;
  readonly key: string;
  readonly change: ChangeKind;
  /** The last known data, also of a deleted record. */
  readonly data: JsonObject;
  /** ISO 8601. */
  readonly changedAt: string;
  readonly deletedAt: string | null;
}

export interface RecordPage {
  readonly records: readonly RecordChange[];
  /** Pass it as `cursor` to go on from here, now or next week. */
  readonly nextCursor: string;
  /** Whether more changes were there already. */
  readonly hasMore: boolean;
}

export interface StreamStatus {
  readonly stream: string;
  readonly records: number;
  readonly lastFullReadAt: string | null;
  readonly updatedAt: string | null;
  readonly pendingDeletions: { readonly count: number; readonly total: number; readonly foundAt: string } | null;
  /** Of the answer that was the last read, if that can be asked for by its validator: see docs/sync.md. */
  readonly knownAnswer: {
    readonly validator: 'etag' | 'last_modified';
    /** When it came, ISO 8601. */
    readonly readAt: string;
    /** How often in a row it was confirmed since. */
    readonly confirmed: number;
  } | null;
}
