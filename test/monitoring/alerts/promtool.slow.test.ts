import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { MINUTE, replay } from './support/timeline.ts';

const installed = spawnSync('promtool', ['--version']).status === 0;

const RULES = [
  { name: 'plain', forMinutes: 0, keepMinutes: 0 },
  { name: 'waiting', forMinutes: 3, keepMinutes: 0 },
  { name: 'keeping', forMinutes: 0, keepMinutes: 4 },
  { name: 'both', forMinutes: 2, keepMinutes: 3 },
];
const MINUTES = 60;

/** A series that tends to stay what it is, or is gone. */
const series = fc
  .array(fc.record({ word: fc.constantFrom('5', '11', '_'), times: fc.integer({ min: 1, max: 5 }) }), {
    minLength: MINUTES,
    maxLength: MINUTES,
  })
  .map((runs) => runs.flatMap(({ word, times }) => Array<string>(times).fill(word)).slice(0, MINUTES));

/** promtool plays the same timelines through the rules of Prometheus itself and compares every minute. */
test.skipIf(!installed)('firing and pending at every minute are what Prometheus makes of the same timelines', () => {
  const timelines = fc.sample(series, { numRuns: 60, seed: 20_261 });
  const states = RULES.map(({ forMinutes, keepMinutes }) =>
    timelines.map(
      (words) => replay({ forMs: forMinutes * MINUTE, keepFiringForMs: keepMinutes * MINUTE }, words.join(' ')).states,
    ),
  );
  // Else the comparison would be of nothing.
  for (const letter of 'nPFR') expect(states.flat().some((text) => text.includes(letter))).toBe(true);

  const folder = mkdtempSync(join(tmpdir(), 'promtool-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(ruleFile()));
  writeFileSync(join(folder, 'tests.json'), JSON.stringify(testFile(timelines, states)));
  // YAML 1.2 takes JSON. promtool fails when one alert is more, less or other than expected.
  expect(execFileSync('promtool', ['test', 'rules', 'tests.json'], { cwd: folder }).toString()).toContain('SUCCESS');

  // And it does fail: with one letter wrong.
  const wrong = states.map((texts) => [...texts]);
  wrong[0]![0] = wrong[0]![0]!.replace(/[nF]/, (letter) => (letter === 'n' ? 'F' : 'n'));
  writeFileSync(join(folder, 'tests.json'), JSON.stringify(testFile(timelines, wrong)));
  expect(spawnSync('promtool', ['test', 'rules', 'tests.json'], { cwd: folder }).status).not.toBe(0);
});

function ruleFile() {
  const rules = RULES.map(({ name, forMinutes, keepMinutes }) => ({
    alert: name,
    expr: 'measured > 10',
    for: `${forMinutes}m`,
    keep_firing_for: `${keepMinutes}m`,
  }));
  return { groups: [{ name: 'all', interval: '1m', rules }] };
}

function testFile(timelines: readonly string[][], states: readonly (readonly string[])[]) {
  const at = (rule: number, minute: number, letters: string) =>
    timelines.flatMap((_, series) => (letters.includes(states[rule]![series]![minute]!) ? [`s${series}`] : []));
  const minutes = Array.from({ length: MINUTES }, (_, minute) => minute);
  return {
    rule_files: ['rules.json'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: timelines.map((words, series) => ({
          series: `measured{series="s${series}"}`,
          values: words.map((word) => (word === '_' ? 'stale' : word)).join(' '),
        })),
        alert_rule_test: RULES.flatMap(({ name }, rule) =>
          minutes.map((minute) => ({
            eval_time: `${minute}m`,
            alertname: name,
            exp_alerts: at(rule, minute, 'FR').map((series) => ({ exp_labels: { series } })),
          })),
        ),
        promql_expr_test: RULES.flatMap(({ name }, rule) =>
          minutes.map((minute) => ({
            expr: `ALERTS{alertname="${name}",alertstate="pending"}`,
            eval_time: `${minute}m`,
            exp_samples: at(rule, minute, 'P').map((series) => ({
              labels: `ALERTS{alertname="${name}",alertstate="pending",series="${series}"}`,
              value: 1,
            })),
          })),
        ),
      },
    ],
  };
}
