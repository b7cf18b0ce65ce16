import type { StreamPage } from '../connectors/types.ts';
import type { Clock } from '../core/clock.ts';
import { abortable } from './abortable.ts';
import { IncompleteReadError } from './errors.ts';
import { RecordBatch } from './recordBatch.ts';

/** The longest a page waits for others to be written in one transaction with it. */
const BATCH_WAIT_MS = 250;

export interface BatchedRead {
  readonly stream: string;
  /** Starts the read. Its signal fires when a write failed or `signal` did. */
  readonly read: (signal: AbortSignal) => AsyncIterable<StreamPage>;
  readonly write: (batch: RecordBatch) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Writes the pages of a stream in batches. While one batch is written the next is filled: at most one batch is
 * being written, one filled and one page fetched, whatever the stream's size.
 *
 * @throws IncompleteReadError when the pages end without a last one; what `read` and `write` throw.
 */
export async function writeInBatches({ stream, read, write, clock, signal }: BatchedRead): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const pages = read(either)[Symbol.asyncIterator]();
  let writing = Promise.resolve();
  let batch = new RecordBatch();
  let other = new RecordBatch();
  const startWriting = async () => {
    await abortable(writing, either);
    writing = write(batch).catch((error: unknown) => failure.abort(error));
    [batch, other] = [other, batch];
    batch.clear();
  };
  const flush = async () => {
    if (batch.pages > 0) await startWriting();
    await writing;
    either.throwIfAborted();
  };
  let waitUntilMs = 0;
  let next = fetchNext(pages, stream);
  try {
    for (;;) {
      if (batch.pages > 0 && !(await arrives(next, waitUntilMs - clock.monotonicMs(), clock))) await startWriting();
      const page = await abortable(next, either).catch(async (error: unknown) => {
        // The pages that came before are good.
        if (!either.aborted) await flush();
        throw error;
      });
      if (!page.last) next = fetchNext(pages, stream);
      if (batch.pages === 0) waitUntilMs = clock.monotonicMs() + BATCH_WAIT_MS;
      batch.add(page, stream);
      if (page.last) return await flush();
      if (batch.full) await startWriting();
    }
  } finally {
    failure.abort();
    // A read that ignores its signal must not hold up the end of the run; what it still throws has no meaning.
    pages.return?.().catch(() => {});
    await writing;
  }
}

function fetchNext(pages: AsyncIterator<StreamPage>, stream: string): Promise<StreamPage> {
  const next = pages.next().then(({ value, done }) => {
    if (!done) return value;
    throw new IncompleteReadError(`Reading the stream ${JSON.stringify(stream)} ended before its last page.`);
  });
  // Whoever waits for it sees the rejection; after an abort nobody does.
  next.catch(() => {});
  return next;
}

/** Whether `promise` settles within `waitMs`. */
async function arrives(promise: Promise<unknown>, waitMs: number, clock: Clock): Promise<boolean> {
  if (waitMs <= 0) return false;
  const timer = new AbortController();
  const settled = promise.then(
    () => true,
    () => true,
  );
  const elapsed = clock.sleep(waitMs, timer.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([settled, elapsed]);
  } finally {
    timer.abort();
  }
}
