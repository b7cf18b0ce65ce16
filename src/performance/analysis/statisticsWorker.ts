import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { UnavailableError } from '../../core/errors.ts';
import type { HourlyPercentiles, PerformanceStatistics } from './statistics.ts';

const DEADLINE_MS = 30_000;
const IDLE_MS = 30_000;
const MOST_WAITING = 64;

/** TypeScript in the repository, JavaScript in the package. */
const THREAD = new URL(`./statisticsThread${extname(import.meta.url)}`, import.meta.url);

/** Computes statistics in a thread of its own, which starts when it is needed and ends when it is not. */
export class StatisticsWorker {
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  /** @throws UnavailableError too many wait already, or the thread was too slow or died */
  async compute(hours: HourlyPercentiles): Promise<PerformanceStatistics> {
    if (this.#waiting >= MOST_WAITING) throw busy('too many integrations are analysed at once');
    this.#waiting++;
    // One at a time: the thread has one processor.
    const answer = this.#last.then(() => this.#ask(hours));
    this.#last = answer.catch(() => {});
    try {
      return await answer;
    } finally {
      this.#waiting--;
    }
  }

  /** Ends the thread; questions that wait are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #ask(hours: HourlyPercentiles): Promise<PerformanceStatistics> {
    if (this.#closed) throw busy('the service is closed');
    clearTimeout(this.#idle);
    this.#worker ??= startWorker();
    const worker = this.#worker;
    worker.ref();
    const asked = new AbortController();
    const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(DEADLINE_MS)]);
    try {
      const answer = once(worker, 'message', { signal });
      // One that is ended says so by no error.
      const ended = once(worker, 'exit', { signal }).then(() => Promise.reject(new Error('the thread ended')));
      worker.postMessage(hours);
      return (await Promise.race([answer, ended]))[0] as PerformanceStatistics;
    } catch (error) {
      await this.#end();
      throw busy('the analysis took too long or was ended', error);
    } finally {
      asked.abort();
      worker.unref();
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => void this.#end(), IDLE_MS).unref();
    }
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

function startWorker(): Worker {
  const worker = new Worker(THREAD, { env: {}, execArgv: [] });
  // Told to whoever waits by `once`; without a listener it would end the process.
  worker.on('error', () => {});
  return worker;
}

function busy(why: string, cause?: unknown): UnavailableError {
  return new UnavailableError(`The statistics of performance cannot be computed now: ${why}. Try again later.`, {
    cause,
  });
}
