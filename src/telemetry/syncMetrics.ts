import { Histogram } from '../performance/histogram.ts';
import type { SyncRun } from '../sync/types.ts';
import { counter, type Family, histogram, histogramSample } from './families.ts';

const CHANGES = ['added', 'updated', 'deleted', 'unchanged', 'confirmed'] as const;
const TRIGGERS = ['schedule', 'manual'] as const;
const STATUSES = ['succeeded', 'failed', 'stopped'] as const;

/** Counts the runs that this process ended; a run that several processes worked on counts where it ended, whole. */
export class SyncMetrics {
  readonly #runs = new Map<string, number>();
  readonly #records = { added: 0, updated: 0, deleted: 0, unchanged: 0, confirmed: 0 };
  readonly #duration = new Histogram();
  #pages = 0;

  record(run: SyncRun): void {
    const key = `${run.trigger} ${run.status}`;
    this.#runs.set(key, (this.#runs.get(key) ?? 0) + 1);
    this.#pages += run.pages;
    this.#records.added += run.recordsAdded;
    this.#records.updated += run.recordsUpdated;
    this.#records.deleted += run.recordsDeleted;
    this.#records.unchanged += run.recordsUnchanged;
    this.#records.confirmed += run.recordsConfirmed;
    if (run.startedAt === null || run.finishedAt === null) return;
    this.#duration.record(Math.max(0, Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1_000);
  }

  families(): Family[] {
    return [
      counter(
        'integration_services_sync_runs_total',
        'Sync runs that ended.',
        TRIGGERS.flatMap((trigger) =>
          STATUSES.map((status) => ({
            labels: { trigger, status },
            value: this.#runs.get(`${trigger} ${status}`) ?? 0,
          })),
        ),
      ),
      counter(
        'integration_services_sync_records_total',
        'Records of runs that ended, by what happened to them.',
        CHANGES.map((change) => ({ labels: { change }, value: this.#records[change] })),
      ),
      counter('integration_services_sync_pages_total', 'Pages of runs that ended.', this.#pages),
      histogram('integration_services_sync_run_duration_seconds', 'From the first claim of a run to its end.', [
        histogramSample({}, this.#duration),
      ]),
    ];
  }
}
