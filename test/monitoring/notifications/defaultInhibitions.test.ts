import { expect, it } from 'vitest';
import { loadMuter } from '../../../src/monitoring/notifications/muteQueries.ts';
import type { Labels } from '../../../src/monitoring/notifications/types.ts';
import { useTestDatabase } from '../../support/database.ts';
import { passTime, useNotifications, writeChange } from './support/notifications.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);

/** The inhibition rule that is there from the start and holds an alert back while a cause fires. */
async function heldBackBy(alert: Labels, cause: { alert: string; labels: Labels }): Promise<string | undefined> {
  const notifications = await openNotifications();
  const { clock } = notifications;
  await writeChange(database.current, { ...cause, to: 'firing', atMs: clock.now() });
  await passTime(database.current, notifications, clock.now());
  const muter = await loadMuter(database.current.db, clock.now());
  return muter.mutesOf(alert).inhibitedBy?.rule;
}

const OF_SHOP = { integrationId: 'int_shop', platform: 'shopify' };
const PROVIDER = 'A provider is down';
const REFUSED = 'Credentials are refused';

it.each<[string, Labels, Labels, string]>([
  [PROVIDER, { inhibits: 'platform', platform: 'shopify' }, { alertname: 'Slow answers', ...OF_SHOP }, 'inh_platform'],
  ['Gone', { inhibits: 'integration', ...OF_SHOP }, { alertname: 'Slow answers', ...OF_SHOP }, 'inh_integration'],
  [REFUSED, OF_SHOP, { alertname: 'Many errors', ...OF_SHOP }, 'inh_refused_credentials'],
  ['Many errors', OF_SHOP, { alertname: 'Low success rate', ...OF_SHOP }, 'inh_many_errors'],
])('%s of %j holds %j back', async (alert, labels, target, rule) => {
  expect(await heldBackBy(target, { alert, labels })).toBe(rule);
});

it.each<[string, Labels, Labels]>([
  [PROVIDER, { inhibits: 'platform' }, { alertname: 'The disk is nearly full', process: 'web' }],
  [PROVIDER, { inhibits: 'platform' }, { alertname: 'Syncs fail' }],
  [PROVIDER, { inhibits: 'platform' }, { alertname: 'Slow answers', ...OF_SHOP }],
  ['Gone', { inhibits: 'integration' }, { alertname: 'The disk is nearly full', process: 'web' }],
  [REFUSED, {}, { alertname: 'Many errors' }],
  ['Many errors', {}, { alertname: 'Low success rate' }],
])('%s of %j, which lacks what is compared, does not hold %j back', async (alert, labels, target) => {
  expect(await heldBackBy(target, { alert, labels })).toBeUndefined();
});
