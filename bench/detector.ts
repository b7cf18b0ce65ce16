import { createAnomalyDetector } from '../src/performance/anomaly/anomalyDetector.ts';
import { makeSeries, type SyntheticSeries } from '../test/performance/support/syntheticSeries.ts';

const SEEDS = 50;
const DAY_MS = 86_400_000;
const ALARM = 0.5;
const TIMED_POINTS = 300_000;

interface Tally {
  series: number;
  found: number;
  delays: number[];
  falseAlarms: number;
  quietDays: number;
}

/**
 * The anomaly detector on synthetic series of each kind, fifty of each: recall within the time that a kind allows, delay
 * in points, and false alarms a day before the onset; then what a point costs.
 */
export async function run(): Promise<void> {
  const tallies = new Map<string, Tally>();
  for (let seed = 1; seed <= SEEDS; seed++) for (const series of makeSeries(seed)) judge(series, tallies);
  const rows = [...tallies].map(([kind, tally]) => {
    const anomalous = tally.delays.length > 0 || !kind.startsWith('nothing');
    tally.delays.sort((a, b) => a - b);
    return {
      kind,
      recall: anomalous ? tally.found / tally.series : '',
      'median delay, points': tally.delays[Math.floor(tally.delays.length / 2)] ?? '',
      'false alarms a day': Number((tally.falseAlarms / tally.quietDays).toFixed(3)),
    };
  });
  console.table(rows);
  const { times, values } = makeSeries(1).find((one) => one.kind === 'nothing: season')!;
  const detect = createAnomalyDetector();
  const started = process.cpuUsage();
  for (let at = 0; at < TIMED_POINTS; at++) detect(times[0]! + at * 300_000, values[at % values.length]!);
  const { user, system } = process.cpuUsage(started);
  console.log(`${((user + system) / TIMED_POINTS).toFixed(2)} µs of CPU a point`);
}

function judge(series: SyntheticSeries, tallies: Map<string, Tally>): void {
  const tally = tallies.get(series.kind) ?? { series: 0, found: 0, delays: [], falseAlarms: 0, quietDays: 0 };
  tallies.set(series.kind, tally);
  const { times, values, onset, withinPoints } = series;
  const detect = createAnomalyDetector();
  const alarms = times.flatMap((time, at) => (detect(time, values[at]!) >= ALARM ? [at] : []));
  const quiet = onset ?? times.length;
  tally.series++;
  tally.falseAlarms += alarms.filter((at) => at < quiet).length;
  tally.quietDays += (times[quiet - 1]! - times[0]!) / DAY_MS;
  const first = onset === null ? undefined : alarms.find((at) => at >= onset && at < onset + withinPoints);
  if (first === undefined) return;
  tally.found++;
  tally.delays.push(first - onset!);
}
