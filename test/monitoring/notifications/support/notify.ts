import { systemClock } from '../../../../src/core/clock.ts';
import { silentLog } from '../../../../src/core/log.ts';
import { CredentialStore } from '../../../../src/credentials/credentialStore.ts';
import { InstallationKeys } from '../../../../src/credentials/installationKeys.ts';
import { createJobs } from '../../../../src/jobs/jobs.ts';
import { NotificationService } from '../../../../src/monitoring/notifications/notificationService.ts';
import { openDatabase } from '../../../../src/store/database.ts';
import { unheardAudit } from '../../../support/audit.ts';

// A replica that tells of alerts until it is killed.

const database = await openDatabase({ url: process.argv[2]!, dataDir: '', migrate: false });
const keys = await InstallationKeys.open(database, 'a-secret-for-tests-only-0123456789abcdef');
const service = new NotificationService({
  database,
  credentials: new CredentialStore(database, keys),
  jobs: createJobs(database, () => {}),
  audit: unheardAudit,
  clock: systemClock,
  log: silentLog,
  publicUrl: 'https://integrations.example.com',
  allowedPrivateHosts: ['127.0.0.1'],
  mail: null,
});
service.start();
console.log('telling');
process.stdin.resume();
