import { laterCursor, notAfter, timeCursor } from './cursor.ts';
import type { Stream } from './format/stream.ts';
import type { ReadPage } from './pageReader.ts';
import { MAX_PARENT_CURSORS, type ReadProgress, type StreamState } from './streamState.ts';

/**
 * What a read comes to: the cursors that the next run starts from, of the stream or of each of its parents.
 *
 * A record can change after its page was read, and then does not come again. Its new cursor is above all that the
 * API had when reading began, but not above what later pages may hold. So the next run does not start from the
 * highest cursor that came but from the ceiling, if that is lower: the time at which the first page was asked for, or
 * where cursors are no times the highest one on that page. In ascending order such a record does come again, at the
 * end; there only the time at which a page was asked for is a ceiling, against records dated in the future.
 */
export class CursorProgress {
  readonly #stream: Stream;
  readonly #before: StreamState;
  #parentKey: string | null;
  #high: string | undefined;
  #ceiling: string | undefined;
  /** Never changed in place: the states that were given out hold it. */
  #done: NonNullable<ReadProgress['done']>;

  /** @param state that the read starts from or goes on with */
  constructor(stream: Stream, state: StreamState) {
    const { read } = state;
    this.#stream = stream;
    this.#before = state;
    this.#parentKey = read?.position.parent?.key ?? null;
    this.#high = read?.high;
    this.#ceiling = read?.ceiling;
    this.#done = read?.done ?? [];
  }

  take({ parentKey, parentDone, cursors, askedAtMs }: ReadPage): void {
    const { incremental } = this.#stream;
    if (incremental === undefined) return;
    const { format, order } = incremental;
    // The parent that an earlier read stopped in may be gone; what it had come to says nothing about another.
    if (parentKey !== this.#parentKey) this.#forget();
    this.#parentKey = parentKey;
    const highest = cursors.reduce<string | undefined>((high, cursor) => laterCursor(format, high, cursor), undefined);
    this.#high = laterCursor(format, this.#high, highest);
    if (order === 'ascending') this.#ceiling = timeCursor(format, askedAtMs);
    else this.#ceiling ??= timeCursor(format, askedAtMs) ?? highest;
    if (parentKey === null || !parentDone) return;
    const reached = laterCursor(format, own(this.#before.cursors, parentKey), this.#reached);
    if (reached !== undefined && this.#done.length < MAX_PARENT_CURSORS)
      this.#done = [...this.#done, [parentKey, reached]];
    this.#forget();
  }

  /** What a state in the middle of the read holds of it. */
  underWay(): Pick<ReadProgress, 'high' | 'ceiling' | 'done'> {
    return { high: this.#high, ceiling: this.#ceiling, done: this.#stream.parent && this.#done };
  }

  /** The state after the last page: where the next run starts. */
  finished(): StreamState {
    const { v, identity, cursor, cursors = {} } = this.#before;
    const { incremental, parent } = this.#stream;
    if (incremental === undefined) return { v, identity };
    if (parent === undefined) return { v, identity, cursor: laterCursor(incremental.format, cursor, this.#reached) };
    // Parents that did not come keep theirs while there is room.
    const done = new Map(this.#done);
    const others = Object.entries(cursors).filter(([key]) => !done.has(key));
    return { v, identity, cursors: Object.fromEntries([...done, ...others].slice(0, MAX_PARENT_CURSORS)) };
  }

  get #reached(): string | undefined {
    return notAfter(this.#stream.incremental!.format, this.#high, this.#ceiling);
  }

  #forget(): void {
    this.#high = undefined;
    this.#ceiling = undefined;
  }
}

/** The cursor of a parent. Keys come from the provider, and may be names that every object knows. */
export function own(cursors: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return cursors !== undefined && Object.hasOwn(cursors, key) ? cursors[key] : undefined;
}
