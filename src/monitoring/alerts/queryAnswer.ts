import { type CompiledRule, passes, seriesKey } from './compiledRule.ts';
import type { Comparison, MetricSample } from './types.ts';

/** From so many rules on, sorting what they compare is cheaper than that each looks at all of it. */
const RULES_WORTH_SORTING = 8;

/**
 * What one query answered, laid out so that thousands of rules can each find their series in it: those beyond a
 * threshold without looking at the others, one by its labels, and those of one integration.
 */
export class QueryAnswer {
  readonly samples: readonly MetricSample[];
  readonly #groupBy: readonly string[];
  readonly #sortWorthwhile: boolean;
  /** NaN where nothing was measured. */
  readonly #values: Float64Array;
  readonly #byLabel = new Map<string, Map<string, number[]>>();
  #rows: Map<string, number> | undefined;
  #keys: string[] | undefined;
  /** Rows that have a value, by rising value. */
  #order: Uint32Array | undefined;

  constructor(samples: readonly MetricSample[], groupBy: readonly string[], rules: number) {
    this.samples = samples;
    this.#groupBy = groupBy;
    this.#sortWorthwhile = rules >= RULES_WORTH_SORTING;
    this.#values = Float64Array.from(samples, ({ value }) => value ?? Number.NaN);
  }

  keyOf(row: number): string {
    this.#keys ??= this.samples.map(({ labels }) => seriesKey(labels, this.#groupBy));
    return this.#keys[row]!;
  }

  rowOf(key: string): number | undefined {
    this.#rows ??= new Map(this.samples.map((_, row) => [this.keyOf(row), row]));
    return this.#rows.get(key);
  }

  /** Of all samples, those that the rule is about. */
  rowsOf({ match, pinned }: CompiledRule): readonly number[] {
    const [label] = Object.keys(pinned);
    const rows = label === undefined ? [...this.samples.keys()] : this.#rowsWith(label, pinned[label]!);
    return rows.filter((row) => passes(this.samples[row]!.labels, match));
  }

  /** Of those that the rule is about, the ones that breach its threshold. */
  breachingRows(compiled: CompiledRule): Iterable<number> {
    const { rule, match, pinned } = compiled;
    const breaches = comparing(rule.op, rule.threshold);
    if (Object.keys(pinned).length > 0 || !this.#sortWorthwhile) {
      const rows = match.length === 0 ? this.samples.keys() : this.rowsOf(compiled);
      return [...rows].filter((row) => breaches(this.#values[row]!));
    }
    const beyond = this.#beyond(rule.op, rule.threshold);
    return match.length === 0 ? beyond : beyond.filter((row) => passes(this.samples[row]!.labels, match));
  }

  #rowsWith(label: string, value: string): readonly number[] {
    let index = this.#byLabel.get(label);
    if (index === undefined) {
      index = new Map();
      for (const [row, { labels }] of this.samples.entries()) {
        const rows = index.get(labels[label] ?? '');
        if (rows === undefined) index.set(labels[label] ?? '', [row]);
        else rows.push(row);
      }
      this.#byLabel.set(label, index);
    }
    return index.get(value) ?? [];
  }

  #beyond(op: Comparison, threshold: number): Uint32Array {
    const values = this.#values;
    this.#order ??= Uint32Array.from([...values.keys()].filter((row) => !Number.isNaN(values[row]))).sort(
      (a, b) => values[a]! - values[b]! || 0,
    );
    const order = this.#order;
    const upwards = op === '>' || op === '>=';
    const breaches = comparing(op, threshold);
    // The first position whose value breaches (upwards), or no longer does (downwards).
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (breaches(values[order[middle]!]!) === upwards) high = middle;
      else low = middle + 1;
    }
    return upwards ? order.subarray(low) : order.subarray(0, low);
  }
}

function comparing(op: Comparison, threshold: number): (value: number) => boolean {
  switch (op) {
    case '>':
      return (value) => value > threshold;
    case '>=':
      return (value) => value >= threshold;
    case '<':
      return (value) => value < threshold;
    case '<=':
      return (value) => value <= threshold;
  }
}
