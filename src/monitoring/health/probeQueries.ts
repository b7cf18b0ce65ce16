import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { IntegrationLook, Traffic } from './judgeIntegration.ts';
import { OUTAGES, type PlatformLook } from './providersDown.ts';

const ADOPT_ROWS = 1_000;
/** A claim that brought nothing, because its process died, is given to another after this. */
const CLAIM_SECONDS = 120;
const TRAFFIC_SECONDS = 300;
/** What was seen longer ago says nothing about a provider now. */
export const LOOKS_SECONDS = 3_900;
const SOON_SECONDS = 60;

export interface ClaimedIntegration {
  readonly integration_id: string;
  readonly platform: string;
  readonly claim: number;
  readonly failures: number;
}

/** Takes integrations that are connected, or were, into the list; their first looks are spread over five minutes. */
export async function adoptIntegrations(db: Kysely<Schema>): Promise<void> {
  await sql`
    insert into integration_health (integration_id, state, source, next_check_at)
    select i.id, 'unknown', 'none', now() + random() * interval '5 minutes'
    from integrations i
    where i.status in ('connected', 'error')
      and not exists (select from integration_health h where h.integration_id = i.id)
    limit ${ADOPT_ROWS}
    on conflict do nothing`.execute(db);
}

/** What is due, for this process alone. Integrations that are disconnected or going are let go of. */
export async function claimDue(db: Kysely<Schema>, limit: number): Promise<ClaimedIntegration[]> {
  await sql`
    delete from integration_health h using integrations i
    where i.id = h.integration_id and h.next_check_at <= now() and i.status not in ('connected', 'error')`.execute(db);
  const { rows } = await sql<ClaimedIntegration>`
    update integration_health h
    set claim = h.claim + 1, next_check_at = now() + make_interval(secs => ${CLAIM_SECONDS})
    from integrations i
    where i.id = h.integration_id and h.integration_id in (
      select integration_id from integration_health
      where next_check_at <= now() order by next_check_at limit ${limit} for update skip locked
    )
    returning h.integration_id, i.platform, h.claim, h.failures`.execute(db);
  return rows;
}

/** The calls of the last five minutes, by integration; those of probes do not count. */
export async function readTraffic(db: Kysely<Schema>, ids: readonly string[]): Promise<Map<string, Traffic>> {
  const { rows } = await sql<{ integration_id: string; outcome: string; calls: number }>`
    select integration_id, outcome, sum(calls)::int as calls
    from metric_minutes
    where integration_id = any(${[...ids]}::text[]) and operation not in ('check', 'token', 'revoke')
      and bucket >= now() - make_interval(secs => ${TRAFFIC_SECONDS}) and calls > 0
    group by 1, 2 order by 1, 3 desc`.execute(db);
  return new Map(
    [...Map.groupBy(rows, (row) => row.integration_id)].map(([id, outcomes]) => {
      const failures = outcomes.filter(({ outcome }) => outcome !== 'success');
      const count = (some: typeof outcomes) => some.reduce((sum, { calls }) => sum + calls, 0);
      return [id, { calls: count(outcomes), failed: count(failures), outcome: failures[0]?.outcome ?? null }];
    }),
  );
}

/** Writes what was seen, unless somebody else has claimed the integration meanwhile. */
export async function keepLook(
  db: Kysely<Schema>,
  { integration_id, claim }: ClaimedIntegration,
  look: IntegrationLook,
  nextMs: number,
): Promise<void> {
  await sql`
    update integration_health
    set state = ${look.state}, source = ${look.source}, outcome = ${look.outcome}, detail = ${look.detail},
        failures = case when ${look.state} = 'fail' then failures + 1 else 0 end,
        checked_at = now(), changed_at = case when state = ${look.state} then changed_at else now() end,
        next_check_at = now() + make_interval(secs => ${nextMs / 1000})
    where integration_id = ${integration_id} and claim = ${claim}`.execute(db);
}

/** A child of a provider that is down is not asked: it is looked at again later. */
export async function putOff(db: Kysely<Schema>, { integration_id, claim }: ClaimedIntegration, nextMs: number) {
  await sql`
    update integration_health set next_check_at = now() + make_interval(secs => ${nextMs / 1000})
    where integration_id = ${integration_id} and claim = ${claim}`.execute(db);
}

/** A provider is back: what failed for it is looked at within a minute, not within the hour it would else wait. */
export async function lookSoon(db: Kysely<Schema>, platform: string): Promise<void> {
  await sql`
    update integration_health h
    set next_check_at = least(h.next_check_at, now() + random() * make_interval(secs => ${SOON_SECONDS}))
    from integrations i
    where i.id = h.integration_id and i.platform = ${platform}
      and h.state = 'fail' and h.outcome = any(${[...OUTAGES]}::text[])
      and h.next_check_at > now() + make_interval(secs => ${SOON_SECONDS})`.execute(db);
}

/** Of these platforms, those with an integration that failed until just now: the provider may be back. */
export async function readComingBack(db: Kysely<Schema>, platforms: readonly string[]): Promise<string[]> {
  if (platforms.length === 0) return [];
  const { rows } = await sql<{ platform: string }>`
    select distinct i.platform
    from integration_health h join integrations i on i.id = h.integration_id
    where i.platform = any(${[...platforms]}::text[])
      and h.state = 'pass' and h.changed_at >= now() - make_interval(secs => ${2 * SOON_SECONDS})`.execute(db);
  return rows.map(({ platform }) => platform);
}

export async function readPlatformLooks(db: Kysely<Schema>): Promise<PlatformLook[]> {
  const { rows } = await sql<PlatformLook>`
    select i.platform, h.outcome, h.state, count(*)::int as count
    from integration_health h join integrations i on i.id = h.integration_id
    where h.checked_at >= now() - make_interval(secs => ${LOOKS_SECONDS})
    group by 1, 2, 3`.execute(db);
  return rows;
}
