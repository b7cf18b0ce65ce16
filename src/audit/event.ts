import { canonicalJson, storableText } from '../core/canonicalJson.ts';
import { newId } from '../core/ids.ts';
import type { JsonObject } from '../core/json.ts';
import type { Redactor } from '../redaction/redactor.ts';
import { boundJson, cutText } from './boundedJson.ts';
import type { AuditEvent } from './types.ts';

/** Most bytes that each of `before`, `after` and `details` takes; what is larger is cut with a mark. */
const MAX_PART_BYTES = 16 * 1024;
const MAX_WORD_CHARS = 300;

/** An event as it is recorded: with its id and time, in the order of its members. */
export interface RecordedEvent {
  readonly id: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  readonly actor: { readonly kind: string; readonly id: string; readonly userId?: string };
  readonly action: string;
  readonly outcome: string;
  readonly target?: { readonly kind: string; readonly id: string };
  readonly integrationId?: string;
  readonly origin?: { readonly address?: string; readonly requestId?: string; readonly userAgent?: string };
  readonly before?: JsonObject;
  readonly after?: JsonObject;
  readonly details?: JsonObject;
}

export interface EncodedEvent {
  readonly id: string;
  /** Canonical JSON (RFC 8785) in UTF-8. */
  readonly bytes: Buffer;
}

/** Gives an event its id, takes out what looks like a secret, cuts what is too large, and writes it canonically. */
export function encodeEvent(event: AuditEvent, nowMs: number, redactor: Redactor): EncodedEvent {
  const id = newId('auditEvent');
  const name = (text: string): string => cutText(redactor.name(text), MAX_WORD_CHARS);
  const text = (given: string): string => cutText(redactor.text(given), MAX_WORD_CHARS);
  const words = (members: Readonly<Record<string, string | undefined>>, word: (text: string) => string): JsonObject => {
    const set = Object.entries(members).filter((member): member is [string, string] => member[1] !== undefined);
    return Object.fromEntries(set.map(([member, given]) => [member, word(given)]));
  };
  const part = (member: 'before' | 'after' | 'details'): JsonObject => {
    const object = event[member];
    return object === undefined ? {} : { [member]: boundJson(redactor.object(object), MAX_PART_BYTES) };
  };
  const { actor, origin, target, integrationId } = event;
  const recorded: JsonObject = {
    id,
    time: new Date(nowMs).toISOString(),
    actor: { kind: cutText(actor.kind, MAX_WORD_CHARS), ...words({ id: actor.id, userId: actor.userId }, name) },
    action: name(event.action),
    outcome: event.outcome,
    ...(target === undefined ? {} : { target: { kind: cutText(target.kind, MAX_WORD_CHARS), id: name(target.id) } }),
    ...(integrationId === undefined ? {} : { integrationId: name(integrationId) }),
    ...(origin === undefined ? {} : { origin: words({ ...origin }, text) }),
    ...part('before'),
    ...part('after'),
    ...part('details'),
  };
  return { id, bytes: Buffer.from(canonicalJson(recorded).text) };
}

/** What an entry is searched by: copies of members of its event. */
export interface SearchColumns {
  readonly id: string;
  readonly occurred_at: Date;
  readonly actor_kind: string;
  readonly actor_id: string;
  readonly action: string;
  readonly outcome: string;
  readonly target_kind: string | null;
  readonly target_id: string | null;
  readonly integration_id: string | null;
}

/**
 * The columns of an event's bytes. Every sequence of bytes has some: what somebody put into audit_pending by hand
 * must not stop the log.
 */
export function searchColumns(bytes: Uint8Array): SearchColumns {
  const event = parseEvent(bytes) ?? {};
  const { actor, target } = event as Partial<RecordedEvent>;
  return {
    id: column(event.id) ?? '',
    occurred_at: timeOf(event.time),
    actor_kind: column(actor?.kind) ?? '',
    actor_id: column(actor?.id) ?? '',
    action: column(event.action) ?? '',
    outcome: column(event.outcome) ?? '',
    target_kind: column(target?.kind),
    target_id: column(target?.id),
    integration_id: column(event.integrationId),
  };
}

/** The event of stored bytes; null when they hold no JSON object. */
export function parseEvent(bytes: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

const MAX_COLUMN_CHARS = 400;

function column(value: unknown): string | null {
  return typeof value === 'string' ? storableText(value.slice(0, MAX_COLUMN_CHARS)) : null;
}

/** As `encodeEvent` writes a time. */
export const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** The epoch for what is no time of ours. */
function timeOf(value: unknown): Date {
  const ms = typeof value === 'string' && EVENT_TIME.test(value) ? Date.parse(value) : Number.NaN;
  return new Date(Number.isNaN(ms) ? 0 : ms);
}
