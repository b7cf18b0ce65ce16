import { sql, type Transaction } from 'kysely';
import { describeChange } from '../../../audit/describeChange.ts';
import type { AuditTrail } from '../../../audit/types.ts';
import type { Clock } from '../../../core/clock.ts';
import { namedId, newId, newIdName } from '../../../core/ids.ts';
import { invalidInput, parseInput } from '../../../core/input.ts';
import type { CredentialStore } from '../../../credentials/credentialStore.ts';
import type { Database } from '../../../store/database.ts';
import type { Schema } from '../../../store/schema.ts';
import { changeOf, toJson } from '../auditing.ts';
import { ChannelInUseError, ChannelNameTakenError, ChannelNotFoundError } from '../errors.ts';
import { testMessage } from '../message.ts';
import { endChannelAlert } from '../notifier/channelAlert.ts';
import { noteChannel } from '../notifier/deliveryQueries.ts';
import { type Channel, toChannel } from './channel.ts';
import { mergedSecrets, SealedSecrets } from './channelSecrets.ts';
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
const UNIQUE_VIOLATION = '23505';

/** Where notifications go. Addresses of chats, keys and signing secrets are sealed and never given back. */
export class ChannelService {
  readonly #database: Database;
  readonly #secrets: SealedSecrets;
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
    this.#secrets = new SealedSecrets(options.credentials);
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
        ...(await this.#secrets.seal(tx, id, secrets)),
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
      // Before the channel's row is locked, as those who deliver do.
      if (change.active === false) await endChannelAlert(tx, id, this.#clock.now());
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
              ...(await this.#sealMerged(tx, row, settings.secrets)),
            };
      const next = {
        name: change.name ?? row.name,
        send_resolved: change.sendResolved ?? row.send_resolved,
        active: change.active ?? row.active,
      };
      await tx
        .updateTable('notification_channels')
        .set({
          ...next,
          ...sealed,
          ...(next.active ? {} : { failures: 0, failing_since: null }),
          version: sql`version + 1`,
          updated_at: sql`now()`,
        })
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
      await endChannelAlert(tx, id, this.#clock.now());
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
    const result = await this.#sendTest(channel);
    const durationMs = Math.round(this.#clock.monotonicMs() - startedMs);
    await this.#database.transaction(async (tx) => {
      // That it works again need not wait for the next alert to be shown.
      if (result.ok && (await noteChannel(tx, id, 'delivered', '', this.#clock.now())) === 'works')
        await endChannelAlert(tx, id, this.#clock.now());
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

  async #sendTest(channel: OpenChannel): Promise<DeliveryResult> {
    const id = newId('notification');
    // A group of its own: at PagerDuty, an incident that touches no other.
    const message = { ...testMessage(channel.name, this.#publicUrl, this.#clock.now()), groupId: id };
    const result = await this.#sender.send(channel, { id, message });
    if (!result.ok || channel.kind !== 'pagerduty') return result;
    // An incident that nobody resolves would stay open.
    const end = { id: newId('notification'), message: { ...message, status: 'resolved' as const } };
    const resolved = await this.#sender.send(channel, end);
    if (resolved.ok) return result;
    return { ...resolved, detail: `The test was taken, but not that it is resolved. ${resolved.detail}` };
  }

  /** With its secrets, to send; null when there is none. @throws CredentialsUnreadableError */
  async open(id: string): Promise<OpenChannel | null> {
    const row = await this.#find(id);
    if (row === undefined) return null;
    const { name, kind } = row;
    return { id, name, kind, settings: row.settings as ChannelSettings, secrets: await this.#secrets.open(row) };
  }

  #find(id: string) {
    return this.#database.db.selectFrom('notification_channels').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async #row(id: string) {
    const row = await this.#find(id);
    if (row === undefined) throw new ChannelNotFoundError(id);
    return row;
  }

  async #sealMerged(
    tx: Transaction<Schema>,
    row: { id: string; kind: ChannelKind; secret_envelope: unknown },
    given: ChannelSecrets,
  ) {
    const old = await this.#secrets.open(row, tx);
    return this.#secrets.seal(tx, row.id, mergedSecrets(row.kind, old, given, this.#clock.now()));
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
