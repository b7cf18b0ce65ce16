import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { PasswordHasher } from '../../../src/access/accounts/passwordHasher.ts';
import { PasswordStrength } from '../../../src/access/accounts/passwordStrength.ts';
import { WorkLimit } from '../../../src/access/accounts/workLimit.ts';

describe('hashes', () => {
  const hasher = new PasswordHasher();

  it('are argon2id with 46 MiB, each with a salt of its own', async () => {
    const [one, two] = await Promise.all([hasher.hash('same'), hasher.hash('same')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
    expect(one).not.toBe(two);
    expect(hasher.isOutdated(one)).toBe(false);
    expect(await hasher.verify(one, 'same')).toBe(true);
    expect(await hasher.verify(one, 'Same')).toBe(false);
  });

  it('are also checked where there is none, and the answer is no', async () => {
    expect(await hasher.verify(null, 'anything')).toBe(false);
  });

  it('are checked two at a time; when too many wait, the next is refused at once', async () => {
    const small = new PasswordHasher({ running: 2, waiting: 3 });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        small
          .hash('x')
          .then(() => 'done')
          .catch((error: { code: string }) => error.code),
      ),
    );
    expect(outcomes.filter((one) => one === 'done')).toHaveLength(5);
    expect(outcomes.filter((one) => one === 'AUTHENTICATION_BUSY')).toHaveLength(45);
    expect(await small.hash('x')).toMatch(/^\$argon2id/);
  });
});

it('a limit holds whatever comes and fails, in the order it came', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 6 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      async (running, waiting, fails) => {
        const limit = new WorkLimit({ running, waiting }, () => new Error('full'));
        let now = 0;
        let most = 0;
        const started: number[] = [];
        const results = await Promise.all(
          fails.map((fail, at) =>
            limit
              .run(async () => {
                started.push(at);
                most = Math.max(most, ++now);
                await new Promise(setImmediate);
                now -= 1;
                if (fail) throw new Error('failed');
                return 'done';
              })
              .catch((error: Error) => error.message),
          ),
        );
        expect(most).toBeLessThanOrEqual(running);
        expect(results.map((one) => (one === 'full' ? 'full' : 'run'))).toEqual(
          fails.map((_, at) => (at < running + waiting ? 'run' : 'full')),
        );
        expect(started).toEqual([...started].sort((a, b) => a - b));
        expect(await limit.run(async () => 'free again')).toBe('free again');
      },
    ),
    { numRuns: 100 },
  );
});

describe('the strength of a password', () => {
  const strength = new PasswordStrength();
  afterAll(() => strength.close());
  const verdict = (password: string, known: string[] = []) =>
    strength
      .require(password, known)
      .then(() => 'taken')
      .catch((error: Error) => error.message);

  it('is judged with what a guesser knows, and the message says what to do', async () => {
    expect(await verdict('tortoise umbrella granite 47')).toBe('taken');
    expect(await verdict('short')).toContain('takes 10 to 256 characters. Got 5.');
    expect(await verdict('x'.repeat(257))).toContain('Got 257.');
    expect(await verdict('password123')).toMatch(/too easy to guess\. .*(common|similar)/);
    expect(await verdict('aaaaaaaaaaaaaaaaaaaa')).toMatch(/too easy to guess\. Repeated/);
    expect(await verdict('wolfeschlegelsteinhausen1')).toBe('taken');
    expect(
      await verdict('wolfeschlegelsteinhausen1', ['Wolfe Schlegelsteinhausen', 'w@wolfeschlegelsteinhausen.de']),
    ).toContain('too easy');
  });

  it('of the longest passwords is judged beside other work, several at once', async () => {
    const long = Array.from({ length: 256 }, (_, at) => String.fromCharCode(33 + ((at * 37) % 90))).join('');
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    expect(await Promise.all([verdict(long), verdict(long), verdict('aB3$'.repeat(64))])).toEqual([
      'taken',
      'taken',
      expect.stringContaining('too easy'),
    ]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });

  it('is judged again after its thread was ended', async () => {
    await strength.close();
    expect(await verdict('tortoise umbrella granite 47')).toBe('taken');
  });
});
