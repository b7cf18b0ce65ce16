import fc from 'fast-check';
import parse from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/performance/histogram.ts';
import { counter, gauge, histogram, histogramSample } from '../../src/telemetry/families.ts';
import { negotiate } from '../../src/telemetry/negotiate.ts';
import { writeProtobuf } from '../../src/telemetry/protobufFormat.ts';
import { writeText } from '../../src/telemetry/textFormat.ts';
import { decodeFamilies, nativeCounts } from './support/metricFamilies.ts';

const seconds = fc.double({ min: 0, max: 1e6, noNaN: true });

function record(values: readonly number[]) {
  const all = new Histogram();
  for (const value of values) all.record(value);
  return histogramSample({ platform: 'x' }, all);
}

describe('text', () => {
  it('is what a parser reads, whatever is in labels and help', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (text, value) => {
          const written = writeText([gauge('some_gauge', 'Help.', [{ labels: { text }, value }])], 'text');
          const escaped = /^some_gauge\{text="((?:[^"\\\n]|\\["\\n])*)"\} (\S+)$/m.exec(written)!;
          const meaning = { n: '\n', '"': '"', '\\': '\\' } as Record<string, string>;
          expect(escaped[1]!.replace(/\\(.)/g, (_, letter: string) => meaning[letter]!)).toBe(text);
          // Zero has no sign there.
          expect(Number(escaped[2]) === value).toBe(true);
        },
      ),
    );
    const families = [
      counter('calls_total', 'Calls.', [{ labels: { to: 'a "b" \\ c' }, value: 3 }]),
      histogram('took_seconds', 'Time.', [record([0.003, 0.2, 900])]),
    ];
    const [calls, took] = parse(writeText(families, 'text'));
    expect(calls!.metrics[0]!.labels).toEqual({ to: 'a "b" \\ c' });
    expect(calls).toMatchObject({ name: 'calls_total', type: 'COUNTER', metrics: [{ value: '3' }] });
    expect(took).toMatchObject({
      name: 'took_seconds',
      type: 'HISTOGRAM',
      metrics: [{ buckets: { '0.00390625': '1', '0.25': '2', '256': '2', '+Inf': '3' } }],
    });
  });

  it('names a counter of OpenMetrics without its suffix, and ends', () => {
    expect(writeText([counter('calls_total', 'Calls.', 2)], 'openmetrics')).toBe(
      '# HELP calls Calls.\n# TYPE calls counter\ncalls_total 2\n# EOF\n',
    );
    expect(writeText([histogram('t_seconds', 'T.', [record([1])])], 'openmetrics')).toContain('le="1.0"} 1\n');
  });

  it('counts classic buckets exactly, at their bounds too', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            seconds,
            fc.integer({ min: -10, max: 10 }).map((e) => 2 ** e),
          ),
        ),
        (values) => {
          for (const [bound, seen] of record(values).buckets) {
            expect(seen).toBe(values.filter((value) => value <= bound).length);
          }
        },
      ),
    );
  });
});

describe('protobuf', () => {
  it('holds native histograms whose buckets are those of the values', () => {
    fc.assert(
      fc.property(fc.array(seconds, { maxLength: 200 }), (values) => {
        const [family] = decodeFamilies(writeProtobuf([histogram('t_seconds', 'T.', [record(values)])]));
        const { histogram: found, label } = family!.metric[0]!;
        expect(label).toEqual([{ name: 'platform', value: 'x' }]);
        expect(found!.schema).toBe(5);
        expect(found!.sampleCount).toBe(values.length);
        expect(found!.sampleSum).toBeCloseTo(
          values.reduce((a, b) => a + b, 0),
          3,
        );
        const above = values.filter((value) => value > found!.zeroThreshold);
        expect(found!.zeroCount).toBe(values.length - above.length);
        const counts = nativeCounts(found!);
        expect([...counts.values()].reduce((a, b) => a + b, 0)).toBe(above.length);
        for (const [upper, count] of counts) {
          const lower = upper / 2 ** (1 / 32);
          // Bounds are irrational: a value within an ulp of one may be on either side of what is computed here.
          const surely = above.filter((v) => v > lower * (1 + 1e-12) && v < upper * (1 - 1e-12)).length;
          const perhaps = above.filter((v) => v > lower * (1 - 1e-12) && v < upper * (1 + 1e-12)).length;
          expect(count).toBeGreaterThanOrEqual(surely);
          expect(count).toBeLessThanOrEqual(perhaps);
        }
      }),
    );
  });

  it('gives the quantiles that were recorded', () => {
    const values = Array.from({ length: 5_000 }, (_, index) => 0.001 * 1.002 ** index).filter((value) => value < 1e5);
    const [family] = decodeFamilies(writeProtobuf([histogram('t_seconds', 'T.', [record(values)])]));
    const counts = [...nativeCounts(family!.metric[0]!.histogram!)];
    for (const q of [0.1, 0.5, 0.9, 0.99]) {
      let rank = Math.ceil(q * values.length);
      const [upper] = counts.find(([, count]) => {
        rank -= count;
        return rank <= 0;
      })!;
      const truth = values[Math.ceil(q * values.length) - 1]!;
      expect(truth).toBeLessThanOrEqual(upper * (1 + 1e-12));
      expect(truth).toBeGreaterThan((upper / 2 ** (1 / 32)) * (1 - 1e-12));
    }
  });

  it('keeps counters and gauges', () => {
    const families = [counter('a_total', 'A.', 3), gauge('b', 'B.', [{ labels: { x: 'y' }, value: -1.5 }])];
    expect(decodeFamilies(writeProtobuf(families))).toMatchObject([
      { name: 'a_total', help: 'A.', type: 'COUNTER', metric: [{ counter: { value: 3 } }] },
      { name: 'b', type: 'GAUGE', metric: [{ label: [{ name: 'x', value: 'y' }], gauge: { value: -1.5 } }] },
    ]);
  });
});

describe('negotiation', () => {
  const delimited = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
  it.each([
    [undefined, 'text'],
    ['*/*', 'text'],
    ['application/json', 'text'],
    ['text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0', 'openmetrics'],
    [`${delimited},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5,*/*;q=0.1`, 'protobuf'],
    [`${delimited};q=0.2,text/plain;q=0.5`, 'text'],
    ['application/vnd.google.protobuf;encoding=text', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
  ])('%s: %s', (accept, format) => expect(negotiate(accept)).toBe(format));
});
