import { actAs } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import type { InstallationKeys } from './installationKeys.ts';
import { finishRotation } from './rotation.ts';

const ROTATION_JOB = 'credentials.finishRotation';

/** Has a rotation that a crash interrupted finished without anybody asking. */
export function defineRotationJob(parts: {
  readonly jobs: Jobs;
  readonly database: Database;
  readonly keys: InstallationKeys;
  readonly audit: AuditTrail;
}): void {
  const { jobs, database, keys, audit } = parts;
  jobs.define(
    ROTATION_JOB,
    (_payload, signal) =>
      actAs({ actor: { kind: 'system', id: ROTATION_JOB } }, async () => {
        await finishRotation(database, keys, { signal, audit });
      }),
    { cron: '*/10 * * * *' },
  );
}
