import type { Kysely, Transaction } from 'kysely';
import type { JsonObject } from '../core/json.ts';
import type { Schema } from '../store/schema.ts';

/** Who did it, as the audit log names them. */
export interface AuditActor {
  readonly kind: 'user' | 'apiKey' | 'installation' | 'system' | 'anonymous';
  /** The id of the user or key, `API_KEY`, `command line`, `library`, or the part of the system. */
  readonly id: string;
  /** For an API key: the user it belongs to. */
  readonly userId?: string;
}

/** Where a request came from. */
export interface AuditOrigin {
  readonly address?: string;
  readonly requestId?: string;
  readonly userAgent?: string;
}

export interface AuditEvent {
  readonly actor: AuditActor;
  /** `noun.verb` in the past tense, such as `integration.created`, `login.failed`, `credential.released`, `access.denied`. */
  readonly action: string;
  readonly outcome: 'success' | 'failure' | 'denied';
  /** What it was done to. */
  readonly target?: { readonly kind: string; readonly id: string };
  readonly integrationId?: string;
  readonly origin?: AuditOrigin;
  /** Without secrets: what it was and what it became, only the members that changed. */
  readonly before?: JsonObject;
  readonly after?: JsonObject;
  readonly details?: JsonObject;
}

/** Takes events before their effect is visible. */
export interface AuditTrail {
  /**
   * Adds an event in the transaction of the change it tells of (or as a statement of its own): it exists if and only
   * if that commits. Takes no lock that other writers wait for.
   */
  record(db: Kysely<Schema> | Transaction<Schema>, event: AuditEvent): Promise<void>;
}
