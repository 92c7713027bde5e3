import { TickNumbers } from './tickNumbers.js';

/** Numbers of a series that no session has used for so long are forgotten: no tick of a second that old comes any more. */
export const FORGET_MS = 120_000;

interface Remembered {
  readonly numbers: TickNumbers;
  /** The session that uses them; `undefined` once it was refused the series. */
  owner: object | undefined;
  usedAt: number;
}

/**
 * The numbers of the ticks of one stream, which go on when a connection follows another: TWS does not repeat ticks, so those that come
 * after a reconnect are others, also within the same second.
 *
 * Memory: the series of the present session, and those that were used within {@link FORGET_MS}.
 */
export class TickMemory {
  readonly #bySeries = new Map<string, Remembered>();

  /** How many series are remembered. */
  get size(): number {
    return this.#bySeries.size;
  }

  /** Gives the numbers of a series to the session `owner`. */
  claim(key: string, owner: object, now: number): TickNumbers {
    const known = this.#bySeries.get(key);
    if (known) {
      known.owner = owner;
      known.usedAt = now;
      return known.numbers;
    }
    const numbers = new TickNumbers();
    this.#bySeries.set(key, { numbers, owner, usedAt: now });
    return numbers;
  }

  /** The series is refused, perhaps only for a while: its numbers are kept for as long as those of a former session. */
  release(key: string): void {
    const known = this.#bySeries.get(key);
    if (known) known.owner = undefined;
  }

  /** The series is no longer wanted. */
  forget(key: string): void {
    this.#bySeries.delete(key);
  }

  /** Time has come for the session `owner`: what only earlier sessions wanted is forgotten. */
  tidy(owner: object, now: number): void {
    for (const [key, one] of this.#bySeries) {
      if (one.owner === owner) one.usedAt = now;
      else if (now - one.usedAt > FORGET_MS) this.#bySeries.delete(key);
    }
  }
}
