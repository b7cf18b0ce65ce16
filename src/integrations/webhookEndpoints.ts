import { randomBytes } from 'node:crypto';
import { sql, type Transaction } from 'kysely';
import { describeChange } from '../audit/describeChange.ts';
import type { AuditEvent, AuditTrail } from '../audit/types.ts';
import { namedId, newIdName } from '../core/ids.ts';
import { invalidInput, parseInput } from '../core/input.ts';
import type { JsonObject } from '../core/json.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import { liveSecrets } from '../redaction/knownSecrets.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { changeOf, toJson } from './auditing.ts';
import { IntegrationNotFoundError, WebhookNotFoundError } from './errors.ts';
import { findIntegration } from './integrationQueries.ts';
import { webhookSchema } from './schemas.ts';
import type { Integration, WebhookConfig } from './types.ts';

const MAX_PER_INTEGRATION = 100;

/** Where an integration's events are to be sent. Secrets are sealed and never given back. */
export class WebhookEndpoints {
  readonly #database: Database;
  readonly #credentials: CredentialStore;
  readonly #audit: AuditTrail;

  constructor(database: Database, credentials: CredentialStore, audit: AuditTrail) {
    this.#database = database;
    this.#credentials = credentials;
    this.#audit = audit;
  }

  async list(integrationId: string): Promise<WebhookConfig[]> {
    await this.#integration(integrationId);
    const rows = await this.#database.db
      .selectFrom('webhook_endpoints')
      .select(['id', 'url', 'events', 'description', 'active', 'created_at', 'updated_at'])
      .where('integration_id', '=', integrationId)
      .orderBy('id')
      .limit(MAX_PER_INTEGRATION)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      url: row.url,
      events: row.events,
      ...(row.description === null ? {} : { description: row.description }),
      active: row.active,
      createdAt: row.created_at.toISOString(),
      updatedAt: row.updated_at.toISOString(),
    }));
  }

  /**
   * `name` makes it repeatable: a webhook added under this name before gets the new secret, and no second one is made.
   * @returns its id and its signing secret, which is shown this once
   */
  async add(
    integrationId: string,
    webhook: WebhookConfig,
    name: string = newIdName(),
  ): Promise<{ id: string; secret: string }> {
    const { secret = newSecret(), ...data } = parseInput(webhookSchema, writable(webhook), 'The webhook');
    const integration = await this.#integration(integrationId);
    const id = namedId('webhook', name);
    await this.#database.transaction(async (tx) => {
      // The row lock keeps two concurrent additions from passing the limit together.
      const parent = await tx
        .selectFrom('integrations')
        .select('id')
        .where('id', '=', integrationId)
        .where('status', '!=', 'deleting')
        .forUpdate()
        .executeTakeFirst();
      if (parent === undefined) throw new IntegrationNotFoundError(integrationId);
      const { count } = await tx
        .selectFrom('webhook_endpoints')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('integration_id', '=', integrationId)
        .where('id', '!=', id)
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_PER_INTEGRATION) {
        throw invalidInput('The webhook', [
          {
            pointer: '',
            detail: `The integration has ${MAX_PER_INTEGRATION} webhooks already, which is the limit. Delete one first.`,
          },
        ]);
      }
      const sealed = await this.#seal(tx, integration, id, secret);
      await tx
        .insertInto('webhook_endpoints')
        .values({
          id,
          integration_id: integrationId,
          url: data.url,
          events: data.events,
          description: data.description ?? null,
          active: data.active ?? true,
          ...sealed,
        })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(sealed))
        .execute();
      const after = toAudit({ ...data, active: data.active ?? true });
      await this.#audit.record(tx, { ...webhookChange(integrationId, id, 'webhook.added'), after });
    });
    return { id, secret };
  }

  async update(webhookId: string, webhook: Partial<WebhookConfig>): Promise<void> {
    const { secret, ...data } = parseInput(webhookSchema.partial(), writable(webhook), 'The webhook');
    const stored = await this.#database.db
      .selectFrom('webhook_endpoints')
      .select('integration_id')
      .where('id', '=', webhookId)
      .executeTakeFirst();
    if (stored === undefined) throw new WebhookNotFoundError(webhookId);
    const integration = await this.#integration(stored.integration_id);
    await this.#database.transaction(async (tx) => {
      const sealed = secret === undefined ? {} : await this.#seal(tx, integration, webhookId, secret);
      const before = await tx
        .selectFrom('webhook_endpoints')
        .select(['url', 'events', 'description', 'active'])
        .where('id', '=', webhookId)
        .forUpdate()
        .executeTakeFirst();
      if (before === undefined) throw new WebhookNotFoundError(webhookId);
      await tx
        .updateTable('webhook_endpoints')
        .set({ ...data, ...sealed, version: sql`version + 1`, updated_at: sql`now()` })
        .where('id', '=', webhookId)
        .execute();
      const after = { ...before, ...data };
      await this.#audit.record(tx, {
        ...webhookChange(integration.id, webhookId, 'webhook.updated'),
        ...describeChange(toAudit(before), toAudit(after)),
        details: { addressChanged: after.url !== before.url, signingChanged: secret !== undefined },
      });
    });
  }

  async delete(webhookId: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const deleted = await tx
        .deleteFrom('webhook_endpoints')
        .where('id', '=', webhookId)
        .returning(['integration_id', 'url', 'events', 'description', 'active'])
        .executeTakeFirst();
      if (deleted === undefined) throw new WebhookNotFoundError(webhookId);
      await this.#audit.record(tx, {
        ...webhookChange(deleted.integration_id, webhookId, 'webhook.deleted'),
        before: toAudit(deleted),
      });
    });
  }

  async #integration(id: string): Promise<Integration> {
    const integration = await findIntegration(this.#database.db, id);
    if (integration === null) throw new IntegrationNotFoundError(id);
    return integration;
  }

  /** In the transaction that stores it, so that a rotation of keys either sees the row or is seen by it. */
  async #seal(tx: Transaction<Schema>, integration: Integration, webhookId: string, secret: string) {
    liveSecrets.add(secret);
    const context = { owner: integration.owner, integrationId: integration.id, field: `webhook:${webhookId}` };
    const { envelope, keyId } = await this.#credentials.seal(context, secret, tx);
    return { secret_envelope: JSON.stringify(envelope), key_id: keyId };
  }
}

function webhookChange(integrationId: string, id: string, action: string): AuditEvent {
  return { ...changeOf(integrationId, action), target: { kind: 'webhook', id } };
}

/** Of the address only where it leads: its path and query, as chats give them out, are often all that protects it. */
function toAudit(
  webhook: Pick<WebhookConfig, 'url' | 'events' | 'active'> & { description?: string | null },
): JsonObject {
  const { url, events, description = null, active } = webhook;
  return toJson({ origin: new URL(url).origin, events, description, active });
}

/** Standard Webhooks' symmetric form. */
function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** What the service sets itself may be handed back unchanged, as after `getWebhooks`. */
function writable({
  id: _id,
  createdAt: _createdAt,
  updatedAt: _updatedAt,
  ...rest
}: Partial<WebhookConfig>): Partial<WebhookConfig> {
  return rest;
}
