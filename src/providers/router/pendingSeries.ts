import type { SeriesTime } from './seriesTimes.js';

/** A series that a running stream was asked for without being told up to when it is known. */
export interface PendingOne {
  readonly entry: SeriesTime;
  /** From when it is missing, in epoch milliseconds. */
  readonly from: number;
}

/** The series of a provider that are missing until something shows that they come: a record, or an answer of the vendor. */
export class PendingSeries {
  readonly #all = new Map<string, PendingOne>();
  /** Since when there are any, or when it was last seen that there are. `Infinity` while there are none. */
  since = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#all.size;
  }

  add(entry: SeriesTime, now: number): void {
    if (this.size === 0) this.since = now;
    const { of, symbol } = entry.series;
    this.#all.set(keyOf(of, symbol), { entry, from: entry.knownUntil });
  }

  /** Takes one out. */
  take(of: string, symbol: string): PendingOne | undefined {
    const key = keyOf(of, symbol);
    const one = this.#all.get(key);
    if (one) this.#all.delete(key);
    if (this.size === 0) this.since = Number.POSITIVE_INFINITY;
    return one;
  }

  takeAll(): readonly PendingOne[] {
    const all = [...this.#all.values()];
    this.clear();
    return all;
  }

  clear(): void {
    this.#all.clear();
    this.since = Number.POSITIVE_INFINITY;
  }
}

function keyOf(of: string, symbol: string): string {
  return `${of}\u0000${symbol}`;
}
