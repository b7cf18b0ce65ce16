import type { HistogramParts } from '../performance/histogram.ts';

export interface NativeBuckets {
  /** `offset`: of the first, the index of its first bucket; of the others, the empty buckets before it. */
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
  /** The first count, then each one's difference to the one before. */
  readonly deltas: readonly number[];
}

/** Fewer empty buckets in a row than this are written: a new span costs as much. */
const GAP = 3;

/** Counts as a native histogram writes them. Prometheus counts buckets by their upper bound, so each index is one more. */
export function writeSpans({ firstIndex, counts }: HistogramParts): NativeBuckets {
  const spans: { offset: number; length: number }[] = [];
  const deltas: number[] = [];
  let before = 0;
  /** Where the last span ends. */
  let end = 0;
  for (let at = 0; at < counts.length; at++) {
    const count = counts[at]!;
    if (count === 0) continue;
    const index = firstIndex + at + 1;
    const span = spans.at(-1);
    if (span === undefined || index - end >= GAP) spans.push({ offset: index - end, length: 1 });
    else {
      for (let empty = end; empty < index; empty++) {
        deltas.push(-before);
        before = 0;
      }
      span.length += index - end + 1;
    }
    deltas.push(count - before);
    before = count;
    end = index + 1;
  }
  return { spans, deltas };
}
