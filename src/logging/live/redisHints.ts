import { Redis } from 'ioredis';
import { letProgramsEnd } from '../../core/idleRedis.ts';

const CHANNEL = 'integration-services:logs';
/** So often at most it is said that there is something new. */
const SAY_EVERY_MS = 50;
const MAX_RETRY_MS = 5_000;

/**
 * Tells other replicas through Redis that there are new logs, so that they look at once. Nothing rests on it: a hint
 * that is lost costs a quarter of a second.
 */
export class RedisHints {
  readonly #url: string;
  #publisher: Redis | null = null;
  #subscriber: Redis | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(url: string) {
    this.#url = url;
  }

  /** Calls `heard` from now on, as soon as Redis can be reached. */
  listen(heard: () => void): void {
    if (this.#subscriber !== null || this.#closed) return;
    this.#subscriber = this.#connect();
    this.#subscriber.on('message', heard);
    this.#subscriber.on('ready', () => void this.#subscriber?.subscribe(CHANNEL).catch(() => {}));
    void this.#subscriber.connect().catch(() => {});
  }

  say(): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#publisher === null) {
        this.#publisher = this.#connect();
        void this.#publisher.connect().catch(() => {});
      }
      void this.#publisher.publish(CHANNEL, '').catch(() => {});
    }, SAY_EVERY_MS).unref();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#publisher?.disconnect();
    this.#subscriber?.disconnect();
  }

  #connect(): Redis {
    const redis = new Redis(this.#url, {
      lazyConnect: true,
      // A hint that comes late says nothing any more.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      retryStrategy: (times) => Math.min(100 * 2 ** times, MAX_RETRY_MS),
    });
    letProgramsEnd(redis);
    // Unheard, it would end the process; whoever needs Redis says that it is away.
    redis.on('error', () => {});
    return redis;
  }
}
