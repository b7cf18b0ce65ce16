import { expect, it } from 'vitest';
import { useTestDatabase } from '../../support/database.ts';
import { passTime, useNotifications, writeChange } from './support/notifications.ts';
import { useReceivers } from './support/receiver.ts';
import { labelsOf, TIMELINE_TIMING, TIMELINES } from './timelines.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();

interface Told {
  readonly at: string;
  readonly alerts: readonly { readonly status: string; readonly name: string }[];
}

it.each(TIMELINES)('through the database and a signed webhook: $name', async ({ events, untilS, expected }) => {
  const notifications = await openNotifications();
  const { service, clock } = notifications;
  const receiver = await startReceiver();
  await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: receiver.url } });
  await service.policies.update('apo_default', { groupBy: ['team'], ...TIMELINE_TIMING });
  await service.inhibitions.add({
    name: 'source before target',
    sourceMatchers: [{ label: 'role', op: '=', value: 'source' }],
    targetMatchers: [{ label: 'role', op: '=', value: 'target' }],
    equal: ['team'],
  });
  const startMs = clock.now();
  for (const [atS, kind, alert, silencedUntilS] of events as readonly (readonly [number, string, string, number?])[]) {
    const atMs = startMs + atS * 1000;
    await passTime(database.current, notifications, atMs);
    if (kind === 'silence') {
      await service.silences.add({
        matchers: [{ label: 'alertname', op: '=', value: alert }],
        endsAt: new Date(startMs + silencedUntilS! * 1000).toISOString(),
        comment: 'known',
      });
    } else {
      const to = kind === 'fire' ? 'firing' : 'normal';
      await writeChange(database.current, { alert, to, labels: labelsOf(alert), atMs });
      await service.runOnce();
    }
  }
  await passTime(database.current, notifications, startMs + untilS * 1000);

  const names = ({ alerts }: Told, status: string) =>
    alerts
      .filter((one) => one.status === status)
      .map((one) => one.name)
      .sort()
      .join(' ');
  const told = receiver.received.map(({ body }) => body.data as Told);
  expect(
    told.map((one) => [(Date.parse(one.at) - startMs) / 1000, names(one, 'firing'), names(one, 'resolved')]),
  ).toEqual(expected);
});
