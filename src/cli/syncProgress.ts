import type { App } from '../app.ts';
import type { SyncRun } from '../sync/types.ts';

const STREAM_INTERVAL_MS = 500;

/** The line that a person watches a sync by: which stream, how many pages and records, how fast. */
export function syncProgress({ sync }: App, name: string, show: (text: string) => void): (run: SyncRun) => void {
  const startedMs = performance.now();
  let stream = '';
  let askedAtMs = Number.NEGATIVE_INFINITY;
  show(`${name}: starting`);

  /** A run has no field for it, but the stream whose state was written last is the one under way. */
  const findStream = async (integrationId: string): Promise<void> => {
    const statuses = await sync.streamStatus(integrationId);
    const newest = statuses.reduce((a, b) => ((b.updatedAt ?? '') > (a.updatedAt ?? '') ? b : a));
    stream = ` · ${newest.stream}`;
  };

  return ({ integrationId, pages, recordsRead }) => {
    const nowMs = performance.now();
    if (nowMs - askedAtMs > STREAM_INTERVAL_MS) {
      askedAtMs = nowMs;
      // Only a decoration: what is wrong with the database is said by the sync itself.
      findStream(integrationId).catch(() => {});
    }
    const perSecond = recordsRead / Math.max(0.001, (nowMs - startedMs) / 1000);
    show(`${name}${stream} · ${counted(pages, 'page')} · ${counted(recordsRead, 'record')} · ${count(perSecond)}/s`);
  };
}

export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}
