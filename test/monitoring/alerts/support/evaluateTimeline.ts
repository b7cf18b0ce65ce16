// Evaluates a timeline of 10-second steps as fast as it can, from where the database says that it is, until it is
// killed or done.

import { systemClock } from '../../../../src/core/clock.ts';
import { silentLog } from '../../../../src/core/log.ts';
import { AlertEvaluator } from '../../../../src/monitoring/alerts/evaluator.ts';
import { openDatabase } from '../../../../src/store/database.ts';
import { ArraySource } from './arraySource.ts';
import { answerAt, END_STEP, STEP_MS, TIMELINE_START } from './killTimeline.ts';

const database = await openDatabase({ url: process.argv[2]!, dataDir: '', migrate: false });
const evaluator = new AlertEvaluator({
  database,
  source: new ArraySource((_query, atMs) => answerAt((atMs - TIMELINE_START) / STEP_MS)),
  clock: systemClock,
  log: silentLog,
});
await evaluator.claimAll();
const { rows } = await database.pool.query('select max(evaluated_at) as at from alert_shards');
let step = rows[0].at === null ? 0 : (rows[0].at.getTime() - TIMELINE_START) / STEP_MS + 1;
console.log(`from ${step}`);
for (; step <= END_STEP; step++) {
  await evaluator.evaluate(TIMELINE_START + step * STEP_MS);
  if (step % 10 === 0) console.log(`at ${step}`);
}
await evaluator.close();
await database.close();
console.log('done');
