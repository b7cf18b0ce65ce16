import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { invalidInput } from '../../core/input.ts';
import { AuthenticationBusyError } from './errors.ts';
import type { Judgement, Question } from './strengthThread.ts';
import { WorkLimit } from './workLimit.ts';

const PASSWORD_CHARS = { min: 10, max: 256 } as const;

/** zxcvbn's 0 to 4; 3: safely unguessable against an offline attack on a slow hash. */
const MIN_SCORE = 3;
/** Looking at more takes seconds, and what is strong up to here stays so. */
const JUDGED_CHARS = 64;
const DEADLINE_MS = 15_000;
/** The dictionaries take 75 MB; they go when nobody has chosen a password for so long. */
const IDLE_MS = 30_000;

/** TypeScript in the repository, JavaScript in the package. */
const THREAD = new URL(`./strengthThread${extname(import.meta.url)}`, import.meta.url);

/**
 * Says how strong a password is, with the estimator zxcvbn. It thinks for up to half a second, so it does so in a
 * thread of its own, which starts when it is needed and ends when it is not.
 */
export class PasswordStrength {
  readonly #limit = new WorkLimit({ running: 1, waiting: 32 }, () => new AuthenticationBusyError());
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | undefined;

  /**
   * @param known what a guesser would try first: the person's name and e-mail address
   * @throws InvalidInputError at `/password` with what would make it better; AuthenticationBusyError
   */
  async require(password: string, known: readonly string[]): Promise<void> {
    const chars = [...password].length;
    if (chars < PASSWORD_CHARS.min || chars > PASSWORD_CHARS.max) {
      throw weak(`takes ${PASSWORD_CHARS.min} to ${PASSWORD_CHARS.max} characters. Got ${chars}.`);
    }
    const { score, advice } = await this.#limit.run(() => this.#judge(password.slice(0, JUDGED_CHARS), known));
    if (score < MIN_SCORE) {
      throw weak(`is too easy to guess. ${advice.join(' ') || 'Take four or more words that do not belong together.'}`);
    }
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  async #judge(password: string, known: readonly string[]): Promise<Judgement> {
    clearTimeout(this.#idle);
    this.#worker ??= startWorker();
    const worker = this.#worker;
    worker.ref();
    try {
      const answer = once(worker, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
      worker.postMessage({ password, known: known.map((text) => text.slice(0, 100)) } satisfies Question);
      return (await answer)[0] as Judgement;
    } catch {
      // Too slow or dead: the next one gets a new thread.
      await this.close();
      throw new AuthenticationBusyError();
    } finally {
      worker.unref();
      this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
    }
  }
}

function startWorker(): Worker {
  const worker = new Worker(THREAD, { env: {}, execArgv: [] });
  // Told to whoever waits by `once`; without a listener it would end the process.
  worker.on('error', () => {});
  return worker;
}

function weak(detail: string) {
  return invalidInput('The password', [{ pointer: '/password', detail }]);
}
