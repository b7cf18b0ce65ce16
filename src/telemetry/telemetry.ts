import type { Clock } from '../core/clock.ts';
import type { Database } from '../store/database.ts';
import { AttemptMetrics } from './attemptMetrics.ts';
import { Backlog } from './backlog.ts';
import type { Family } from './families.ts';
import type { MetricsFormat } from './negotiate.ts';
import { ProcessMetrics } from './processMetrics.ts';
import { RequestMetrics } from './requestMetrics.ts';
import { type StateSources, stateFamilies } from './stateMetrics.ts';
import { SyncMetrics } from './syncMetrics.ts';
import { writeText } from './textFormat.ts';

/** What this process counts for monitoring systems, and the ways to read it. */
export class Telemetry {
  readonly attempts: AttemptMetrics;
  readonly requests = new RequestMetrics();
  readonly syncs = new SyncMetrics();
  readonly #process = new ProcessMetrics();
  readonly #backlog: Backlog;
  #state: StateSources | null = null;

  /** @param options.integrationSeries integrations that have series of their own */
  constructor(options: { database: Pick<Database, 'pool'>; clock: Clock; integrationSeries: number }) {
    this.attempts = new AttemptMetrics(options);
    this.#backlog = new Backlog(options.database, options.clock);
  }

  /** The parts that are built after what they are counted by. */
  watch(sources: StateSources): void {
    this.#state = sources;
  }

  async families(): Promise<Family[]> {
    const [backlog, process] = await Promise.all([this.#backlog.families(), this.#process.families()]);
    return [
      ...this.attempts.families(),
      ...this.syncs.families(),
      ...this.requests.families(),
      ...(this.#state === null ? [] : stateFamilies(this.#state)),
      ...backlog,
      ...process,
    ];
  }

  async write(format: MetricsFormat): Promise<string | Buffer> {
    const families = await this.families();
    if (format !== 'protobuf') return writeText(families, format);
    // Loaded by the first who wants it.
    const { writeProtobuf } = await import('./protobufFormat.ts');
    return writeProtobuf(families);
  }
}
