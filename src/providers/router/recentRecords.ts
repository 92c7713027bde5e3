import type { MarketEvent } from '../../market/recordKinds.js';

/** How many are kept: what two vendors may be apart at a switch. */
const CAPACITY = 4_096;

/** The last records that a provider has delivered, each kept with one store into an array. */
export class RecentRecords {
  readonly #records: MarketEvent[] = [];
  readonly #onFull: (records: readonly MarketEvent[]) => void;
  #next = 0;

  /** `onFull` receives each record once, many at a time, the oldest first; the rest by {@link flush}. */
  constructor(onFull: (records: readonly MarketEvent[]) => void) {
    this.#onFull = onFull;
  }

  add(record: MarketEvent): void {
    this.#records[this.#next] = record;
    this.#next += 1;
    if (this.#next === CAPACITY) {
      this.#onFull(this.#records);
      this.#next = 0;
      this.#flushed = 0;
    }
  }

  #flushed = 0;

  /** Hands on what has not been. */
  flush(): void {
    if (this.#next > this.#flushed) this.#onFull(this.#records.slice(this.#flushed, this.#next));
    this.#flushed = this.#next;
  }

  /** Those that are kept, in no order. */
  get all(): readonly MarketEvent[] {
    return this.#records;
  }

  clear(): void {
    this.#records.length = 0;
    this.#next = 0;
    this.#flushed = 0;
  }
}
