import type { StreamPage } from '../../../src/connectors/types.ts';
import type { StreamReader } from '../../../src/sync/reader.ts';

/** What one read of a stream gives. */
export interface ScriptedRead {
  readonly kind: 'full' | 'incremental';
  readonly pages: readonly StreamPage['records'][];
}

/** Where a page is: the read by its number, and the next page of it; null pages: at its end. */
type ScriptState = { readonly read: number; readonly next: number | null };

/**
 * A reader that plays reads from a list, one after the other, for properties that need thousands of pages. It
 * keeps the contract of connectors/: a state names where the next page is, and a read that was begun is gone on
 * with. `reads` may grow.
 */
export function scriptedReader(reads: readonly ScriptedRead[], beforePage?: () => Promise<void>): StreamReader {
  const at = (state: ScriptState | null) =>
    state === null ? { read: 0, page: 0 } : { read: state.read + (state.next === null ? 1 : 0), page: state.next ?? 0 };
  return {
    planRead(_source, _stream, state) {
      const { read, page } = at(state as ScriptState | null);
      return { kind: reads[read]!.kind, resumes: page > 0 };
    },
    async *readStream(_session, { state, signal }) {
      const { read, page } = at(state as ScriptState | null);
      const { pages } = reads[read]!;
      for (let index = page; index < pages.length; index++) {
        await beforePage?.();
        signal.throwIfAborted();
        const last = index === pages.length - 1;
        const next: ScriptState = { read, next: last ? null : index + 1 };
        yield { records: pages[index]!, state: next as never, last };
      }
    },
  };
}
