import { DDSketch } from '@datadog/sketches-js';
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { Histogram } from '../src/performance/histogram.ts';
import { encodeHistogram } from '../src/performance/histogramBytes.ts';
import { seededNormal } from '../test/performance/support/syntheticSeries.ts';

const VALUES = 1 << 16;
const INSERTS = 4_000_000;
const ROUNDS = 5;
const TYPICAL_MINUTE = 10_000;

/** CPU per insert and bytes per minute of log-normal latencies, beside the usual libraries. Targets: ≤ 40 ns, ≤ 1 KB. */
export async function run(): Promise<void> {
  const normal = seededNormal(9);
  const values = Float64Array.from({ length: VALUES }, () => 80 * Math.exp(0.6 * normal()));
  const contenders = {
    ours: () => {
      const histogram = new Histogram();
      return { add: (value: number) => histogram.record(value), sizeBytes: () => encodeHistogram(histogram).length };
    },
    'loop alone': () => {
      let sum = 0;
      const add = (value: number) => {
        sum += value;
      };
      return { add, sizeBytes: () => (Number.isNaN(sum) ? 1 : 0) };
    },
    '@datadog/sketches-js': () => {
      const sketch = new DDSketch({ relativeAccuracy: 0.0108 });
      return { add: (value: number) => sketch.accept(value), sizeBytes: () => sketch.toProto().length };
    },
    'hdr-histogram-js': () => {
      const histogram = build({ numberOfSignificantValueDigits: 2 });
      return {
        add: (value: number) => histogram.recordValue(Math.round(value * 1_000)),
        sizeBytes: () => Buffer.from(encodeIntoCompressedBase64(histogram), 'base64').length,
      };
    },
  };
  const best: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, make] of Object.entries(contenders)) {
      const { add } = make();
      const started = process.cpuUsage();
      for (let at = 0; at < INSERTS; at++) add(values[at & (VALUES - 1)]!);
      const { user, system } = process.cpuUsage(started);
      best[name] = Math.min(best[name] ?? Number.POSITIVE_INFINITY, ((user + system) / INSERTS) * 1_000);
    }
  const rows = Object.entries(contenders).map(([name, make]) => {
    const { add, sizeBytes } = make();
    for (let at = 0; at < TYPICAL_MINUTE; at++) add(values[at]!);
    return { name, 'ns of CPU an insert': Number(best[name]!.toFixed(1)), 'bytes of 10,000 values': sizeBytes() };
  });
  console.table(rows);
}
