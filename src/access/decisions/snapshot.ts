import type { RolePermission } from '../roles/builtInRoles.ts';
import type { Scope } from './scope.ts';

/** Everything that decisions are made of, as it was at one moment. */
export interface AccessSnapshot {
  /** Rises with every change of access, also of sessions and keys. */
  readonly version: number;
  /** Rises with every change of what is in here. */
  readonly rulesVersion: number;
  readonly users: readonly SnapshotUser[];
  /** The custom ones. */
  readonly roles: readonly { readonly name: string; readonly permissions: readonly RolePermission[] }[];
  readonly grants: readonly (SnapshotRule & { readonly effect: 'allow' | 'deny' })[];
  /** Approved and not ended. */
  readonly breakGlass: readonly SnapshotRule[];
}

export interface SnapshotUser {
  readonly id: string;
  readonly role: string;
  readonly status: 'active' | 'frozen' | 'deactivated';
}

export interface SnapshotRule {
  readonly id: string;
  readonly userId: string;
  /** Names and patterns. */
  readonly permissions: readonly string[];
  readonly scope: Scope;
  readonly reason: string;
  /** From this moment on it no longer counts; null: it stays. */
  readonly expiresAtMs: number | null;
}
