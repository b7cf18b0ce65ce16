import type { Transaction } from 'kysely';
import type { CredentialStore } from '../../../credentials/credentialStore.ts';
import { CHANNEL_SECRET_OWNER } from '../../../credentials/rewrapBatch.ts';
import type { Schema } from '../../../store/schema.ts';
import type { ChannelKind, ChannelSecrets } from './types.ts';

/** How long a former signing secret signs beside the new one. */
const OVERLAP_MS = 24 * 3_600_000;

/** What is secret of channels, sealed in their rows with the installation's key. */
export class SealedSecrets {
  readonly #credentials: CredentialStore;

  constructor(credentials: CredentialStore) {
    this.#credentials = credentials;
  }

  /** @throws CredentialsUnreadableError */
  async open(row: { id: string; secret_envelope: unknown }, tx?: Transaction<Schema>): Promise<ChannelSecrets> {
    return (await this.#credentials.open(contextOf(row.id), row.secret_envelope, tx)) as ChannelSecrets;
  }

  /** The columns that hold them. */
  async seal(tx: Transaction<Schema>, id: string, secrets: ChannelSecrets) {
    const { envelope, keyId } = await this.#credentials.seal(contextOf(id), secrets, tx);
    return { secret_envelope: JSON.stringify(envelope), key_id: keyId };
  }
}

/** What becomes of secrets. A new signing secret does not end the former one at once: receivers change over meanwhile. */
export function mergedSecrets(
  kind: ChannelKind,
  old: ChannelSecrets,
  given: ChannelSecrets,
  nowMs: number,
): ChannelSecrets {
  if (kind !== 'webhook') return given;
  if (given.secret === undefined || given.secret === old.secret)
    return { ...given, secret: old.secret, ...(old.former === undefined ? {} : { former: old.former }) };
  return { ...given, former: { secret: old.secret!, untilMs: nowMs + OVERLAP_MS } };
}

function contextOf(id: string) {
  return { owner: CHANNEL_SECRET_OWNER, integrationId: '', field: `notificationChannel:${id}` };
}
