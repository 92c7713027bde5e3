/** How far a replay has come. The numbers count this replay, and grow. */
export interface ReplayProgress {
  /** Letters that are settled: written, written in part, failed or parked; with `dryRun`, those that would be sent. */
  readonly letters: number;
  /** The items in them. */
  readonly items: number;
  /** Items that the sink has written. */
  readonly written: number;
  /** Items that failed again, and are in new letters. */
  readonly failedAgain: number;
  /** Letters that are parked now. */
  readonly parked: number;
  /** Letters that this replay has not reached yet; a filter may exclude some of them. */
  readonly remaining: number;
  /** When this was so, in Unix epoch milliseconds. */
  readonly at: number;
  /** The letters that were removed since the last progress: their items are written, or in one of `added`. */
  readonly removed: readonly string[];
  /** The letters that were made since the last progress, of items that have failed again. */
  readonly added: readonly string[];
}

/** What became of one letter. */
export interface Settlement {
  readonly items: number;
  readonly written: number;
  readonly failedAgain: number;
  readonly parked: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Sums settlements until progress can be emitted. */
export class ProgressSum {
  #letters = 0;
  #items = 0;
  #written = 0;
  #failedAgain = 0;
  #parked = 0;
  #removed: string[] = [];
  #added: string[] = [];
  #isNews = true;

  add(settlement: Settlement): void {
    this.#letters += 1;
    this.#items += settlement.items;
    this.#written += settlement.written;
    this.#failedAgain += settlement.failedAgain;
    this.#parked += settlement.parked;
    this.#removed.push(...settlement.removed);
    this.#added.push(...settlement.added);
    this.#isNews = true;
  }

  /** Whether something has happened since the last progress, or none was emitted yet. */
  get isNews(): boolean {
    return this.#isNews;
  }

  take(remaining: number, at: number): ReplayProgress {
    const removed = this.#removed;
    const added = this.#added;
    this.#removed = [];
    this.#added = [];
    this.#isNews = false;
    return {
      letters: this.#letters,
      items: this.#items,
      written: this.#written,
      failedAgain: this.#failedAgain,
      parked: this.#parked,
      remaining,
      at,
      removed,
      added,
    };
  }
}
