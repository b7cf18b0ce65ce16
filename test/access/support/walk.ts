import type { App } from '../../../src/app.ts';
import { newId, newIdName } from '../../../src/core/ids.ts';
import { describeProvider, type Provider } from '../../support/provider.ts';
import { addMember, type Member } from './members.ts';
import { OPERATOR } from './people.ts';

/** An integration that was synced, with what addresses name beneath it. */
export interface Target {
  readonly id: string;
  readonly owner: string;
  readonly runId: string;
  readonly webhookId: string;
}

/** Somebody who tries every route, on one integration. */
export interface Walker {
  readonly member: Member;
  readonly target: Target;
}

/** What can be in an address, and exists. */
export interface World {
  readonly app: App;
  /** A user whom everybody is above. */
  readonly victim: Member;
  readonly auditEntryId: string;
}

export async function makeWorld(app: App): Promise<World> {
  const victim = await addMember(app, 'none');
  await app.audit.flush();
  const [entry] = await app.audit.list({}, 1);
  return { app, victim, auditEntryId: entry!.id };
}

export async function makeTarget(app: App, provider: Provider, owner: string): Promise<Target> {
  const { id } = await app.catalog.create({
    name: `Of ${owner}`,
    platform: 'http',
    owner,
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  });
  await app.sync.run(id);
  const [run] = await app.sync.listRuns(id);
  return { id, owner, runId: run!.id, webhookId: await addWebhook(app, id) };
}

async function addWebhook(app: App, integrationId: string): Promise<string> {
  return (await app.webhooks.add(integrationId, { url: 'https://example.com/hook', events: ['*'] })).id;
}

/**
 * The address of a route with ids of things that exist and that the route may take away: what it asks for decides
 * then, and nothing else. Bodies are wrong on purpose, so that most of it ends after the guard.
 */
export async function addressOf(world: World, { member, target }: Walker, route: string): Promise<string> {
  const { app, victim } = world;
  const [method, url] = route.split(' ') as [string, string];
  const put = (values: Record<string, string>) =>
    url.replaceAll(/:(\w+)/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`${route}: nothing is known to put in the place of ${name}.`);
      return value;
    });
  if (url.startsWith('/api/v1/integrations/:id')) {
    const experimentId = url.includes(':experimentId') ? await addExperiment(app, target.id) : '';
    return put({ id: target.id, runId: target.runId, stream: 'items', action: 'api_call', experimentId });
  }
  if (url.startsWith('/api/v1/users/:id')) return put({ id: victim.id });
  switch (url) {
    case '/api/v1/webhooks/:id':
      return put({ id: method === 'DELETE' ? await addWebhook(app, target.id) : target.webhookId });
    case '/api/v1/connectors/:platform':
      return put({ platform: method === 'DELETE' ? await addConnector(app) : 'github' });
    case '/api/v1/alerts/channels/:id':
    case '/api/v1/alerts/channels/:id/test':
      return put({ id: await addChannel(app) });
    case '/api/v1/alerts/policies/:id':
      return put({ id: await addPolicy(app) });
    case '/api/v1/alerts/silences/:id':
      return put({ id: await addSilence(app) });
    case '/api/v1/alerts/maintenance-windows/:id':
      return put({ id: await addMaintenance(app) });
    case '/api/v1/alerts/inhibitions/:id':
      return put({ id: await addInhibition(app) });
    case '/api/v1/roles/:name':
      return put({ name: await addRole(app) });
    case '/api/v1/grants/:id':
      return put({ id: await addGrant(app, victim.id) });
    case '/api/v1/break-glass/:id/approve':
      return put({ id: await addBreakGlass(app, victim.id) });
    case '/api/v1/break-glass/:id/end':
      return put({ id: await addBreakGlass(app, member.id) });
    case '/api/v1/dashboards/:id':
    case '/api/v1/dashboards/:id/versions':
    case '/api/v1/dashboards/:id/versions/:version':
    case '/api/v1/dashboards/:id/export':
      return put({ id: await addDashboard(app), version: '1' });
    case '/api/v1/alerts/rules/:id':
    case '/api/v1/alerts/rules/:id/test':
      return put({ id: await addAlertRule(app) });
    case '/api/v1/audit/entries/:id/proof':
      return put({ id: world.auditEntryId });
    case '/api/v1/auth/sessions/:id':
      return put({ id: (await member.begin()).sessionId });
    case '/api/v1/auth/invitations/:id':
      return put({ id: await addInvitation(app) });
    case '/api/v1/me/api-keys/:id':
    case '/api/v1/me/api-keys/:id/rotate':
      return put({ id: await addKey(app, member.id) });
    case '/api/v1/api-keys/:id':
    case '/api/v1/api-keys/:id/freeze':
      return put({ id: await addKey(app, victim.id) });
    default:
      return put({});
  }
}

/** One that was taken back already, so that taking it back changes nothing. */
async function addExperiment({ database }: App, integrationId: string): Promise<string> {
  const id = newId('tuningExperiment');
  const measures = {
    from: '2026-01-01T00:00:00.000Z',
    until: '2026-01-02T00:00:00.000Z',
    throughputs: [],
    recordsPerSecond: null,
    succeededRuns: 0,
    failedRuns: 0,
    calls: 0,
    failedCalls: 0,
  };
  await database.db
    .insertInto('tuning_experiments')
    .values({
      id,
      integration_id: integrationId,
      status: 'rolled_back',
      knob: 'pageSizePercent',
      from_value: null,
      to_value: 200,
      goal: 'throughput',
      reason: 'walked',
      evidence: '{}',
      before: JSON.stringify({ measures, comparable: null }),
      started_at: new Date(),
      decide_by: new Date(),
    })
    .execute();
  return id;
}

async function addKey(app: App, userId: string): Promise<string> {
  const { apiKey } = await app.access.apiKeys.create({ principal: OPERATOR }, userId, { name: 'walked' });
  // At most a hundred of a user work at a time.
  const [oldest, ...rest] = (await app.access.apiKeys.list(userId, null, 200)).filter(
    ({ name, status }) => name === 'walked' && status === 'active',
  );
  if (rest.length > 50) await app.access.apiKeys.revoke({ principal: OPERATOR }, oldest!.id);
  return apiKey.id;
}

/** Of an address that is never called: it is private, and not one that tests may call. */
async function addChannel(app: App): Promise<string> {
  const { channels } = app.notifications;
  for (const { id, name } of await channels.list()) if (name.startsWith('walked')) await channels.delete(id);
  const name = `walked ${newIdName()}`;
  const { channel } = await channels.add({ kind: 'slack', name, settings: { url: 'http://10.0.0.1/hook' } });
  return channel.id;
}

async function addPolicy(app: App): Promise<string> {
  const { policies } = app.notifications;
  for (const { id, name } of await policies.list()) if (name === 'walked') await policies.delete(id);
  return (await policies.add({ name: 'walked' })).id;
}

async function addSilence(app: App): Promise<string> {
  const endsAt = new Date(Date.now() + 60_000).toISOString();
  const matchers = [{ label: 'nobody', op: '=', value: 'walked' } as const];
  return (await app.notifications.silences.add({ matchers, endsAt, comment: 'walked' })).id;
}

async function addMaintenance(app: App): Promise<string> {
  const { maintenance } = app.notifications;
  for (const { id } of await maintenance.list()) await maintenance.delete(id);
  const times = { startsAt: '2030-01-01T00:00:00Z', endsAt: '2030-01-01T01:00:00Z' };
  return (await maintenance.add({ name: 'walked', times, comment: 'walked' })).id;
}

async function addInhibition(app: App): Promise<string> {
  const { inhibitions } = app.notifications;
  for (const { id, name } of await inhibitions.list()) if (name === 'walked') await inhibitions.delete(id);
  const matchers = [{ label: 'nobody', op: '=', value: 'walked' } as const];
  return (await inhibitions.add({ name: 'walked', sourceMatchers: matchers, targetMatchers: matchers })).id;
}

const CONNECTOR = `platform: walked
title: Walked
category: other
docsUrl: https://example.com/docs
apiVersion: v1
baseUrl: https://example.com
auth: [{ name: key, title: Key, type: bearer, token: '{{ credentials.key }}', fields: [{ name: key, title: Key }] }]
check: { path: /me }
streams: [{ name: items, title: Items, path: /items, primaryKey: id }]
`;

async function addConnector(app: App): Promise<string> {
  return (await app.connectors.save(CONNECTOR)).connector.platform;
}

async function addAlertRule(app: App): Promise<string> {
  const { id } = await app.alerts.rules.create({
    name: 'Walked',
    kind: 'quality',
    severity: 'info',
    metric: 'sync_failures',
    aggregation: 'sum',
    windowMs: 60_000,
    op: '>',
    threshold: 0,
  });
  return id;
}

async function addRole(app: App): Promise<string> {
  const name = `role-${newIdName().slice(-12)}`;
  await app.database.db
    .insertInto('roles')
    .values({ name, description: '', permissions: '[]', created_by: 'test' })
    .execute();
  return name;
}

async function addGrant(app: App, userId: string): Promise<string> {
  const id = newId('grant');
  await app.database.db
    .insertInto('grants')
    .values({
      id,
      user_id: userId,
      effect: 'allow',
      permissions: ['webhooks:read'],
      scope_kind: 'platform',
      reason: 'walked',
      scope_value: 'nothing',
      created_by: 'test',
    })
    .execute();
  return id;
}

/** A request that was withdrawn, so that nothing can come of it. */
async function addBreakGlass(app: App, userId: string): Promise<string> {
  const id = newId('breakGlass');
  await app.database.db
    .insertInto('break_glass')
    .values({
      id,
      user_id: userId,
      permissions: ['webhooks:read'],
      scope_kind: 'all',
      reason: 'walked through',
      duration_seconds: 60,
      requested_at: new Date(),
      ended_at: new Date(),
      ended_by: userId,
    })
    .execute();
  return id;
}

async function addInvitation(app: App): Promise<string> {
  const email = `${newIdName()}@example.com`;
  const { invitation } = await app.access.accounts.invitations.invite(OPERATOR, { email, role: 'viewer' }, {});
  return invitation.id;
}

async function addDashboard(app: App): Promise<string> {
  return (await app.monitoringService.dashboards.create({ title: 'Of everybody', definition: { panels: [] } })).id;
}
