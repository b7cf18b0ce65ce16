import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { lazy } from '../../core/lazy.ts';
import { AuthenticationBusyError } from './errors.ts';
import { WorkLimit } from './workLimit.ts';

/**
 * argon2id with 46 MiB, one pass and one lane: the first of the equally strong choices of OWASP's Password Storage
 * Cheat Sheet. `algorithm` 2 is argon2id; the enum of the package exists for the type checker only.
 */
const PARAMETERS = { algorithm: 2, memoryCost: 47_104, timeCost: 1, parallelism: 1, outputLen: 32 } as const;

/** Two of libuv's four threads, so that files and names are still read; the rest waits, for some seconds at most. */
const LIMITS = { running: 2, waiting: 64 };

/** Makes and checks password hashes, a few at a time. */
export class PasswordHasher {
  readonly #limit: WorkLimit;
  /** Of a password that nobody has, to spend the same time on an account that does not exist. */
  readonly #nobody = lazy(() => this.hash(randomBytes(24).toString('base64url')));

  constructor(limits: { readonly running: number; readonly waiting: number } = LIMITS) {
    this.#limit = new WorkLimit(limits, () => new AuthenticationBusyError());
  }

  /** @throws AuthenticationBusyError when too many wait already */
  hash(password: string): Promise<string> {
    return this.#limit.run(() => hash(normalize(password), PARAMETERS));
  }

  /**
   * Whether this is the password; for an account without one (null) the answer is no, after the same time.
   * @throws AuthenticationBusyError when too many wait already
   */
  async verify(passwordHash: string | null, password: string): Promise<boolean> {
    const against = passwordHash ?? (await this.#nobody());
    const matches = await this.#limit.run(() => verify(against, normalize(password)));
    return matches && passwordHash !== null;
  }

  /** Whether it was made with other parameters than those of now, so that the next login should replace it. */
  isOutdated(passwordHash: string): boolean {
    const made = parseOptions(passwordHash);
    return (Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[]).some((name) => made[name] !== PARAMETERS[name]);
  }
}

/** One password, however the keyboard composes its characters (NIST SP 800-63B, 5.1.1.2). */
function normalize(password: string): string {
  return password.normalize('NFKC');
}
