import fastify, { type FastifyRequest } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Access } from '../../../src/access/access.ts';
import type { Principal } from '../../../src/access/types.ts';
import { problemHeaders, toAppError, toProblem } from '../../../src/http/problem.ts';
import { ACCESS_ROUTES } from '../../../src/http/routes/access/accessRoutes.ts';
import { type Server, validatorCompiler } from '../../../src/http/typeProvider.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addIntegration, addUser, openTestAccess, type TestAccess } from './support/access.ts';

const database = useTestDatabase();
let access: TestAccess;
let server: Server;
let url: string;
let owner: string;
let admin: string;
const permissions = new Map<string, string | undefined>();

/** The routes on a server of their own, on which a header says who asks, as the guard of the real one does. */
beforeAll(async () => {
  access = await openTestAccess(database.current);
  server = fastify() as Server;
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((thrown, request, reply) => {
    const error = toAppError(thrown);
    const problem = toProblem(error, request.id);
    return reply
      .code(problem.status)
      .headers(problemHeaders(error))
      .type('application/problem+json')
      .send(JSON.stringify(problem));
  });
  server.decorateRequest('principal', {
    getter(): Principal {
      return { kind: 'user', userId: String((this as FastifyRequest).headers['x-user']), sessionId: 'ses_1' };
    },
  });
  server.addHook('onRoute', ({ method, url: path, config }) => {
    permissions.set(`${method} ${path}`, config?.permission);
  });
  // Accounts have no part in these routes.
  const parts = { ...access, control: access.accessControl } as unknown as Access;
  for (const add of ACCESS_ROUTES) add(server, { access: parts });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close();
  await access?.close();
});

beforeEach(async () => {
  await database.current.pool.query('delete from users; delete from roles');
  owner = await addUser(database.current, 'owner');
  admin = await addUser(database.current, 'admin');
  await access.map.refresh();
});

async function ask(userId: string, method: string, path: string, body?: object) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { 'x-user': userId, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

test('every route declares its permission', () => {
  expect(Object.fromEntries([...permissions].filter(([name]) => !name.startsWith('HEAD')))).toEqual({
    'POST /api/v1/access/check': 'users:read',
    'GET /api/v1/roles': 'users:read',
    'POST /api/v1/roles': 'roles:write',
    'PATCH /api/v1/roles/:name': 'roles:write',
    'DELETE /api/v1/roles/:name': 'roles:write',
    'PUT /api/v1/users/:id/role': 'roles:write',
    'GET /api/v1/users/:id/grants': 'users:read',
    'POST /api/v1/users/:id/grants': 'roles:write',
    'DELETE /api/v1/grants/:id': 'roles:write',
    'GET /api/v1/break-glass': 'breakGlass:request',
    'POST /api/v1/break-glass': 'breakGlass:request',
    'POST /api/v1/break-glass/:id/approve': 'breakGlass:approve',
    'POST /api/v1/break-glass/:id/end': 'breakGlass:request',
  });
});

test('roles are made, given, changed and deleted', async () => {
  const role = { name: 'support', permissions: [{ permission: 'integrations:read', reach: 'all' }] };
  expect(await ask(admin, 'POST', '/roles', role)).toEqual({
    status: 201,
    json: { ...role, description: '', builtIn: false },
  });
  expect((await ask(admin, 'PUT', `/users/${admin}/role`, { role: 'owner' })).json).toMatchObject({
    status: 403,
    code: 'ACCESS_DENIED',
  });
  const userId = await addUser(database.current, 'viewer');
  expect((await ask(admin, 'PUT', `/users/${userId}/role`, { role: 'support' })).status).toBe(204);
  expect((await ask(admin, 'DELETE', '/roles/support')).json).toMatchObject({ status: 409, code: 'ROLE_IN_USE' });
  expect(await ask(admin, 'PATCH', '/roles/support', { description: 'Helps' })).toMatchObject({
    status: 200,
    json: { description: 'Helps', ...role },
  });
  expect((await ask(admin, 'GET', '/roles')).json.data.map(({ name }: { name: string }) => name)).toEqual([
    'owner',
    'admin',
    'operator',
    'developer',
    'viewer',
    'auditor',
    'support',
  ]);
  await ask(admin, 'PUT', `/users/${userId}/role`, { role: 'viewer' });
  expect((await ask(admin, 'DELETE', '/roles/support')).status).toBe(204);
  expect((await ask(admin, 'DELETE', '/roles/support')).json).toMatchObject({ status: 404, code: 'ROLE_NOT_FOUND' });
  expect((await ask(owner, 'PUT', `/users/${owner}/role`, { role: 'viewer' })).json).toMatchObject({
    status: 409,
    code: 'LAST_OWNER',
  });
  expect((await ask(owner, 'PUT', '/users/usr_x/role', { role: 'viewer' })).json).toMatchObject({
    status: 404,
    code: 'USER_NOT_FOUND',
  });
});

test('grants are added, listed page by page, asked about and removed', async () => {
  const userId = await addUser(database.current, 'auditor');
  const id = await addIntegration(database.current, 'default');
  const made: string[] = [];
  for (let index = 0; index < 3; index++) {
    const added = await ask(admin, 'POST', `/users/${userId}/grants`, {
      effect: 'allow',
      permissions: ['records:read'],
      reason: 'why',
    });
    expect(added).toMatchObject({
      status: 201,
      json: { userId, scope: { kind: 'all' }, expiresAt: null, createdBy: admin },
    });
    made.push(added.json.id);
  }
  const first = await ask(admin, 'GET', `/users/${userId}/grants?limit=2`);
  const second = await ask(admin, 'GET', `/users/${userId}/grants?limit=2&cursor=${first.json.nextCursor}`);
  expect([...first.json.data, ...second.json.data].map((grant) => grant.id)).toEqual(made);
  expect(second.json.nextCursor).toBeNull();
  const check = { userId, integrationId: id, permission: 'records:read' };
  expect(await ask(userId, 'POST', '/access/check', check)).toEqual({
    status: 200,
    json: { allowed: true, reason: 'Granted on everything: why', ruleId: made[0] },
  });
  expect((await ask(admin, 'POST', '/access/check', { ...check, permission: 'reed' })).json).toMatchObject({
    status: 400,
    errors: [{ pointer: '/permission' }],
  });
  for (const grant of made) expect((await ask(admin, 'DELETE', `/grants/${grant}`)).status).toBe(204);
  expect((await ask(admin, 'DELETE', `/grants/${made[0]}`)).json).toMatchObject({
    status: 404,
    code: 'GRANT_NOT_FOUND',
  });
  expect((await ask(admin, 'POST', '/access/check', check)).json).toEqual({
    allowed: false,
    reason: 'Nothing allows records:read here.',
    ruleId: null,
  });
  expect((await ask(admin, 'GET', '/users/usr_unknown/grants')).json).toMatchObject({
    status: 404,
    code: 'USER_NOT_FOUND',
  });
});

test('break-glass is asked for, approved and ended', async () => {
  const body = { permissions: ['records:*'], reason: 'The sync of a customer is stuck', durationSeconds: 600 };
  const asked = await ask(admin, 'POST', '/break-glass', body);
  expect(asked).toMatchObject({ status: 201, json: { status: 'requested', userId: admin, ...body } });
  const path = `/break-glass/${asked.json.id}`;
  expect((await ask(admin, 'POST', `${path}/approve`)).json).toMatchObject({ status: 403, code: 'ACCESS_DENIED' });
  expect(await ask(owner, 'POST', `${path}/approve`)).toMatchObject({
    status: 200,
    json: { status: 'active', approvedBy: owner },
  });
  expect((await ask(owner, 'GET', '/break-glass')).json).toMatchObject({
    data: [{ id: asked.json.id, status: 'active' }],
    nextCursor: null,
  });
  expect(await ask(admin, 'POST', `${path}/end`)).toMatchObject({
    status: 200,
    json: { status: 'ended', endedBy: admin },
  });
  expect((await ask(owner, 'POST', `${path}/approve`)).json).toMatchObject({ status: 409, code: 'BREAK_GLASS_OVER' });
  expect((await ask(owner, 'POST', '/break-glass/bgl_x/end')).json).toMatchObject({
    status: 404,
    code: 'BREAK_GLASS_NOT_FOUND',
  });
  expect((await ask(admin, 'POST', '/break-glass', { ...body, reason: 'short' })).json).toMatchObject({
    status: 400,
    errors: [{ pointer: '/reason' }],
  });
});
