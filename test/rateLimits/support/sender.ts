// A replica that sends without end. Arguments: database, redis ('' for none), integration, address, calls an hour.

import { systemClock } from '../../../src/core/clock.ts';
import { openTestApp } from '../../support/app.ts';
import { send } from './sending.ts';

const [databaseUrl, redisUrl, integrationId, url, maxRequests] = process.argv.slice(2);
const environment: Record<string, string> = redisUrl ? { REDIS_URL: redisUrl } : {};
const app = await openTestApp(databaseUrl!, { environment, workers: false });
const budgets = [{ maxRequests: Number(maxRequests), windowMs: 3_600_000 }];
console.log('sending');
for (let sent = 0; ; ) {
  const outcome = await send(app, integrationId!, url!, { budgets });
  if (outcome === 'success') sent += 1;
  else {
    console.log(`${outcome} after ${sent}`);
    await systemClock.sleep(100);
  }
}
