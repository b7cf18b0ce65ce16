import { sql, type Transaction } from 'kysely';
import { describeChange } from '../../../audit/describeChange.ts';
import type { AuditTrail } from '../../../audit/types.ts';
import type { Clock } from '../../../core/clock.ts';
import { namedId, newId, newIdName } from '../../../core/ids.ts';
import { invalidInput, parseInput } from '../../../core/input.ts';
import type { CredentialStore } from '../../../credentials/credentialStore.ts';
import { CHANNEL_SECRET_OWNER } from '../../../credentials/rewrapBatch.ts';
import type { Database } from '../../../store/database.ts';
import type { Schema } from '../../../store/schema.ts';
import { changeOf, toJson } from '../auditing.ts';
import { ChannelInUseError, ChannelNameTakenError, ChannelNotFoundError } from '../errors.ts';
import { testMessage } from '../message.ts';
import type { ChannelSender } from './channelSender.ts';
import {
  type ChannelChange,
  type ChannelInput,
  channelChangeSchema,
  channelSchema,
  divideSettings,
  newSigningSecret,
  SETTINGS_OF_KIND,
} from './schemas.ts';
import type { ChannelKind, ChannelSecrets, ChannelSettings, DeliveryResult, OpenChannel } from './types.ts';

const MAX_CHANNELS = 100;
/** How long a former signing secret signs beside the new one. */
const OVERLAP_MS = 24 * 3_600_000;
const UNIQUE_VIOLATION = '23505';

/** A channel without what is secret. Times are ISO 8601. */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly settings: ChannelSettings;
  readonly sendResolved: boolean;
  readonly active: boolean;
  /** Notifications given up in a row. */
  readonly failures: number;
  readonly failingSince: string | null;
  readonly lastError: string | null;
  readonly lastDeliveredAt: string | null;
  readonly testedAt: string | null;
  readonly testOk: boolean | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Where notifications go. Addresses of chats, keys and signing secrets are sealed and never given back. */
export class ChannelService {
  readonly #database: Database;
  readonly #credentials: CredentialStore;
  readonly #audit: AuditTrail;
  readonly #sender: ChannelSender;
  readonly #clock: Clock;
  readonly #publicUrl: string;

  constructor(options: {
    database: Database;
    credentials: CredentialStore;
    audit: AuditTrail;
    sender: ChannelSender;
    clock: Clock;
    publicUrl: string;
  }) {
    this.#database = options.database;
    this.#credentials = options.credentials;
    this.#audit = options.audit;
    this.#sender = options.sender;
    this.#clock = options.clock;
    this.#publicUrl = options.publicUrl;
  }

  /** All of them, at most 100, in the order of their names. */
  async list(): Promise<Channel[]> {
    const rows = await this.#database.db.selectFrom('notification_channels').selectAll().orderBy('name').execute();
    return rows.map(toChannel);
  }

  /** @throws ChannelNotFoundError */
  async get(id: string): Promise<Channel> {
    return toChannel(await this.#row(id));
  }

  /**
   * `name` makes it repeatable: a channel added under this name before gets what is given now.
   * @returns the channel, and for a webhook its signing secret, which is shown this once
   * @throws InvalidInputError, ChannelNameTakenError
   */
  async add(input: ChannelInput, name: string = newIdName()): Promise<{ channel: Channel; secret: string | null }> {
    const data = parseInput(channelSchema, input, 'The channel');
    if (data.kind === 'email') this.#assertMail();
    const id = namedId('notificationChannel', name);
    const divided = divideSettings(data.settings);
    const secret = data.kind === 'webhook' ? (divided.secrets.secret ?? newSigningSecret()) : null;
    const secrets = secret === null ? divided.secrets : { ...divided.secrets, secret };
    await this.#storing(data.name, async (tx) => {
      // The counters' row lock keeps two concurrent additions from passing the limit together.
      await tx.selectFrom('notification_intake').select('id').forUpdate().execute();
      const others = await tx.selectFrom('notification_channels').select('id').where('id', '!=', id).execute();
      if (others.length >= MAX_CHANNELS) {
        const detail = `There are ${MAX_CHANNELS} channels already, which is the limit. Delete one first.`;
        throw invalidInput('The channel', [{ pointer: '', detail }]);
      }
      const row = {
        name: data.name,
        settings: JSON.stringify(divided.settings),
        send_resolved: data.sendResolved ?? true,
        active: data.active ?? true,
        ...(await this.#seal(tx, id, secrets)),
      };
      await tx
        .insertInto('notification_channels')
        .values({ id, kind: data.kind, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
      const after = { name: data.name, kind: data.kind, settings: divided.settings, active: row.active };
      await this.#audit.record(tx, {
        ...changeOf('notificationChannel', id, 'notificationChannel.added'),
        after: toJson(after),
      });
    });
    return { channel: await this.get(id), secret };
  }

  /** What is left out stays. @throws InvalidInputError, ChannelNotFoundError, ChannelNameTakenError */
  async update(id: string, input: ChannelChange): Promise<Channel> {
    const change = parseInput(channelChangeSchema, input, 'The channel');
    const { kind } = await this.#row(id);
    const settings =
      change.settings === undefined
        ? undefined
        : divideSettings(parseInput(SETTINGS_OF_KIND[kind], change.settings, 'The settings of the channel'));
    await this.#storing(change.name ?? '', async (tx) => {
      const row = await tx
        .selectFrom('notification_channels')
        .selectAll()
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) throw new ChannelNotFoundError(id);
      const sealed =
        settings === undefined
          ? {}
          : {
              settings: JSON.stringify(settings.settings),
              ...(await this.#seal(tx, id, this.#merged(kind, await this.#secretsOf(row, tx), settings.secrets))),
            };
      const next = {
        name: change.name ?? row.name,
        send_resolved: change.sendResolved ?? row.send_resolved,
        active: change.active ?? row.active,
      };
      await tx
        .updateTable('notification_channels')
        .set({ ...next, ...sealed, version: sql`version + 1`, updated_at: sql`now()` })
        .where('id', '=', id)
        .execute();
      const before = { name: row.name, sendResolved: row.send_resolved, active: row.active, settings: row.settings };
      const after = {
        name: next.name,
        sendResolved: next.send_resolved,
        active: next.active,
        settings: settings?.settings ?? row.settings,
      };
      await this.#audit.record(tx, {
        ...changeOf('notificationChannel', id, 'notificationChannel.updated'),
        ...describeChange(toJson(before), toJson(after)),
        details: { secretsChanged: settings !== undefined },
      });
    });
    return await this.get(id);
  }

  /** What waits for it fails, and goes to the fallback channel. @throws ChannelNotFoundError, ChannelInUseError */
  async delete(id: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      // Policies are written under the lock of their table's rows, and check that their channels exist.
      const policies = await tx.selectFrom('notification_policies').selectAll().forUpdate().execute();
      const users = policies.filter(
        ({ channels, fallback_channel, steps }) =>
          channels?.includes(id) || fallback_channel === id || JSON.stringify(steps).includes(JSON.stringify(id)),
      );
      if (users.length > 0) throw new ChannelInUseError(users.map(({ name }) => name));
      const deleted = await tx
        .deleteFrom('notification_channels')
        .where('id', '=', id)
        .returning(['name', 'kind', 'settings'])
        .executeTakeFirst();
      if (deleted === undefined) throw new ChannelNotFoundError(id);
      await this.#audit.record(tx, {
        ...changeOf('notificationChannel', id, 'notificationChannel.deleted'),
        before: toJson(deleted),
      });
    });
  }

  /** Sends a test message now, once, and tells what really came of it. @throws ChannelNotFoundError */
  async test(id: string): Promise<DeliveryResult & { durationMs: number }> {
    const channel = await this.open(id);
    if (channel === null) throw new ChannelNotFoundError(id);
    const startedMs = this.#clock.monotonicMs();
    const message = testMessage(channel.name, this.#publicUrl, this.#clock.now());
    const result = await this.#sender.send(channel, { id: newId('notification'), message });
    const durationMs = Math.round(this.#clock.monotonicMs() - startedMs);
    await this.#database.transaction(async (tx) => {
      await tx
        .updateTable('notification_channels')
        .set({ tested_at: new Date(this.#clock.now()), test_ok: result.ok })
        .where('id', '=', id)
        .execute();
      await this.#audit.record(tx, {
        ...changeOf('notificationChannel', id, 'notificationChannel.tested'),
        outcome: result.ok ? 'success' : 'failure',
        details: { detail: result.detail },
      });
    });
    return { ...result, durationMs };
  }

  /** With its secrets, to send; null when there is none. @throws CredentialsUnreadableError */
  async open(id: string): Promise<OpenChannel | null> {
    const row = await this.#find(id);
    if (row === undefined) return null;
    const { name, kind } = row;
    return { id, name, kind, settings: row.settings as ChannelSettings, secrets: await this.#secretsOf(row) };
  }

  #find(id: string) {
    return this.#database.db.selectFrom('notification_channels').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async #row(id: string) {
    const row = await this.#find(id);
    if (row === undefined) throw new ChannelNotFoundError(id);
    return row;
  }

  /** A new signing secret does not end the former one at once: receivers change over meanwhile. */
  #merged(kind: ChannelKind, old: ChannelSecrets, given: ChannelSecrets): ChannelSecrets {
    if (kind !== 'webhook') return given;
    if (given.secret === undefined || given.secret === old.secret)
      return { ...given, secret: old.secret, ...(old.former === undefined ? {} : { former: old.former }) };
    return { ...given, former: { secret: old.secret!, untilMs: this.#clock.now() + OVERLAP_MS } };
  }

  async #secretsOf(row: { id: string; secret_envelope: unknown }, tx?: Transaction<Schema>): Promise<ChannelSecrets> {
    return (await this.#credentials.open(contextOf(row.id), row.secret_envelope, tx)) as ChannelSecrets;
  }

  async #seal(tx: Transaction<Schema>, id: string, secrets: ChannelSecrets) {
    const { envelope, keyId } = await this.#credentials.seal(contextOf(id), secrets, tx);
    return { secret_envelope: JSON.stringify(envelope), key_id: keyId };
  }

  #assertMail(): void {
    if (this.#sender.canMail) return;
    const detail = 'This installation sends no e-mail. Set SMTP_URL and SMTP_FROM first, or take another kind.';
    throw invalidInput('The channel', [{ pointer: '/kind', detail }]);
  }

  async #storing(name: string, run: (tx: Transaction<Schema>) => Promise<void>): Promise<void> {
    try {
      await this.#database.transaction(run);
    } catch (error) {
      const { code, constraint } = error as { code?: unknown; constraint?: unknown };
      if (code !== UNIQUE_VIOLATION || constraint !== 'notification_channels_name_key') throw error;
      throw new ChannelNameTakenError(name);
    }
  }
}

function contextOf(id: string) {
  return { owner: CHANNEL_SECRET_OWNER, integrationId: '', field: `notificationChannel:${id}` };
}

function toChannel(row: {
  id: string;
  name: string;
  kind: ChannelKind;
  settings: unknown;
  send_resolved: boolean;
  active: boolean;
  failures: number;
  failing_since: Date | null;
  last_error: string | null;
  last_delivered_at: Date | null;
  tested_at: Date | null;
  test_ok: boolean | null;
  created_at: Date;
  updated_at: Date;
}): Channel {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    settings: row.settings as ChannelSettings,
    sendResolved: row.send_resolved,
    active: row.active,
    failures: row.failures,
    failingSince: row.failing_since?.toISOString() ?? null,
    lastError: row.last_error,
    lastDeliveredAt: row.last_delivered_at?.toISOString() ?? null,
    testedAt: row.tested_at?.toISOString() ?? null,
    testOk: row.test_ok,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
