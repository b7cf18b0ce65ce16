const BYTES = 256;

/**
 * Tells which of many keywords a text holds, whatever their case, in one pass over it: the automaton of Aho and
 * Corasick ("Efficient string matching", 1975), with all its failure links followed beforehand.
 */
export class KeywordScanner {
  /** The row of the next state, for the row of a state and a character class; its complement where a keyword ends. */
  readonly #next: Int32Array;
  /** The class of a character; 0 for those in no keyword. */
  readonly #classes = new Uint8Array(BYTES);
  readonly #width: number;
  /** For each state the numbers of the keywords that end there; empty for most. */
  readonly #found: readonly (readonly number[])[];

  /** @param keywords of ASCII, at most some thousand characters together */
  constructor(keywords: readonly string[]) {
    const lower = keywords.map((keyword) => keyword.toLowerCase());
    const characters = [...new Set(lower.join(''))];
    for (const [index, character] of characters.entries()) {
      this.#classes[character.charCodeAt(0)] = index + 1;
      this.#classes[character.toUpperCase().charCodeAt(0)] = index + 1;
    }
    this.#width = characters.length + 1;
    const trie = this.#buildTrie(lower);
    this.#found = trie.found;
    this.#next = this.#followFailures(trie).map((state) =>
      this.#found[state]!.length > 0 ? ~(state * this.#width) : state * this.#width,
    );
  }

  /**
   * The numbers of the keywords in a text, or null for none, which is what most texts have. Of characters outside
   * ASCII only the lower byte counts, so that rarely one is named that is not there.
   * @param bytes those of the text (`lowBytes`)
   */
  scan(bytes: Uint8Array, length: number): Set<number> | null {
    let hits: Set<number> | null = null;
    const next = this.#next;
    const classes = this.#classes;
    let row = 0;
    for (let at = 0; at < length; at++) {
      row = next[row + classes[bytes[at]!]!]!;
      if (row >= 0) continue;
      row = ~row;
      hits ??= new Set();
      for (const keyword of this.#found[row / this.#width]!) hits.add(keyword);
    }
    return hits;
  }

  #buildTrie(keywords: readonly string[]) {
    const children: Map<number, number>[] = [new Map()];
    const found: number[][] = [[]];
    for (const [number, keyword] of keywords.entries()) {
      let state = 0;
      for (let at = 0; at < keyword.length; at++) {
        const kind = this.#classes[keyword.charCodeAt(at)]!;
        let child = children[state]!.get(kind);
        if (child === undefined) {
          child = children.push(new Map()) - 1;
          found.push([]);
          children[state]!.set(kind, child);
        }
        state = child;
      }
      found[state]!.push(number);
    }
    return { children, found };
  }

  /** Breadth first, so that a state's failure link, which is shorter, is complete before it. */
  #followFailures({ children, found }: { children: Map<number, number>[]; found: number[][] }): Int32Array {
    const next = new Int32Array(children.length * this.#width);
    const queue: { state: number; failure: number }[] = [];
    for (const [kind, child] of children[0]!) {
      next[kind] = child;
      queue.push({ state: child, failure: 0 });
    }
    for (const { state, failure } of queue) {
      found[state]!.push(...found[failure]!);
      for (let kind = 0; kind < this.#width; kind++) {
        const child = children[state]!.get(kind);
        const instead = next[failure * this.#width + kind]!;
        next[state * this.#width + kind] = child ?? instead;
        if (child !== undefined) queue.push({ state: child, failure: instead });
      }
    }
    return next;
  }
}
