import { acting } from '../audit/acting.ts';
import type { AuditEvent } from '../audit/types.ts';
import type { JsonObject } from '../core/json.ts';

/** What the audit log has of something that was done to an integration, by whoever acts. */
export function changeOf(integrationId: string, action: string): AuditEvent {
  return {
    ...acting(),
    action,
    outcome: 'success',
    target: { kind: 'integration', id: integrationId },
    integrationId,
  };
}

/** Of a value with optional members, what is JSON. */
export function toJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
