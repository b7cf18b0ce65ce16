import type { ChannelKind, ChannelSettings } from './types.ts';

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

export function toChannel(row: {
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
