import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';

/** How long a replica owns a shard without a sign of life; it gives one at every round. */
const SHARD_LEASE_MS = 12_000;
const LEASE = sql.lit(`${SHARD_LEASE_MS} milliseconds`);

/** Names a shard together with the claim under which its alerts may be written. */
export interface ShardClaim {
  readonly shard: number;
  readonly leaseToken: number;
}

export interface ClaimedShard extends ShardClaim {
  /** The latest evaluation that is stored; null when there was none. */
  readonly evaluatedAt: Date | null;
}

/** What a replica learns when it gives a sign of life. */
export interface Standing {
  /** The shards that are still its own. */
  readonly own: ReadonlySet<number>;
  /** How many it should have, of those that there are: as many as the others, rounded up. */
  readonly share: number;
  /** The time of the database. */
  readonly now: Date;
}

/** A sign of life of a replica, whether or not it owns any shard. */
export async function renewShards(
  db: Kysely<Schema>,
  replica: string,
  claims: readonly ShardClaim[],
): Promise<Standing> {
  const { rows } = await sql<{ own: number[]; share: number; now: Date }>`
    with renewed as (
      update alert_shards s set lease_until = clock_timestamp() + ${LEASE}::interval
      from ${claimed(claims)}
      where s.shard = mine.shard and s.lease_token = mine.lease_token
      returning s.shard
    ), alive as (
      insert into alert_replicas (id, lease_until) values (${replica}, clock_timestamp() + ${LEASE}::interval)
      on conflict (id) do update set lease_until = excluded.lease_until
    ), dead as (
      delete from alert_replicas where id <> ${replica} and lease_until < clock_timestamp() - interval '1 hour'
    ), others as (
      select count(*) as count from alert_replicas where id <> ${replica} and lease_until >= clock_timestamp()
    )
    select array(select shard from renewed) as own, clock_timestamp() as now,
           ceil((select count(*) from alert_shards)::float8 / (1 + count))::int as share
    from others`.execute(db);
  const { own, share, now } = rows[0]!;
  return { own: new Set(own), share, now };
}

/** Says that a replica is gone, so that the others need not wait for its lease to run out. */
export async function forgetReplica(db: Kysely<Schema>, replica: string): Promise<void> {
  await db.deleteFrom('alert_replicas').where('id', '=', replica).execute();
}

/**
 * Claims up to `limit` shards that nobody owns or whose owner gave no sign of life for a lease. A claim raises the
 * token, which takes the right to write from the earlier owner.
 */
export async function claimShards(db: Kysely<Schema>, limit: number): Promise<ClaimedShard[]> {
  const { rows } = await sql<{ shard: number; lease_token: number; evaluated_at: Date | null }>`
    with free as (
      select shard from alert_shards
      where lease_until is null or lease_until < clock_timestamp()
      order by lease_until nulls first, shard
      limit ${limit}
      for update skip locked
    )
    update alert_shards
    set lease_token = lease_token + 1, lease_until = clock_timestamp() + ${LEASE}::interval
    where shard = any(array(select shard from free))
    returning shard, lease_token, evaluated_at`.execute(db);
  return rows.map((row) => ({ shard: row.shard, leaseToken: row.lease_token, evaluatedAt: row.evaluated_at }));
}

/**
 * Opens the transaction of an evaluation: gives the shards whose claim is still good. Their rows stay locked, so nobody
 * can claim them before what is written with them is there.
 */
export async function markEvaluated(
  tx: Transaction<Schema>,
  claims: readonly ShardClaim[],
  at: Date,
): Promise<Set<number>> {
  const { rows } = await sql<{ shard: number }>`
    update alert_shards s
    set evaluated_at = greatest(s.evaluated_at, ${at}), lease_until = clock_timestamp() + ${LEASE}::interval
    from ${claimed(claims)}
    where s.shard = mine.shard and s.lease_token = mine.lease_token
    returning s.shard`.execute(tx);
  return new Set(rows.map(({ shard }) => shard));
}

/** Leaves shards to whoever comes next. */
export async function releaseShards(db: Kysely<Schema>, claims: readonly ShardClaim[]): Promise<void> {
  await sql`
    update alert_shards s set lease_until = null
    from ${claimed(claims)}
    where s.shard = mine.shard and s.lease_token = mine.lease_token`.execute(db);
}

const claimed = (claims: readonly ShardClaim[]) => sql`
  unnest(
    ${claims.map(({ shard }) => shard)}::smallint[],
    ${claims.map(({ leaseToken }) => leaseToken)}::bigint[]
  ) as mine (shard, lease_token)`;
