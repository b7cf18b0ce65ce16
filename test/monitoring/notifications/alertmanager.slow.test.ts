import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { labelsOf, TIMELINE_TIMING, TIMELINES } from './timelines.ts';

// The same timelines, thirty times as fast, with the real Alertmanager where the machine has one.

const SPEED = 30;
const PROGRAM = ['prometheus-alertmanager', 'alertmanager'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0,
);

interface Told {
  readonly atMs: number;
  readonly groupLabels: { readonly timeline: string };
  readonly alerts: readonly { readonly status: string; readonly labels: { readonly alertname: string } }[];
}

it.skipIf(PROGRAM === undefined)(
  'Alertmanager sends for every timeline what the tests expect of the group machine',
  async () => {
    const told: Told[] = [];
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        told.push({ ...(JSON.parse(body) as Told), atMs: Date.now() });
        response.end();
      });
    });
    const receiverPort = await listen(receiver);
    const url = await startAlertmanager(`http://127.0.0.1:${receiverPort}/`);
    const startMs = Date.now() + 500;
    await Promise.all(TIMELINES.map((timeline, index) => play(url, timeline, String(index), startMs)));

    const byTimeline = TIMELINES.map(({ name, untilS }, index) => ({
      name,
      told: told
        // It goes on for as long as the longest of them.
        .filter(
          ({ groupLabels, atMs }) =>
            groupLabels.timeline === String(index) && atMs <= startMs + (untilS * 1000) / SPEED,
        )
        .map(({ alerts }) => [namesOf(alerts, 'firing'), namesOf(alerts, 'resolved')]),
    }));
    expect(byTimeline).toEqual(
      TIMELINES.map(({ name, expected }) => ({
        name,
        told: expected.map(([, firing, resolved]) => [firing, resolved]),
      })),
    );
  },
  300_000,
);

async function play(url: string, timeline: (typeof TIMELINES)[number], name: string, startMs: number): Promise<void> {
  const began = new Map<string, string>();
  const until = (atS: number) => delay(Math.max(0, startMs + (atS * 1000) / SPEED - Date.now()));
  for (const [atS, kind, alert, untilS] of timeline.events as readonly (readonly [number, string, string, number?])[]) {
    await until(atS);
    const nowIso = new Date().toISOString();
    if (kind === 'silence') {
      await post(`${url}/api/v2/silences`, {
        matchers: [
          { name: 'alertname', value: alert, isRegex: false, isEqual: true },
          { name: 'timeline', value: name, isRegex: false, isEqual: true },
        ],
        startsAt: nowIso,
        endsAt: new Date(startMs + (untilS! * 1000) / SPEED).toISOString(),
        createdBy: 'test',
        comment: 'test',
      });
    } else {
      if (kind === 'fire') began.set(alert, nowIso);
      const endsAt = kind === 'fire' ? new Date(Date.now() + 3_600_000).toISOString() : nowIso;
      const labels = { ...labelsOf(alert), timeline: name };
      await post(`${url}/api/v2/alerts`, [{ labels, startsAt: began.get(alert), endsAt }]);
    }
  }
  await until(timeline.untilS);
}

async function startAlertmanager(receiverUrl: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'is-alertmanager-'));
  const ms = (value: number) => `${Math.round(value / SPEED)}ms`;
  writeFileSync(
    join(folder, 'config.yml'),
    `route:
  receiver: test
  group_by: [timeline]
  group_wait: ${ms(TIMELINE_TIMING.groupWaitMs)}
  group_interval: ${ms(TIMELINE_TIMING.groupIntervalMs)}
  repeat_interval: ${ms(TIMELINE_TIMING.repeatIntervalMs)}
receivers:
  - name: test
    webhook_configs: [{ url: '${receiverUrl}', send_resolved: true }]
inhibit_rules:
  - source_matchers: [role="source"]
    target_matchers: [role="target"]
    equal: [team, timeline]
`,
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    PROGRAM!,
    [
      `--config.file=${join(folder, 'config.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually('Alertmanager', async () => (await fetch(`${url}/-/ready`).catch(() => null))?.ok);
  return url;
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function post(url: string, body: unknown): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
}

function namesOf(alerts: Told['alerts'], status: string): string {
  return alerts
    .filter((alert) => alert.status === status)
    .map((alert) => alert.labels.alertname)
    .sort()
    .join(' ');
}
