/** Distinct admission times one log keeps before it coarsens them; also the largest limit that is always exact. */
const MAX_RUNS = 2_048;

/**
 * The exact log of what was admitted in the last `windowMs`: in no window `(t - windowMs, t]` is more counted
 * than was admitted, nor less.
 *
 * Memory is bounded: admissions of one millisecond share a run, and when the runs pass 2,048, neighbours are merged
 * by rounding their times *up* to a coarser grain. A time rounded up leaves the window later, never earlier,
 * so the log may then count too many (by at most one grain) but never too few: no limit is ever passed.
 *
 * Times come from the caller, in milliseconds. When they go back, what was admitted later than now counts as admitted
 * now, so that it stays a whole window from here on.
 */
export class SlidingWindow {
  readonly windowMs: number;
  /** Sorted runs: `#counts[i]` admissions count as made at `#timesMs[i]`; those before `#first` have left. */
  #timesMs: number[] = [];
  #counts: number[] = [];
  #first = 0;
  #total = 0;
  #grainMs = 1;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** Admissions in the window that ends now. */
  count(nowMs: number): number {
    this.#expire(nowMs);
    return this.#total;
  }

  record(nowMs: number, cost = 1): void {
    this.#expire(nowMs);
    this.#append(Math.ceil(nowMs / this.#grainMs) * this.#grainMs, cost);
    this.#total += cost;
    if (this.#timesMs.length - this.#first > MAX_RUNS) this.#coarsen();
  }

  /**
   * Milliseconds until `position` more calls (1: the next one) fit under `limit`, if nobody else takes any.
   * 0 when they fit now.
   */
  waitMs(nowMs: number, limit: number, position = 1): number {
    if (!(limit >= 1)) return Number.POSITIVE_INFINITY;
    this.#expire(nowMs);
    // Every further `limit` calls in line need a window of their own.
    const wholeWindows = Math.floor((position - 1) / limit);
    let toLeave = this.#total + ((position - 1) % limit) + 1 - limit;
    if (toLeave <= 0) return wholeWindows * this.windowMs;
    for (let index = this.#first; index < this.#timesMs.length; index++) {
      toLeave -= this.#counts[index]!;
      if (toLeave <= 0) return this.#timesMs[index]! + (1 + wholeWindows) * this.windowMs - nowMs;
    }
    return (1 + wholeWindows) * this.windowMs;
  }

  /** Milliseconds until everything admitted so far has left the window; 0 when it is empty. */
  emptyInMs(nowMs: number): number {
    this.#expire(nowMs);
    return this.#total === 0 ? 0 : this.#timesMs.at(-1)! + this.windowMs - nowMs;
  }

  /** Takes over what another log knows, so that a window added later does not start with a clean slate. */
  seedFrom(other: SlidingWindow, nowMs: number): void {
    // What was rounded up past this moment was made by now, which is closer.
    this.#timesMs = other.#timesMs.slice(other.#first).map((timeMs) => Math.min(timeMs, Math.ceil(nowMs)));
    this.#counts = other.#counts.slice(other.#first);
    this.#first = 0;
    this.#total = other.#total;
    this.#grainMs = 1;
  }

  #append(timeMs: number, count: number): void {
    const last = this.#timesMs.length - 1;
    if (last >= this.#first && this.#timesMs[last]! >= timeMs) this.#counts[last]! += count;
    else {
      this.#timesMs.push(timeMs);
      this.#counts.push(count);
    }
  }

  #expire(nowMs: number): void {
    if (this.#timesMs.length > 0 && this.#timesMs.at(-1)! >= nowMs + 1 + this.#grainMs) this.#comeBackTo(nowMs);
    while (this.#first < this.#timesMs.length && this.#timesMs[this.#first]! + this.windowMs <= nowMs) {
      this.#total -= this.#counts[this.#first]!;
      this.#first += 1;
    }
    if (this.#first === this.#timesMs.length) {
      this.#timesMs = [];
      this.#counts = [];
      this.#first = 0;
      this.#grainMs = 1;
    } else if (this.#first > 1_024 && this.#first * 2 > this.#timesMs.length) this.#compact();
  }

  #comeBackTo(nowMs: number): void {
    for (let index = this.#timesMs.length - 1; index >= this.#first && this.#timesMs[index]! > nowMs; index--) {
      this.#timesMs[index] = Math.ceil(nowMs);
    }
  }

  #compact(): void {
    this.#timesMs = this.#timesMs.slice(this.#first);
    this.#counts = this.#counts.slice(this.#first);
    this.#first = 0;
  }

  #coarsen(): void {
    this.#compact();
    while (this.#timesMs.length > MAX_RUNS / 2) {
      this.#grainMs *= 2;
      const [timesMs, counts] = [this.#timesMs, this.#counts];
      this.#timesMs = [];
      this.#counts = [];
      for (const [index, timeMs] of timesMs.entries()) {
        this.#append(Math.ceil(timeMs / this.#grainMs) * this.#grainMs, counts[index]!);
      }
    }
  }
}
