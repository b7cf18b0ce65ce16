import type { Database } from '../store/database.ts';
import { acting } from './acting.ts';
import type { AuditTrail } from './types.ts';

/** Who takes the audit log out is in it, before they have it. */
export function recordExport(
  { audit, database }: { readonly audit: AuditTrail; readonly database: Database },
  format: string,
  filter: object,
): Promise<void> {
  return audit.record(database.db, {
    ...acting(),
    action: 'audit.exported',
    outcome: 'success',
    details: { format, filter: JSON.parse(JSON.stringify(filter)) },
  });
}
