import { describe, expect, it } from 'vitest';
import { checkConnection } from '../../src/connectors/check.ts';
import { revokeCredentials } from '../../src/connectors/revoke.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { OutgoingCallError } from '../../src/outgoing/errors.ts';
import { type SeenRequest, serveApi } from './support/api.ts';
import { connectorWith, openSession } from './support/session.ts';

const LOGIN = {
  path: '/login',
  body: { user: '{{ credentials.user }}', password: '{{ credentials.password }}' },
  tokenPath: 'token',
  refreshTokenPath: 'refresh',
};
const fields: JsonObject[] = [
  { name: 'user', title: 'User', secret: false },
  { name: 'password', title: 'Password' },
];
const MODES: Readonly<Record<string, JsonObject>> = {
  basic: { type: 'basic', username: '{{ credentials.user }}', password: '{{ credentials.password }}' },
  session: {
    type: 'session',
    login: LOGIN,
    logout: { path: '/logout', body: { token: '{{ token }}', refresh: '{{ refreshToken }}' } },
  },
  oauth2: {
    type: 'oauth2_client_credentials',
    tokenUrl: '{{ config.url }}/token',
    revokeUrl: '{{ config.url }}/revoke',
    clientId: '{{ credentials.user }}',
    clientSecret: '{{ credentials.password }}',
  },
};
const ISSUED = 'issued token/1';
const REFRESH = 'refresh token/1';

function withMode(name: string, parts: JsonObject = {}) {
  return connectorWith({
    auth: [{ name: 'mode', title: 'Mode', fields, ...MODES[name] }],
    check: { path: '/me', accountPath: 'account' },
    errors: { messagePath: 'message' },
    ...parts,
  });
}

async function opened(
  mode: string,
  password: string,
  answer: (request: SeenRequest) => { status?: number; body: unknown },
) {
  const api = await serveApi((request) => {
    if (request.path === '/login') return { body: { token: ISSUED, refresh: REFRESH } };
    if (request.path === '/token') return { body: { access_token: ISSUED, token_type: 'bearer' } };
    return answer(request);
  });
  return openSession(withMode(mode), { connection: { url: api.url }, credentials: { user: 'ann', password } });
}

const check = async (mode: string, password: string, account: string) =>
  checkConnection(await opened(mode, password, () => ({ body: { account } })), new AbortController().signal);

describe('an account name that repeats a secret is hidden', () => {
  it.each([
    ['basic', 'the pair', Buffer.from('ann:se cret').toString('base64')],
    ['basic', 'the password in Base64', Buffer.from('se cret').toString('base64')],
    ['basic', 'the encoded password', 'se%20cret'],
    ['session', 'the issued token', ISSUED],
    ['session', 'the second token', REFRESH],
    ['oauth2', 'the issued token, encoded', encodeURIComponent(ISSUED)],
  ])('%s: %s', async (mode, _name, echo) => {
    const result = await check(mode, 'se cret', `me ${echo}`);
    expect(result.outcome).toBe('success');
    expect(result.account).toBe('me [hidden]');
  });

  it('also a short one, where it is the whole name, and only there', async () => {
    expect((await check('basic', 'pw', 'pw')).account).toBe('[hidden]');
    expect((await check('basic', 'pw', 'pwned')).account).toBe('pwned');
    expect((await check('basic', 'se cret', 'ann')).account).toBe('ann');
  });
});

describe('what a provider says when tokens are given back', () => {
  it.each(['session', 'oauth2'])('is told without them: %s', async (mode) => {
    const echo = ({ body }: SeenRequest) => ({ status: 400, body: { message: `cannot end ${body}` } });
    const session = await opened(mode, 'se cret', ({ path, ...request }) =>
      path === '/me' ? { body: { account: 'me' } } : echo({ path, ...request }),
    );
    const { signal } = new AbortController();
    expect((await checkConnection(session, signal)).outcome).toBe('success');
    const error = await revokeCredentials(session, signal).then(
      () => null,
      (reason: OutgoingCallError) => reason,
    );
    expect(error?.providerMessage).toContain('cannot end');
    for (const secret of [ISSUED, encodeURIComponent(ISSUED), 'issued+token', REFRESH, 'se cret'])
      expect(JSON.stringify(error)).not.toContain(secret);
  });
});

it('the path of a logout takes no credentials, as it would stand in records', () => {
  const logout = { path: '/logout/{{ credentials.password }}' };
  expect(() => withMode('none', { auth: [{ name: 'mode', title: 'Mode', fields, ...MODES.session, logout }] })).toThrow(
    'auth.0.logout.path: refers to credentials.password, which does not exist.',
  );
});
