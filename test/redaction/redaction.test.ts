import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { KeywordScanner } from '../../src/redaction/keywordScanner.ts';
import { KnownSecrets, liveSecrets, REDACTED } from '../../src/redaction/knownSecrets.ts';
import { learnSecrets, learnSecretsOfUrl } from '../../src/redaction/learnSecrets.ts';
import { lowBytes } from '../../src/redaction/lowBytes.ts';
import { Redactor } from '../../src/redaction/redactor.ts';
import { hideRecognised } from '../../src/redaction/secretRules.ts';

const rules = JSON.parse(readFileSync(new URL('../../src/redaction/secretRules.json', import.meta.url), 'utf8')) as {
  rules: { id: string; regex: string; keywords: string[] }[];
};

describe('the scanner of keywords', () => {
  it('finds what looking for each of them finds', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 12 }),
        fc.string({ unit: fc.constantFrom('a', 'B', 'b', 'c', 'C', '-', 'é', ' '), maxLength: 40 }),
        (words, text) => {
          const expected = words.flatMap((one, index) => (text.toLowerCase().includes(one) ? [index] : []));
          const found = new KeywordScanner(words).scan(lowBytes(text), text.length);
          expect([...(found ?? [])].sort((a, b) => a - b)).toEqual(expected);
          if (expected.length === 0) expect(found).toBeNull();
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('known secrets', () => {
  const secret = fc.oneof(
    fc.string({ minLength: 6, maxLength: 60, unit: 'binary' }).filter((text) => text.isWellFormed()),
    // Many that begin alike.
    fc.string({ minLength: 6, maxLength: 20, unit: fc.constantFrom('a', 'b') }).map((text) => `sk_live_${text}`),
  );

  it('are hidden in every form, wherever they stand, among many others', () => {
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.string(),
        fc.string(),
        (all, pick, left, right) => {
          const known = new KnownSecrets();
          for (const one of all) known.add(one);
          const one = all[pick % all.length]!;
          const forms = [
            one,
            encodeURIComponent(one),
            Buffer.from(one).toString('base64'),
            JSON.stringify(one).slice(1, -1),
          ];
          for (const form of forms) {
            const shown = known.hide(`${left}${form}${right}`);
            expect(shown.includes(REDACTED)).toBe(true);
            expect(shown.replaceAll(REDACTED, '\n').includes(form) && form.length > 5).toBe(false);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are found in the base64 of a longer text, wherever they begin in it', () => {
    const known = new KnownSecrets();
    known.add('a-secret-password-42');
    for (const before of ['', 'u', 'us', 'use', 'user:']) {
      const text = Buffer.from(`${before}a-secret-password-42 and more`).toString('base64');
      expect(known.hide(text)).toContain(REDACTED);
    }
  });

  it('leave every other text as it is', () => {
    const known = new KnownSecrets();
    for (let index = 0; index < 1_000; index++) known.add(`xy-secret-${index}-yx`);
    fc.assert(fc.property(fc.string(), (text) => known.hide(text) === text));
  });

  it('are bounded: the ones added longest ago are forgotten', () => {
    const known = new KnownSecrets();
    for (let index = 0; index <= 10_000; index++) known.add(`number-${index}-of-many`);
    expect(known.size).toBeLessThanOrEqual(10_000);
    expect(known.hide('number-10000-of-many')).toBe(REDACTED);
    expect(known.hide('number-0-of-many')).toBe('number-0-of-many');
  });
});

describe('what is learnt', () => {
  it('of credentials is all that is no plain name, and of addresses the password', () => {
    learnSecrets({ apiKey: 'learnt-api-key-1', environment: 'production', nested: { password: 'Productions' } });
    learnSecretsOfUrl('postgresql://user:learnt%2Fpassword@host/db?token=learnt-token-77');
    for (const text of ['learnt-api-key-1', 'Productions', 'learnt/password', 'learnt%2Fpassword', 'learnt-token-77']) {
      expect(liveSecrets.hide(`a ${text} b`)).toBe(`a ${REDACTED} b`);
    }
    expect(liveSecrets.hide('a production host')).toBe('a production host');
  });
});

describe('what looks like a secret', () => {
  it.each([
    ['a GitHub token', `ghp_${'a1B2c3'.repeat(6)}`],
    ['an AWS key', 'key AKIAQWERTYUIOPASDF7A here'],
    ['a Slack token', `xoxb-${'1234567890'}-${'1234567890123'}-${'aBcDeFgHiJkLmNoPqRsTuVwX'}`],
    ['a Stripe key', `sk_live_${'a1B2c3D4'.repeat(4)}`],
    ['a Twilio key', `SK${'0123456789abcdef'.repeat(2)}`],
    ['a query', 'GET /things?api_key=abcdef123&page=2'],
    ['a form', 'client_id=abc&client_secret=s3cr3t-value'],
    ['JSON in a text', 'body: {"password": "correct horse battery"}'],
    ['an address', 'postgresql://user:hunter22@host/db'],
    ['a cookie', 'cookie: session=0123456789abcdef0123'],
  ])('is hidden: %s', (_name, text) => {
    expect(hideRecognised(text)).toContain(REDACTED);
  });

  it('leaves what only tells about it', () => {
    const texts = [
      'The token expires in 3600 seconds',
      'GET /things?page=2&limit=100',
      'tokenUrl=https://example.com/token',
      'password: required',
      'Page 3 of orders read: 100 records, 3 of them changed since the last run',
      'https://example.com/users/12?tab=keys',
    ];
    expect(texts.map((text) => hideRecognised(text))).toEqual(texts);
  });

  it('is found by rules that all compile, each with a keyword', () => {
    expect(rules.rules.length).toBeGreaterThan(200);
    for (const { regex, keywords } of rules.rules) {
      expect(() => RE2JS.compile(regex)).not.toThrow();
      expect(keywords.length).toBeGreaterThan(0);
    }
  });

  it('is looked for in bounded time, whatever stands there', () => {
    const redactor = new Redactor();
    const words = [
      'key=',
      'token:',
      'okta ',
      'https://a:',
      '-----BEGIN PRIVATE KEY-----',
      'eyJ',
      'Bearer ',
      '"password": "',
    ];
    for (const word of words) {
      const text = word.repeat(16_000 / word.length);
      const startedMs = performance.now();
      redactor.text(text);
      // Quadratic would be minutes.
      expect(performance.now() - startedMs).toBeLessThan(20_000);
    }
  });
});
