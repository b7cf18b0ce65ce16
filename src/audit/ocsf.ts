import type { StoredEntry } from './storedEntry.ts';

// The classes of the Open Cybersecurity Schema Framework, 1.3: 3002 Authentication, 6003 API Activity.

const OCSF_VERSION = '1.3.0';
const PRODUCT = { name: 'Integration Services', vendor_name: 'Integration Services' };
const AUTHENTICATION = { class_uid: 3002, class_name: 'Authentication', category_uid: 3 };
const API_ACTIVITY = { class_uid: 6003, class_name: 'API Activity', category_uid: 6 };
const OTHER = 99;

const LOGON = /^(login|session\.(created|started)|mfa|totp|breakGlass\.started)/i;
const LOGOFF = /^(logout|session\.(ended|revoked|allRevoked|loggedOut|expired))/i;
/** The verb of an action, and the activity it is. */
const ACTIVITIES: readonly (readonly [RegExp, number])[] = [
  [/\.(created|added|invited|issued|connected|requested|started)$/i, 1],
  [/\.(read|released|exported|listed|viewed|used)$/i, 2],
  [
    /\.(updated|changed|rotated|stored|saved|role_changed|renamed|approved|frozen|unfrozen|granted|denied|disconnected)$/i,
    3,
  ],
  [/\.(deleted|removed|revoked|erased|ended)$/i, 4],
];

/** An event as OCSF tells it; members that OCSF has no place for are in `unmapped`. */
export function toOcsf(event: StoredEntry): object {
  const kind = LOGON.test(event.action) || LOGOFF.test(event.action) ? AUTHENTICATION : API_ACTIVITY;
  const activity = kind === AUTHENTICATION ? (LOGOFF.test(event.action) ? 2 : 1) : activityOf(event.action);
  const { origin, target, integrationId, before, after, details } = event;
  const user = { uid: event.actor.userId ?? event.actor.id, name: event.actor.id, type: event.actor.kind };
  const success = event.outcome === 'success';
  return {
    ...kind,
    activity_id: activity,
    ...(activity === OTHER ? { activity_name: event.action } : {}),
    type_uid: kind.class_uid * 100 + activity,
    time: Date.parse(event.time),
    // Informational; a failure is low, a denial medium.
    severity_id: success ? 1 : event.outcome === 'denied' ? 3 : 2,
    status_id: success ? 1 : 2,
    status: success ? 'Success' : 'Failure',
    status_detail: event.outcome,
    message: event.action,
    metadata: {
      version: OCSF_VERSION,
      product: PRODUCT,
      uid: event.id,
      sequence: event.seq,
      log_name: 'audit',
      ...(origin?.requestId === undefined ? {} : { correlation_uid: origin.requestId }),
    },
    actor: { user },
    src_endpoint: origin?.address === undefined ? { name: 'unknown' } : { ip: origin.address },
    ...(origin?.userAgent === undefined ? {} : { http_request: { user_agent: origin.userAgent } }),
    ...(kind === AUTHENTICATION ? { user, service: { name: PRODUCT.name } } : { api: { operation: event.action } }),
    ...(target === undefined ? {} : { resources: [{ uid: target.id, type: target.kind }] }),
    unmapped: { integrationId, before, after, details },
  };
}

function activityOf(action: string): number {
  return ACTIVITIES.find(([verb]) => verb.test(action))?.[1] ?? OTHER;
}
