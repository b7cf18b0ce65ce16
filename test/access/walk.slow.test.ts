import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS, type Permission } from '../../src/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../src/access/roles/builtInRoles.ts';
import { requirePermissions } from '../../src/http/guard/routePermissions.ts';
import { buildServer } from '../../src/http/server.ts';
import type { Server } from '../../src/http/typeProvider.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { type Provider, startProvider } from '../support/provider.ts';
import { addMember, type Headers } from './support/members.ts';
import { OPERATOR } from './support/people.ts';
import { addressOf, makeTarget, makeWorld, type Walker, type World } from './support/walk.ts';
import { type Reach, readMatrix, readRoutes } from './support/writtenRules.ts';

const database = useTestDatabase();
let opened: TestServer;
let provider: Provider;
let server: Server;
let world: World;
let routes: { route: string; permission: string }[];
/** By what they are, with what the written matrix says that they reach. */
const walkers = new Map<string, Walker & { reaches: (permission: string) => Reach }>();

const matrix = readMatrix();
const CUSTOM = 'support';
const CUSTOM_PERMISSION = 'records:read';
/** Where a key of a user does as well as a session: docs/authentication.md, "API keys". */
const takesKeys = (route: string) => route.includes(' /api/v1/me/');
const takesPerson = (route: string) => route.endsWith('/break-glass/:id/approve');
/** These end sessions of whoever asks, so each goes with one of its own. */
const endsSessions = (route: string) => /auth\/(logout|sessions|password)/.test(route);

beforeAll(async () => {
  provider = await startProvider(3);
  opened = await openTestServer(database.url, { workers: false });
  const { app } = opened;
  server = buildServer(app);
  const registered = requirePermissions(server);
  await server.ready();
  routes = registered.map(({ method, url, permission }) => ({ route: `${method} ${url}`, permission }));

  await app.access.roles.create(
    { principal: OPERATOR },
    { name: CUSTOM, permissions: [{ permission: CUSTOM_PERMISSION, reach: 'all' }] },
  );
  const foreign = await makeTarget(app, provider, 'somebody');
  const nothing = (): Reach => '–';
  for (const { name: role } of BUILT_IN_ROLES) {
    const member = await addMember(app, role);
    const reaches = (permission: string) => matrix.rows.get(permission)![matrix.roles.indexOf(role)]!;
    walkers.set(role, { member, target: foreign, reaches });
    if (role !== 'developer') continue;
    walkers.set('developer, on one of their own', {
      member,
      target: await makeTarget(app, provider, member.id),
      reaches,
    });
  }
  walkers.set('a custom role', {
    member: await addMember(app, CUSTOM),
    target: foreign,
    reaches: (permission) => (permission === CUSTOM_PERMISSION ? 'all' : '–'),
  });
  walkers.set('without a role', { member: await addMember(app, 'none'), target: foreign, reaches: nothing });
  world = await makeWorld(app);
});
afterAll(async () => {
  await server?.close();
  await opened?.close();
  await provider?.close();
});

type Outcome = 'allowed' | 'unauthenticated' | 'forbidden' | 'unknown';

let asked = 0;

async function ask(walker: Walker, route: string, headers: Headers): Promise<{ outcome: Outcome; answer: string }> {
  const [method] = route.split(' ') as [string];
  const url = await addressOf(world, walker, route);
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
  asked++;
  const isEndless = route.endsWith('/logs/events');
  const response = await server.inject({
    method: method as 'GET',
    url,
    // Addresses are limited; each request comes from another one.
    remoteAddress: `10.${asked >> 16}.${(asked >> 8) & 255}.${asked & 255}`,
    headers: { host: 'localhost', ...headers, ...(route.includes('DELETE /api/v1/int') ? { 'if-match': '"no"' } : {}) },
    ...(hasBody ? { payload: { nothing: 'that is known' } } : {}),
    ...(isEndless ? { payloadAsStream: true } : {}),
  });
  const { statusCode } = response;
  const body = isEndless ? '' : response.body;
  if (isEndless) response.stream().destroy();
  const answer = `${statusCode} ${statusCode < 400 ? '' : body.slice(0, 300)}`;
  if (statusCode === 401) return { outcome: 'unauthenticated', answer };
  if (statusCode === 403) return { outcome: 'forbidden', answer };
  if (statusCode === 404) return { outcome: 'unknown', answer };
  // Whatever the handler says of the wrong body, it was reached.
  expect(statusCode, `${route}: ${answer}`).toBeLessThan(500);
  expect(statusCode, `${route}: ${answer}`).not.toBe(429);
  return { outcome: 'allowed', answer };
}

/** What the documents say. */
function writtenOutcome(
  { reaches, target, member }: Walker & { reaches: (permission: string) => Reach },
  { route, permission }: { route: string; permission: string },
  way: 'key' | 'session',
): Outcome {
  if (permission === 'open') return 'allowed';
  if (permission === 'self') return way === 'session' || takesKeys(route) ? 'allowed' : 'forbidden';
  const isTheirs = target.owner === member.id;
  const reached = (one: string) => reaches(one) === 'all' || (reaches(one) === 'own' && isTheirs);
  // "Never oneself, and no machine": docs/permissions.md, "Break-glass".
  if (takesPerson(route) && way === 'key') return 'forbidden';
  if (PERMISSIONS[permission as Permission].scope === 'workspace') return reached(permission) ? 'allowed' : 'forbidden';
  // About many: each of them is judged by itself, so one that could be reached is enough.
  if (!route.includes('/:id')) return reaches(permission) === '–' ? 'forbidden' : 'allowed';
  if (reached(permission)) return 'allowed';
  return reached('integrations:read') ? 'forbidden' : 'unknown';
}

describe('every route', () => {
  it('is in the written table, and every permission in the matrix', () => {
    const written = readRoutes();
    const gets = routes.filter(({ route }) => !route.startsWith('HEAD '));
    expect(gets).toEqual(written);
    for (const head of routes.filter(({ route }) => route.startsWith('HEAD ')))
      expect(written, head.route).toContainEqual({ ...head, route: head.route.replace('HEAD', 'GET') });
    expect([...matrix.rows.keys()]).toEqual(Object.keys(PERMISSIONS));
    expect([...walkers.keys()]).toHaveLength(BUILT_IN_ROLES.length + 3);
    expect(routes.length).toBeGreaterThan(130);
  });

  it.each(['key', 'session'] as const)('is open to whom the matrix says, with a %s', async (way) => {
    const wrong: string[] = [];
    const counted: Record<string, number> = {};
    const before = asked;
    for (const [who, walker] of walkers) {
      const sessions = way === 'session' ? await walker.member.begin() : null;
      for (const declared of routes) {
        const { route } = declared;
        const headers =
          sessions === null
            ? walker.member.asKey
            : (endsSessions(route) ? await walker.member.begin() : sessions).headers;
        const { outcome, answer } = await ask(walker, route, headers);
        if (/DELETE \/api\/v1\/auth\/sessions$/.test(route) && sessions !== null)
          Object.assign(sessions, await walker.member.begin());
        const written = writtenOutcome(walker, declared, way);
        counted[written] = (counted[written] ?? 0) + 1;
        if (outcome !== written) wrong.push(`${who}, ${route}: written ${written}, but ${answer}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(asked - before).toBe(walkers.size * routes.length);
    // Each of them occurs, so the comparison is about something.
    expect(Object.keys(counted).sort()).toEqual(['allowed', 'forbidden', 'unknown']);
  });

  it('is closed to nobody in particular, unless it is open', async () => {
    const [walker] = walkers.values();
    const wrong: string[] = [];
    for (const { route, permission } of routes) {
      const { outcome, answer } = await ask(walker!, route, {});
      if (outcome !== (permission === 'open' ? 'allowed' : 'unauthenticated')) wrong.push(`${route}: ${answer}`);
    }
    expect(wrong).toEqual([]);
  });

  it('takes the key of the installation, but for what belongs to a person', async () => {
    const [walker] = walkers.values();
    const headers = { 'x-api-key': opened.app.secrets.apiKey };
    const wrong: string[] = [];
    for (const { route, permission } of routes) {
      const { outcome, answer } = await ask(walker!, route, headers);
      const written = permission === 'self' || takesPerson(route) ? 'forbidden' : 'allowed';
      if (outcome !== written) wrong.push(`${route}: ${answer}`);
    }
    expect(wrong).toEqual([]);
  });
});
