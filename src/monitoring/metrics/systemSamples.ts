import { statfs } from 'node:fs/promises';
import type { Database } from '../../store/database.ts';
import type { LoopDelay } from './loopDelay.ts';

/** What one look at the process gives, by metric. */
export type SystemSample = Readonly<Partial<Record<SystemMetric, number>>>;

export const SYSTEM_METRICS = [
  'process_cpu',
  'process_memory_bytes',
  'event_loop_delay_ms',
  'pool_connections',
  'pool_waiting',
  'disk_free_ratio',
  'disk_free_bytes',
] as const;
type SystemMetric = (typeof SYSTEM_METRICS)[number];

/** Looks at this process, its pool of connections, and the disk of its data folder. */
export class SystemSampler {
  readonly #database: Pick<Database, 'pool'>;
  readonly #dataDir: string;
  readonly #loopDelay: LoopDelay;
  #cpu = process.cpuUsage();
  #sinceMs = performance.now();

  constructor(database: Pick<Database, 'pool'>, dataDir: string, loopDelay: LoopDelay) {
    this.#database = database;
    this.#dataDir = dataDir;
    this.#loopDelay = loopDelay;
  }

  /** Since the last look, or since the start. */
  async look(): Promise<SystemSample> {
    const nowMs = performance.now();
    const cpu = process.cpuUsage(this.#cpu);
    const passedMs = Math.max(1, nowMs - this.#sinceMs);
    this.#cpu = process.cpuUsage();
    this.#sinceMs = nowMs;
    const { pool } = this.#database;
    return {
      process_cpu: (cpu.user + cpu.system) / 1_000 / passedMs,
      process_memory_bytes: process.memoryUsage.rss(),
      event_loop_delay_ms: this.#loopDelay.read(),
      pool_connections: pool.totalCount,
      pool_waiting: pool.waitingCount,
      ...(await this.#disk()),
    };
  }

  /** Nothing where the file system does not tell. */
  async #disk(): Promise<SystemSample> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.#dataDir);
      return blocks === 0 ? {} : { disk_free_ratio: bavail / blocks, disk_free_bytes: bavail * bsize };
    } catch {
      return {};
    }
  }
}
