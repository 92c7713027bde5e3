/** How many seconds are remembered: ticks that come later than that are numbered from 0 again. */
const REMEMBERED = 64;

/**
 * Numbers ticks within their second. TWS gives ticks a time in whole seconds and no id: the n-th tick of a second has the number n,
 * live and in history, so that a second that is asked again gives the same ids.
 */
export class TickNumbers {
  readonly #seconds: unknown[] = [];
  readonly #counts: number[] = [];
  #at = 0;

  next(second: unknown): number {
    if (this.#seconds[this.#at] === second) return this.#count(this.#at);
    const known = this.#seconds.indexOf(second);
    if (known >= 0) return this.#count(known);
    this.#at = (this.#at + 1) % REMEMBERED;
    this.#seconds[this.#at] = second;
    this.#counts[this.#at] = 0;
    return 0;
  }

  #count(at: number): number {
    const number = this.#counts[at]! + 1;
    this.#counts[at] = number;
    return number;
  }
}
