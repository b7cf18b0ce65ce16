import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HIDDEN, hideSecrets } from '../../src/outgoing/hideSecrets.ts';
import type { ResponseClassifier } from '../../src/outgoing/types.ts';
import { makeHarness } from './support/harness.ts';
import { serve } from './support/servers.ts';

const SECRET = 'p/ä"s+s w&rd';

/** In how many ways an answer can say it again. */
const FORMS: Readonly<Record<string, string>> = {
  'as it is': SECRET,
  'percent-encoded': encodeURIComponent(SECRET),
  'percent-encoded in lower case': encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase()),
  'as a form field': new URLSearchParams({ a: SECRET }).toString().slice(2),
  'inside JSON': JSON.stringify(SECRET).slice(1, -1),
  'in Base64': Buffer.from(SECRET).toString('base64'),
  'in Base64 for addresses': Buffer.from(SECRET).toString('base64url'),
};

const quote: ResponseClassifier = ({ body }) => ({
  outcome: 'invalid_request',
  retryable: false,
  providerCode: body.toString().split('|')[0],
  providerMessage: body.toString(),
});

function harness() {
  const made = makeHarness();
  onTestFinished(() => made.outgoing.close());
  return made;
}

describe('a secret that the caller names', () => {
  it.each(Object.entries(FORMS))('is hidden where an answer repeats it %s', async (_name, form) => {
    const api = await serve((_request, response) => response.writeHead(400).end(`code|got "${form}".`));
    const { fails, records } = harness();
    const body = JSON.stringify({ token: SECRET });
    const url = `${api.origin}/sessions/${form.includes(' ') || form.includes('"') ? '' : encodeURI(form)}`;
    const error = await fails(url, { method: 'POST', operation: 'revoke', body, secrets: [SECRET], classify: quote });
    expect(error.providerMessage).toMatch(/^code\|got "\[hidden\]"\.$/);
    for (const shown of Object.values(FORMS)) expect(JSON.stringify([error, records])).not.toContain(shown);
  });

  it('is hidden when it is short only where it is all there is', async () => {
    const api = await serve((_request, response) => response.writeHead(400).end('1f|code 1f'));
    const error = await harness().fails(api.origin, { secrets: ['1f'], classify: quote });
    expect(error).toMatchObject({ providerCode: HIDDEN, providerMessage: '1f|code 1f' });
  });
});

it('no text is left with a secret in it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6, unit: 'grapheme' }), fc.string(), fc.string(), (secret, before, after) => {
      fc.pre(!HIDDEN.includes(secret) && !`${before}${HIDDEN}${after}`.includes(secret));
      expect(hideSecrets(`${before}${secret}${after}`, [secret])).not.toContain(secret);
      expect(hideSecrets(`${before} ${JSON.stringify({ secret })}`, [secret])).not.toContain(secret);
    }),
  );
});
