/** Elapsed time by a wall clock. If the clock is set back, the elapsed time stands still rather than decreasing. */
export class MonotonicClock {
  #last: number | undefined;
  #elapsed = 0;

  /** The milliseconds since the first call; `now` is the current reading of the clock. */
  at(now: number): number {
    if (this.#last !== undefined && now > this.#last) this.#elapsed += now - this.#last;
    this.#last = now;
    return this.#elapsed;
  }
}
