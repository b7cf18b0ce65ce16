import { acting, actingUserId } from '../../audit/acting.ts';
import type { AuditEvent } from '../../audit/types.ts';
import type { JsonObject } from '../../core/json.ts';

/** What the audit log has of a change here, by whoever acts. */
export function changeOf(kind: string, id: string, action: string): AuditEvent {
  return { ...acting(), action, outcome: 'success', target: { kind, id } };
}

/** Who made a silence or acknowledged: the user where there is one. */
export function author(): string {
  return actingUserId() ?? acting().actor.id;
}

/** Of a value with optional members, what is JSON. */
export function toJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
