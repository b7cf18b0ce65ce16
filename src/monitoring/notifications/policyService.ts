import { sql, type Transaction } from 'kysely';
import { describeChange } from '../../audit/describeChange.ts';
import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import type { InputProblem } from '../../core/errors.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { changeOf, toJson } from './auditing.ts';
import { DefaultPolicyError, PolicyNotFoundError } from './errors.ts';
import { rerouteAlerts } from './notifier/takeAlerts.ts';
import { loadPolicies, type StoredPolicy } from './policyQueries.ts';
import { type PolicyChange, type PolicyInput, policyChangeSchema, policySchema } from './policySchema.ts';

const MAX_POLICIES = 200;

type PolicyData = Parameters<typeof toRow>[0];

/** Which alerts go to which channels. After a change, alerts that are active are sorted anew in its transaction. */
export class PolicyService {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #clock: Clock;

  constructor(options: { database: Database; audit: AuditTrail; clock: Clock }) {
    this.#database = options.database;
    this.#audit = options.audit;
    this.#clock = options.clock;
  }

  /** In the order in which they are looked at; the default policy is the last. */
  async list(): Promise<StoredPolicy[]> {
    return await loadPolicies(this.#database.db);
  }

  /** @throws PolicyNotFoundError */
  async get(id: string): Promise<StoredPolicy> {
    const policy = (await this.list()).find((one) => one.id === id);
    if (policy === undefined) throw new PolicyNotFoundError(id);
    return policy;
  }

  /** A policy added under the same `name` before is what it is now. @throws InvalidInputError */
  async add(input: PolicyInput, name: string = newIdName()): Promise<StoredPolicy> {
    const data = parseInput(policySchema, input, 'The policy');
    const id = namedId('notificationPolicy', name);
    await this.#change(async (tx, policies) => {
      if (policies.filter((one) => one.id !== id).length >= MAX_POLICIES) {
        const detail = `There are ${MAX_POLICIES} policies already, which is the limit. Delete one first.`;
        throw invalidInput('The policy', [{ pointer: '', detail }]);
      }
      await assertConsistent(tx, data);
      const row = toRow(data);
      await tx
        .insertInto('notification_policies')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      await this.#audit.record(tx, {
        ...changeOf('notificationPolicy', id, 'notificationPolicy.added'),
        after: toJson(data),
      });
    });
    return await this.get(id);
  }

  /**
   * What is left out stays. Of the default policy, matchers and position cannot be changed.
   * @throws InvalidInputError, PolicyNotFoundError, DefaultPolicyError
   */
  async update(id: string, input: PolicyChange): Promise<StoredPolicy> {
    const change = parseInput(policyChangeSchema, input, 'The policy');
    await this.#change(async (tx, policies) => {
      const policy = policies.find((one) => one.id === id);
      if (policy === undefined) throw new PolicyNotFoundError(id);
      if (policy.isDefault && (change.matchers?.length || change.position !== undefined))
        throw new DefaultPolicyError();
      const before = dataOf(policy);
      const after = { ...before, ...change };
      await assertConsistent(tx, after);
      await tx
        .updateTable('notification_policies')
        .set({ ...toRow(after), version: sql`version + 1`, updated_at: sql`now()` })
        .where('id', '=', id)
        .execute();
      await this.#audit.record(tx, {
        ...changeOf('notificationPolicy', id, 'notificationPolicy.updated'),
        ...describeChange(toJson(before), toJson(after)),
      });
    });
    return await this.get(id);
  }

  /** Its alerts go to the policies that match them now. @throws PolicyNotFoundError, DefaultPolicyError */
  async delete(id: string): Promise<void> {
    await this.#change(async (tx, policies) => {
      const policy = policies.find((one) => one.id === id);
      if (policy === undefined) throw new PolicyNotFoundError(id);
      if (policy.isDefault) throw new DefaultPolicyError();
      await tx.deleteFrom('notification_policies').where('id', '=', id).execute();
      await this.#audit.record(tx, {
        ...changeOf('notificationPolicy', id, 'notificationPolicy.deleted'),
        before: toJson(dataOf(policy)),
      });
    });
  }

  /** One change at a time, and none while changes of alerts are taken in by the policies of before. */
  async #change(run: (tx: Transaction<Schema>, policies: readonly StoredPolicy[]) => Promise<void>): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.selectFrom('notification_intake').select('id').forUpdate().execute();
      await run(tx, await loadPolicies(tx));
      await rerouteAlerts(tx, await loadPolicies(tx), this.#clock.now());
    });
  }
}

function toRow(data: {
  name: string;
  position: number;
  matchers: readonly unknown[];
  groupBy: readonly string[];
  continue: boolean;
  channels: readonly string[] | null;
  fallbackChannel: string | null;
  steps: readonly { afterMs: number; channels: readonly string[] }[];
  groupWaitMs: number;
  groupIntervalMs: number;
  repeatIntervalMs: number;
}) {
  return {
    name: data.name,
    position: data.position,
    matchers: JSON.stringify(data.matchers),
    group_by: [...data.groupBy],
    go_on: data.continue,
    channels: data.channels === null ? null : [...data.channels],
    fallback_channel: data.fallbackChannel,
    steps: JSON.stringify(data.steps),
    group_wait_ms: data.groupWaitMs,
    group_interval_ms: data.groupIntervalMs,
    repeat_interval_ms: data.repeatIntervalMs,
  };
}

function dataOf(policy: StoredPolicy): PolicyData {
  const { name, position, matchers, groupBy, channels, fallbackChannel, steps } = policy;
  const { groupWaitMs, groupIntervalMs, repeatIntervalMs } = policy;
  const timing = { groupWaitMs, groupIntervalMs, repeatIntervalMs };
  return { name, position, matchers, groupBy, continue: policy.goOn, channels, fallbackChannel, steps, ...timing };
}

async function assertConsistent(tx: Transaction<Schema>, data: PolicyData): Promise<void> {
  const rows = await tx.selectFrom('notification_channels').select('id').forKeyShare().execute();
  const known = new Set(rows.map((row) => row.id));
  const named = [
    ...(data.channels ?? []).map((id, at) => [id, `/channels/${at}`] as const),
    ...(data.fallbackChannel === null ? [] : [[data.fallbackChannel, '/fallbackChannel'] as const]),
    ...data.steps.flatMap((step, at) => step.channels.map((id, of) => [id, `/steps/${at}/channels/${of}`] as const)),
  ];
  const problems: InputProblem[] = named
    .filter(([id]) => !known.has(id))
    .map(([, pointer]) => ({ pointer, detail: 'is no channel that there is.' }));
  if (data.repeatIntervalMs < data.groupIntervalMs) {
    const detail = 'is shorter than groupIntervalMs, in which nothing is told twice.';
    problems.push({ pointer: '/repeatIntervalMs', detail });
  }
  if (problems.length > 0) throw invalidInput('The policy', problems);
}
