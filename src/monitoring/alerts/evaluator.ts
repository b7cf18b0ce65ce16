import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { Database } from '../../store/database.ts';
import { recordChanges, storeAlerts, storeFailures } from './alertQueries.ts';
import { askSource, type DueRule } from './askSource.ts';
import type { StagedAlert } from './evaluateRule.ts';
import { type EvaluatedShard, evaluateShards } from './evaluateShards.ts';
import { readGone } from './goneSeries.ts';
import { logChanges } from './logChanges.ts';
import { type OwnedShard, openShards } from './ownedShard.ts';
import { readRevision, readRulesOf } from './ruleQueries.ts';
import { claimShards, forgetReplica, markEvaluated, releaseShards, renewShards } from './shardQueries.ts';
import type { MetricSource } from './types.ts';

/** Rounds begin at multiples of it; every rule's interval is a multiple as well. */
const ROUND_MS = 5_000;
/** What happened just before is being written when a round begins. */
const SETTLING_MS = 1_000;
/** Few at a time, so that replicas that start together share them. */
const SHARDS_PER_CLAIM = 4;
const NEXT_CLAIM_MS = 100;
const RETRY_MS = 1_000;
const SERIES_CHECK_MS = 60_000;

interface Dependencies {
  readonly database: Database;
  readonly source: MetricSource;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when changes were recorded, so that whoever tells of them need not wait for its next look. */
  readonly changed?: () => void;
}

/**
 * Evaluates the rules of the shards that this process owns. Every round is: see what is still owned, ask what the due
 * rules want to know, let each decide, and store what changed in one transaction that is void without the ownership.
 * A process that dies anywhere leaves what the last transaction made; another one goes on from it.
 */
export class AlertEvaluator {
  readonly #deps: Dependencies;
  readonly #replica = randomUUID();
  readonly #closing = new AbortController();
  #shards: OwnedShard[] = [];
  #revision = 0;
  #seriesCheckedAt = 0;
  #loop: PollLoop | undefined;
  #failing = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop ??= startPollLoop(() => this.#turn(), this.#deps.clock);
  }

  /** Ends the round under way and leaves the shards to others. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop?.stop();
    const { db } = this.#deps.database;
    if (this.#shards.length > 0) await releaseShards(db, this.#shards).catch(() => {});
    if (this.#loop !== undefined) await forgetReplica(db, this.#replica).catch(() => {});
    this.#shards = [];
  }

  async #turn(): Promise<number> {
    const { clock } = this.#deps;
    try {
      const { now, share, mayClaimMore } = await this.#own();
      const startedMs = clock.monotonicMs();
      await this.evaluate(now - SETTLING_MS);
      await this.#giveBack(share);
      this.#failing = false;
      if (mayClaimMore) return NEXT_CLAIM_MS;
      const sinceRoundMs = ((now - SETTLING_MS) % ROUND_MS) + clock.monotonicMs() - startedMs;
      return Math.max(0, ROUND_MS - sinceRoundMs);
    } catch (error) {
      // Whether the last transaction counts is not known, so neither is what was known.
      await releaseShards(this.#deps.database.db, this.#shards).catch(() => {});
      this.#shards = [];
      if (!this.#failing && !this.#closing.signal.aborted)
        this.#deps.log.error('Alert rules could not be evaluated; it is tried again', { reason: errorMessage(error) });
      this.#failing = true;
      return RETRY_MS;
    }
  }

  /** Shards that this process owns, as far as it knows. */
  get shards(): number {
    return this.#shards.length;
  }

  /** Claims a few of the shards that nobody owns. Gives how many it got. */
  async claim(limit: number = SHARDS_PER_CLAIM): Promise<number> {
    const { db } = this.#deps.database;
    const claimed = await claimShards(db, limit);
    if (claimed.length === 0) return 0;
    const { shards, revision } = await openShards(db, claimed);
    // Of the others, what has changed up to then is still to be read.
    if (this.#shards.length === 0) this.#revision = revision;
    this.#shards.push(...shards);
    return claimed.length;
  }

  /** Claims all that nobody owns. */
  async claimAll(): Promise<void> {
    while ((await this.claim()) > 0);
  }

  /** Renews what is owned and claims what is free, up to its share. Gives the time of the database, in milliseconds. */
  async #own(): Promise<{ now: number; share: number; mayClaimMore: boolean }> {
    const { own, share, now } = await renewShards(this.#deps.database.db, this.#replica, this.#shards);
    this.#shards = this.#shards.filter(({ shard }) => own.has(shard));
    const limit = Math.min(SHARDS_PER_CLAIM, share - this.#shards.length);
    const got = limit > 0 ? await this.claim(limit) : 0;
    return { now: now.getTime(), share, mayClaimMore: got > 0 && got === limit && this.#shards.length < share };
  }

  /**
   * Leaves what is more than its share to replicas that joined. What it evaluated is stored, with how far it got, so
   * the next owner goes on from there; the token of their claim keeps this process from writing to it again.
   */
  async #giveBack(share: number): Promise<void> {
    const excess = this.#shards.slice(share);
    if (excess.length === 0) return;
    await releaseShards(this.#deps.database.db, excess);
    this.#shards = this.#shards.slice(0, share);
  }

  /**
   * One round for the time `now`: everything that is due by then, in the shards that are owned.
   * @returns the number of alerts stored
   */
  async evaluate(now: number): Promise<number> {
    if (this.#shards.length === 0) return 0;
    await this.#readRules();
    await this.#checkSeries(now);
    const at = Math.floor(now / ROUND_MS) * ROUND_MS;
    const due = this.#shards.map((shard) => ({ shard, rules: dueRules(shard, at) }));
    if (due.every(({ shard, rules }) => rules.length === 0 && shard.endings.length === 0)) return 0;
    const all = due.flatMap(({ rules }) => rules);
    const answers = await askSource(this.#deps.source, all, this.#closing.signal);
    const evaluated = await evaluateShards(due, answers, at);
    return this.#store(evaluated, at);
  }

  async #readRules(): Promise<void> {
    const { db } = this.#deps.database;
    const revision = await readRevision(db);
    if (revision === this.#revision) return;
    const shards = new Map(this.#shards.map((shard) => [shard.shard, shard]));
    for (const rule of await readRulesOf(db, [...shards.keys()], this.#revision))
      shards.get(rule.shard)!.takeRule(rule);
    this.#revision = revision;
  }

  /** Alerts of what is gone would otherwise stay, where no data keeps the state. */
  async #checkSeries(now: number): Promise<void> {
    if (now - this.#seriesCheckedAt < SERIES_CHECK_MS) return;
    const isGone = await readGone(
      this.#deps.database.db,
      this.#shards.flatMap((shard) => [...shard.alerts()]),
    );
    if (isGone !== null) for (const shard of this.#shards) shard.endSeries(isGone);
    this.#seriesCheckedAt = now;
  }

  async #store(evaluated: readonly EvaluatedShard[], at: number): Promise<number> {
    const { database, changed, log } = this.#deps;
    const own = await database.transaction(async (tx) => {
      const marked = await markEvaluated(tx, this.#shards, new Date(at));
      const good = evaluated.filter(({ shard }) => marked.has(shard.shard));
      const ended = good.flatMap((one) => one.ended);
      const staged = good.flatMap((one) => one.staged);
      // Apart: a series may end under a rule as it was, and begin under the rule as it is.
      await storeAlerts(tx, ended);
      await storeAlerts(tx, staged);
      await storeFailures(tx, new Map(good.flatMap(({ failures }) => [...failures])));
      await recordChanges(tx, [...ended, ...staged]);
      return marked;
    });
    const stored: StagedAlert[] = [];
    for (const { shard, ended, staged, failures } of evaluated) {
      if (!own.has(shard.shard)) continue;
      shard.applied(staged, failures, at);
      for (const one of ended) stored.push(one);
      for (const one of staged) stored.push(one);
    }
    // Somebody else has the others, and knows better.
    this.#shards = this.#shards.filter(({ shard }) => own.has(shard));
    logChanges(log, stored);
    if (stored.some(({ transition }) => transition !== null)) changed?.();
    return stored.length;
  }
}

/** Rules whose latest time to be evaluated has come and is not stored yet. Times that were missed are not made up for. */
function dueRules(shard: OwnedShard, now: number): DueRule[] {
  const due: DueRule[] = [];
  for (const compiled of shard.rules.values()) {
    const { intervalMs } = compiled.rule;
    const at = Math.floor(now / intervalMs) * intervalMs;
    if (shard.evaluatedAt === null || at > shard.evaluatedAt) due.push({ compiled, at });
  }
  return due;
}
