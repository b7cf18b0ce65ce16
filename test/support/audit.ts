import type { AuditTrail } from '../../src/audit/types.ts';

/** For parts that are tested by themselves: what they record is the subject of test/audit. */
export const unheardAudit: AuditTrail = { record: async () => {} };
