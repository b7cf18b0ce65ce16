import { beforeAll, describe, expect, it } from 'vitest';
import { classifierFor, observeRateLimitFor } from '../../src/connectors/classify.ts';
import type { Connector } from '../../src/connectors/format.ts';
import type { JsonValue } from '../../src/core/json.ts';
import type { OutgoingResponse } from '../../src/outgoing/types.ts';
import { connectorWith, shippedConnector } from './support/session.ts';

const NOW = Date.parse('2024-05-01T10:00:00Z');
const clock = { now: () => NOW };

function answer(status: number, body: JsonValue | string, headers: Record<string, string> = {}): OutgoingResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, body: Buffer.from(text), url: 'https://api.example.com/x', latencyMs: 1, attempts: 1 };
}

/** What the platforms document, each as the provider sends it. */
const DOCUMENTED: Record<string, [string, OutgoingResponse, object][]> = {
  github: [
    [
      'bad credentials',
      answer(401, { message: 'Bad credentials', documentation_url: 'x' }),
      { outcome: 'wrong_credentials', retryable: false, providerMessage: 'Bad credentials' },
    ],
    [
      'the primary limit, as 403',
      answer(
        403,
        { message: 'API rate limit exceeded for user ID 1.' },
        { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW / 1000 + 90) },
      ),
      { outcome: 'rate_limited', retryable: true, retryAfterMs: 90_000 },
    ],
    [
      'a secondary limit with Retry-After',
      answer(
        403,
        { message: 'You have exceeded a secondary rate limit.' },
        { 'retry-after': '60', 'x-ratelimit-remaining': '4000' },
      ),
      { outcome: 'rate_limited', retryAfterMs: 60_000 },
    ],
    [
      'a secondary limit without a word on when',
      answer(
        403,
        { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' },
        { 'x-ratelimit-remaining': '4000' },
      ),
      { outcome: 'rate_limited', retryAfterMs: 60_000 },
    ],
    [
      'a permission that is missing',
      answer(403, { message: 'Resource not accessible by personal access token' }, { 'x-ratelimit-remaining': '4999' }),
      { outcome: 'missing_scope', retryable: false },
    ],
    ['issues turned off', answer(410, { message: 'Issues are disabled for this repo' }), { outcome: 'not_found' }],
    ['an empty repository', answer(409, { message: 'Git Repository is empty.' }), { outcome: 'not_found' }],
    [
      'a validation error',
      answer(422, { message: 'Validation Failed', errors: [{ code: 'missing_field' }] }),
      { outcome: 'invalid_request', providerCode: 'missing_field' },
    ],
  ],
  stripe: [
    [
      'a wrong key',
      answer(401, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided: sk_test_***' } }),
      { outcome: 'wrong_credentials', providerCode: 'invalid_request_error' },
    ],
    [
      'a restricted key',
      answer(403, {
        error: { type: 'invalid_request_error', message: 'The provided key does not have the required permissions' },
      }),
      { outcome: 'missing_scope' },
    ],
    [
      'too many requests',
      answer(
        429,
        { error: { code: 'rate_limit', type: 'invalid_request_error', message: 'Request rate limit exceeded' } },
        { 'stripe-rate-limited-reason': 'global-rate' },
      ),
      { outcome: 'rate_limited', retryable: true },
    ],
    [
      'a lock, which is no limit',
      answer(429, { error: { code: 'lock_timeout', type: 'invalid_request_error' } }),
      { outcome: 'provider_error', retryable: true, retryAfterMs: 1000 },
    ],
    [
      'an error that Stripe says not to repeat',
      answer(500, { error: { type: 'api_error' } }, { 'stripe-should-retry': 'false' }),
      { outcome: 'provider_error', retryable: false },
    ],
    [
      'an error that may pass',
      answer(500, { error: { type: 'api_error' } }),
      { outcome: 'provider_error', retryable: true },
    ],
    [
      'a missing object',
      answer(400, { error: { code: 'resource_missing', message: 'No such customer' } }),
      { outcome: 'not_found' },
    ],
  ],
  slack: [
    ['success', answer(200, { ok: true }), { outcome: 'success' }],
    [
      'a wrong token in 200',
      answer(200, { ok: false, error: 'invalid_auth' }),
      { outcome: 'wrong_credentials', providerCode: 'invalid_auth' },
    ],
    [
      'a missing scope in 200',
      answer(200, { ok: false, error: 'missing_scope', needed: 'channels:read', provided: 'chat:write' }),
      { outcome: 'missing_scope', providerMessage: 'channels:read' },
    ],
    [
      'a limit',
      answer(429, { ok: false, error: 'ratelimited' }, { 'retry-after': '30' }),
      { outcome: 'rate_limited', retryAfterMs: 30_000 },
    ],
    ['a channel that is gone', answer(200, { ok: false, error: 'channel_not_found' }), { outcome: 'not_found' }],
    [
      'an error of its own',
      answer(200, { ok: false, error: 'fatal_error' }),
      { outcome: 'provider_error', retryable: true },
    ],
    [
      'an error nobody has listed',
      answer(200, { ok: false, error: 'invalid_arguments' }),
      { outcome: 'invalid_request', retryable: false },
    ],
  ],
  twitter: [
    [
      'a wrong token',
      answer(401, { title: 'Unauthorized', type: 'about:blank', status: 401, detail: 'Unauthorized' }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'an app that may not',
      answer(403, { title: 'Forbidden', reason: 'client-not-enrolled', detail: 'When authenticating requests…' }),
      { outcome: 'missing_scope' },
    ],
    [
      'a limit',
      answer(
        429,
        { title: 'Too Many Requests' },
        { 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(NOW / 1000 + 600) },
      ),
      { outcome: 'rate_limited', retryable: true, retryAfterMs: 600_000 },
    ],
    [
      'the month used up',
      answer(429, { title: 'UsageCapExceeded', detail: 'Usage cap exceeded: Monthly product cap' }),
      { outcome: 'rate_limited', retryable: false },
    ],
    ['no credits left', answer(402, { title: 'CreditsDepleted' }), { outcome: 'rate_limited', retryable: false }],
    [
      'an account that is gone, in 200',
      answer(200, {
        errors: [
          {
            title: 'Not Found Error',
            type: 'https://api.twitter.com/2/problems/resource-not-found',
            detail: 'Could not find user',
          },
        ],
      }),
      { outcome: 'not_found' },
    ],
    [
      'a protected account, in 200',
      answer(200, { errors: [{ type: 'https://api.twitter.com/2/problems/not-authorized-for-resource' }] }),
      { outcome: 'missing_scope' },
    ],
    [
      'data with a partial error',
      answer(200, { data: [{ id: '1' }], errors: [{ type: 'https://api.twitter.com/2/problems/resource-not-found' }] }),
      { outcome: 'success' },
    ],
    ['an empty page', answer(200, { meta: { result_count: 0 } }), { outcome: 'success' }],
  ],
  bluesky: [
    [
      'an expired token, as 400',
      answer(400, { error: 'ExpiredToken', message: 'Token has expired' }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'a wrong password',
      answer(401, { error: 'AuthenticationRequired', message: 'Invalid identifier or password' }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'a limit',
      answer(
        429,
        { error: 'RateLimitExceeded' },
        { 'ratelimit-limit': '30', 'ratelimit-remaining': '0', 'ratelimit-reset': String(NOW / 1000 + 200) },
      ),
      { outcome: 'rate_limited', retryAfterMs: 200_000 },
    ],
    ['a missing repository', answer(400, { error: 'RepoNotFound' }), { outcome: 'not_found' }],
    [
      'an error of a server behind',
      answer(502, { error: 'UpstreamFailure' }),
      { outcome: 'provider_error', retryable: true },
    ],
  ],
  mastodon: [
    [
      'a wrong token',
      answer(401, { error: 'The access token is invalid' }),
      { outcome: 'wrong_credentials', providerMessage: 'The access token is invalid' },
    ],
    [
      'a missing scope',
      answer(403, { error: 'This action is outside the authorized scopes' }),
      { outcome: 'missing_scope' },
    ],
    [
      'a suspended account',
      answer(403, { error: 'Your login is currently disabled' }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'a limit',
      answer(
        429,
        { error: 'Too many requests' },
        {
          'x-ratelimit-limit': '300',
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset': '2024-05-01T10:05:00.000000Z',
        },
      ),
      { outcome: 'rate_limited', retryAfterMs: 300_000 },
    ],
  ],
  wordpress: [
    [
      'nobody',
      answer(401, { code: 'rest_not_logged_in', message: 'You are not currently logged in.', data: { status: 401 } }),
      { outcome: 'wrong_credentials', providerCode: 'rest_not_logged_in' },
    ],
    [
      'a wrong password',
      answer(401, { code: 'incorrect_password', message: 'The provided password is an invalid application password.' }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'a role that may not',
      answer(403, {
        code: 'rest_forbidden_context',
        message: 'Sorry, you are not allowed to edit posts in this post type.',
      }),
      { outcome: 'missing_scope' },
    ],
    [
      'a role that may not, as 401',
      answer(401, { code: 'rest_forbidden', message: 'Sorry' }),
      { outcome: 'missing_scope' },
    ],
    ['no REST API', answer(404, { code: 'rest_no_route', message: 'No route was found' }), { outcome: 'not_found' }],
  ],
  hubspot: [
    [
      'a wrong token',
      answer(401, {
        status: 'error',
        category: 'INVALID_AUTHENTICATION',
        message: 'Authentication credentials not found.',
      }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'a missing scope',
      answer(403, {
        status: 'error',
        category: 'MISSING_SCOPES',
        message: 'This app hasn’t been granted all required scopes',
      }),
      { outcome: 'missing_scope', providerCode: 'MISSING_SCOPES' },
    ],
    [
      'ten seconds used up',
      answer(
        429,
        {
          status: 'error',
          policyName: 'TEN_SECONDLY_ROLLING',
          errorType: 'RATE_LIMIT',
          message: 'You have reached your ten_secondly_rolling limit.',
        },
        {
          'x-hubspot-ratelimit-max': '100',
          'x-hubspot-ratelimit-remaining': '0',
          'x-hubspot-ratelimit-interval-milliseconds': '10000',
        },
      ),
      { outcome: 'rate_limited', retryable: true, retryAfterMs: 10_000 },
    ],
    [
      'the day used up',
      answer(429, { policyName: 'DAILY', errorType: 'RATE_LIMIT', message: 'You have reached your daily limit.' }),
      { outcome: 'rate_limited', retryable: false },
    ],
  ],
  shopify: [
    [
      'a wrong token',
      answer(401, { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' }),
      { outcome: 'wrong_credentials' },
    ],
    [
      'a missing scope',
      answer(403, { errors: '[API] This action requires merchant approval for read_orders scope.' }),
      { outcome: 'missing_scope' },
    ],
    [
      'a full bucket',
      answer(
        429,
        { errors: 'Exceeded 2 calls per second for api client.' },
        { 'retry-after': '2.0', 'x-shopify-shop-api-call-limit': '40/40' },
      ),
      { outcome: 'rate_limited', retryAfterMs: 2000 },
    ],
    ['a frozen shop', answer(402, { errors: 'Unavailable Shop' }), { outcome: 'provider_error', retryable: false }],
    [
      'a locked shop',
      answer(423, { errors: 'This shop is unavailable' }),
      { outcome: 'provider_error', retryable: false },
    ],
  ],
  notion: [
    [
      'a wrong token',
      answer(401, { object: 'error', status: 401, code: 'unauthorized', message: 'API token is invalid.' }),
      { outcome: 'wrong_credentials', providerCode: 'unauthorized' },
    ],
    [
      'a missing capability',
      answer(403, { object: 'error', code: 'restricted_resource', message: 'Insufficient permissions' }),
      { outcome: 'missing_scope' },
    ],
    [
      'a page that was not shared',
      answer(404, { object: 'error', code: 'object_not_found', message: 'Could not find page' }),
      { outcome: 'not_found' },
    ],
    [
      'a limit',
      answer(429, { object: 'error', code: 'rate_limited' }, { 'retry-after': '5' }),
      { outcome: 'rate_limited', retryAfterMs: 5000 },
    ],
    [
      'a conflict',
      answer(409, { object: 'error', code: 'conflict_error' }),
      { outcome: 'provider_error', retryable: true },
    ],
    [
      'maintenance',
      answer(503, { object: 'error', code: 'service_unavailable' }),
      { outcome: 'provider_error', retryable: true },
    ],
  ],
};

for (const [platform, cases] of Object.entries(DOCUMENTED)) {
  describe(`${platform} answers`, () => {
    let connector: Connector;
    beforeAll(async () => {
      connector = await shippedConnector(platform);
    });
    it.each(cases)('%s', (_name, response, expected) => {
      expect(classifierFor(connector, { clock })(response)).toMatchObject(expected);
    });
  });
}

describe('without a rule the status decides:', () => {
  const classify = classifierFor(connectorWith({}), { clock });
  it.each([
    [200, 'success', false],
    [204, 'success', false],
    [302, 'bad_response', false],
    [400, 'invalid_request', false],
    [401, 'wrong_credentials', false],
    [403, 'missing_scope', false],
    [404, 'not_found', false],
    [408, 'provider_error', true],
    [410, 'not_found', false],
    [422, 'invalid_request', false],
    [429, 'rate_limited', true],
    [500, 'provider_error', true],
    [501, 'provider_error', false],
    [503, 'provider_error', true],
  ])('%i', (status, outcome, retryable) => {
    expect(classify(answer(status, 'x'))).toMatchObject({ outcome, retryable });
  });

  it.each([
    ['7', 7000],
    ['Wed, 01 May 2024 10:00:30 GMT', 30_000],
    ['Wed, 01 May 2024 09:00:00 GMT', 0],
    ['soon', undefined],
  ])('Retry-After: %s', (value, retryAfterMs) => {
    expect(classify(answer(503, 'x', { 'retry-after': value })).retryAfterMs).toBe(retryAfterMs);
  });

  it('a date is read by the clock of the server that sent it', () => {
    const headers = { 'retry-after': 'Wed, 01 May 2024 11:00:30 GMT', date: 'Wed, 01 May 2024 11:00:00 GMT' };
    expect(classify(answer(503, 'x', headers)).retryAfterMs).toBe(30_000);
  });
});

describe('what the provider said', () => {
  const connector = connectorWith({ errors: { codePath: 'code', messagePath: ['error.text', 'message'] } });

  it('is one short line without the credentials', () => {
    const classify = classifierFor(connector, { secrets: ['sk_live_12345'] });
    const message = `Key sk_live_12345\r\nis\u0007 wrong ${'x'.repeat(400)}`;
    const { providerMessage, providerCode } = classify(answer(401, { code: 17, message }));
    expect(providerCode).toBe('17');
    expect(providerMessage).toMatch(/^Key \[hidden\] is wrong x+$/);
    expect(providerMessage).toHaveLength(300);
  });

  it('is nothing when the answer is no JSON, or has something else there', () => {
    const classify = classifierFor(connector);
    expect(classify(answer(500, '<html>'))).toMatchObject({ providerCode: undefined, providerMessage: undefined });
    expect(classify(answer(500, { code: { a: 1 }, message: null })).providerMessage).toBeUndefined();
  });
});

describe('the rest of the budget is read from', () => {
  const inMs = (ms: number): number => NOW + ms;
  const units: [string, string, number][] = [
    ['epoch_seconds', String(NOW / 1000 + 60), inMs(60_000)],
    ['epoch_ms', String(NOW + 1234), inMs(1234)],
    ['delta_seconds', '60', inMs(60_000)],
    ['delta_milliseconds', '1500', inMs(1500)],
    ['http_date', 'Wed, 01 May 2024 10:01:00 GMT', inMs(60_000)],
    ['rfc3339', '2024-05-01T12:01:00+02:00', inMs(60_000)],
  ];
  it.each(units)('a reset in %s', (unit, value, resetAtMs) => {
    const connector = connectorWith({
      rateLimit: { headers: [{ limit: 'X-Max', remaining: 'X-Left', reset: { header: 'X-Reset', unit } }] },
    });
    const observe = observeRateLimitFor(connector, { clock });
    const headers = { 'x-max': '100', 'x-left': '40', 'x-reset': value };
    expect(observe(answer(200, {}, headers))).toEqual({ limit: 100, remaining: 40, resetAtMs });
    expect(observe(answer(200, {}, { ...headers, 'x-reset': 'later' }))).toBeUndefined();
    expect(observe(answer(200, {}))).toBeUndefined();
  });

  it('an absolute reset relative to the server’s own clock', () => {
    const connector = connectorWith({
      rateLimit: { headers: [{ remaining: 'x-left', reset: { header: 'x-reset', unit: 'epoch_seconds' } }] },
    });
    const ahead = NOW + 3_600_000;
    const headers = { 'x-left': '0', 'x-reset': String(ahead / 1000 + 30), date: new Date(ahead).toUTCString() };
    expect(observeRateLimitFor(connector, { clock })(answer(200, {}, headers))).toMatchObject({
      resetAtMs: inMs(30_000),
    });
  });

  it('Shopify’s bucket', async () => {
    const observe = observeRateLimitFor(await shippedConnector('shopify'), { clock });
    expect(observe(answer(200, {}, { 'x-shopify-shop-api-call-limit': '32/40' }))).toEqual({
      limit: 40,
      remaining: 8,
      resetAtMs: inMs(16_000),
    });
  });

  it('the tightest of several', () => {
    const set = (name: string) => ({
      limit: `${name}-limit`,
      remaining: `${name}-left`,
      reset: { header: `${name}-reset`, unit: 'delta_seconds' },
    });
    const connector = connectorWith({ rateLimit: { headers: [set('minute'), set('day')] } });
    const observe = observeRateLimitFor(connector, { clock });
    const minute = { 'minute-limit': '100', 'minute-left': '50', 'minute-reset': '30' };
    expect(
      observe(answer(200, {}, { ...minute, 'day-limit': '1000', 'day-left': '900', 'day-reset': '9000' }))?.remaining,
    ).toBe(50);
    expect(
      observe(answer(200, {}, { ...minute, 'day-limit': '1000', 'day-left': '0', 'day-reset': '9000' }))?.remaining,
    ).toBe(0);
  });

  it.each<[string, Record<string, string>, object | undefined]>([
    [
      'the IETF draft',
      { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"default";q=100;w=60' },
      { limit: 100, remaining: 50, resetAtMs: inMs(30_000) },
    ],
    [
      'several policies of the IETF draft',
      { ratelimit: '"minute";r=5;t=30, "day";r=0;t=3600' },
      { limit: undefined, remaining: 0, resetAtMs: inMs(3_600_000) },
    ],
    [
      'its older form',
      { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '50', 'ratelimit-reset': '30' },
      { limit: 100, remaining: 50, resetAtMs: inMs(30_000) },
    ],
    [
      'x-ratelimit in epoch seconds',
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': String(NOW / 1000 + 30) },
      { remaining: 5, resetAtMs: inMs(30_000) },
    ],
    [
      'x-ratelimit in milliseconds',
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': String(NOW + 30_000) },
      { remaining: 5, resetAtMs: inMs(30_000) },
    ],
    [
      'x-ratelimit with a date',
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '2024-05-01T10:00:30Z' },
      { remaining: 5, resetAtMs: inMs(30_000) },
    ],
    ['a reset of another century', { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '4102444800' }, undefined],
    ['nonsense', { ratelimit: 'lots', 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': '5' }, undefined],
  ])('the usual headers of any API: %s', (_name, headers, expected) => {
    const observe = observeRateLimitFor(connectorWith({ rateLimit: { headers: 'standard' } }), { clock });
    if (expected === undefined) expect(observe(answer(200, {}, headers))).toBeUndefined();
    else expect(observe(answer(200, {}, headers))).toMatchObject(expected);
  });
});
