import type { Database } from '../../store/database.ts';
import type { HealthObservation } from './healthProbe.ts';
import { readPlatformLooks } from './probeQueries.ts';
import { providersDown } from './providersDown.ts';

/** Integrations that fail are no fault of this process: they are a warning, never a failure of it. */
export async function observeIntegrations(database: Database): Promise<HealthObservation> {
  const looks = await readPlatformLooks(database.db);
  const failing = looks.filter(({ state }) => state === 'fail').reduce((sum, { count }) => sum + count, 0);
  const observed = { observedValue: failing, observedUnit: 'failing', threshold: 1 };
  if (failing === 0) return { status: 'pass', ...observed };
  const down = providersDown(looks);
  const names = down.map(({ platform }) => platform).join(', ');
  return {
    status: 'warn',
    ...observed,
    output: down.length === 0 ? 'GET /api/v1/health/integrations names them.' : `Providers that are down: ${names}.`,
  };
}
