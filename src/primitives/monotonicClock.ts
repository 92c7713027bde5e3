/** Elapsed time read from a wall clock: it stands still where the clock is set back, instead of going back too. */
export class MonotonicClock {
  #last: number | undefined;
  #elapsed = 0;

  /** Milliseconds since the first call, given what the clock says now. */
  at(now: number): number {
    if (this.#last !== undefined && now > this.#last) this.#elapsed += now - this.#last;
    this.#last = now;
    return this.#elapsed;
  }
}
