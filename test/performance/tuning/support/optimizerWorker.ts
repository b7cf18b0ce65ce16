// A process that begins experiments and takes them back, for ever. Arguments: connection string, integration.

import { systemClock } from '../../../../src/core/clock.ts';
import { PerformanceOptimizer } from '../../../../src/performance/tuning/performanceOptimizer.ts';
import { openDatabase } from '../../../../src/store/database.ts';
import { unheardAudit } from '../../../support/audit.ts';
import { describeFrom } from './history.ts';

const [url, integrationId] = process.argv.slice(2) as [string, string];
const database = await openDatabase({ url, dataDir: '', migrate: false });
const optimizer = new PerformanceOptimizer({
  database,
  audit: unheardAudit,
  clock: systemClock,
  describe: describeFrom(database),
  // What was taken back is tried again at once, and the syncs before count again.
  limits: { runs: 0, calls: 0, recordsPerRun: 0, coolDownMs: 0, settleMs: -86_400_000 },
});
console.log('working');
for (;;) {
  const { status, experimentId } = await optimizer.optimize(integrationId);
  if (experimentId !== null) await optimizer.revert(integrationId, experimentId);
  console.log(status);
}
