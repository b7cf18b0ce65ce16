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
  let deadline: Deadline | undefined;
  const startWriting = async () => {
    await abortable(writing, either);
    writing = write(batch).catch((error: unknown) => failure.abort(error));
    [batch, other] = [other, batch];
    batch.clear();
    deadline?.cancel();
    deadline = undefined;
  };
  const flush = async () => {
    if (batch.pages > 0) await startWriting();
    await writing;
    either.throwIfAborted();
  };
  let next = fetchNext(pages, stream);
  try {
    for (;;) {
      if (deadline !== undefined) {
        await Promise.race([deadline.passed, next.then(noop, noop)]);
        if (deadline.isPassed) await startWriting();
      }
      const page = await abortable(next, either).catch(async (error: unknown) => {
        // The pages that came before are good.
        if (!either.aborted) await flush();
        throw error;
      });
      if (!page.last) next = fetchNext(pages, stream);
      deadline ??= startDeadline(clock);
      batch.add(page, stream);
      if (page.last) return await flush();
      if (batch.full) await startWriting();
    }
  } finally {
    failure.abort();
    deadline?.cancel();
    // A read that ignores its signal must not hold up the end of the run; what it still throws has no meaning.
    pages.return?.().catch(noop);
    await writing;
  }
}

const noop = () => {};

function fetchNext(pages: AsyncIterator<StreamPage>, stream: string): Promise<StreamPage> {
  const next = pages.next().then(({ value, done }) => {
    if (!done) return value;
    throw new IncompleteReadError(`Reading the stream ${JSON.stringify(stream)} ended before its last page.`);
  });
  // Whoever waits for it sees the rejection; after an abort nobody does.
  next.catch(noop);
  return next;
}

/** When the pages of a batch have waited long enough. One timer a batch: one a page is felt at full speed. */
interface Deadline {
  readonly passed: Promise<void>;
  readonly isPassed: boolean;
  cancel(): void;
}

function startDeadline(clock: Clock): Deadline {
  const timer = new AbortController();
  const deadline = {
    isPassed: false,
    passed: clock.sleep(BATCH_WAIT_MS, timer.signal).then(() => {
      deadline.isPassed = true;
    }, noop),
    cancel: () => timer.abort(),
  };
  return deadline;
}
