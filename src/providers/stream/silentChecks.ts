/** How often a span of silence is checked. */
const CHECKS = 20;

/**
 * Whether something has been silent for a span of time. Checks are counted rather than time on the clock: a busy event loop, or a
 * machine that was asleep, is not taken for silence. It never tells too early, and at most a twentieth of the span late.
 */
export class SilentChecks {
  /** When to check next, in milliseconds: whole ones, because timers cut off the rest. */
  readonly everyMs: number;
  readonly #max: number;
  #silent = 0;

  constructor(spanMs: number) {
    this.everyMs = Math.max(1, Math.floor(spanMs / CHECKS));
    this.#max = Math.ceil(spanMs / this.everyMs);
  }

  reset(): void {
    this.#silent = 0;
  }

  /** Counts a check; true when all of the span was silent. */
  isOver(isSilent: boolean): boolean {
    this.#silent = isSilent ? this.#silent + 1 : 0;
    return this.#silent >= this.#max;
  }
}
