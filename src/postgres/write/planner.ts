/**
 * How a batch goes into the table. `unnest`: one statement with an array per column; `copyUpsert`: COPY into a staging table,
 * and the upsert from there; `copy`: COPY straight into the table, twice as fast, which works only while no key of the batch
 * exists already.
 */
export type Strategy = (typeof STRATEGIES)[number];

export const STRATEGIES = ['unnest', 'copyUpsert', 'copy'] as const;

/** The result of a batch that was planned as `copy`. */
export type CopyResult = 'committed' | 'conflicted' | 'failed';

type State =
  /** Nothing has conflicted lately: every batch is copied. */
  | { readonly kind: 'optimistic' }
  /** A batch conflicted: `left` further batches are upserted before another one tries. */
  | { readonly kind: 'cautious'; readonly left: number }
  /** One batch tries; the others are upserted until its result is known. */
  | { readonly kind: 'probing' };

/** From this many rows on, COPY is worth its longer exchange of messages. */
export const COPY_FROM_ROWS = 50;

/** From this many rows on, the staging table is worth its cost. */
export const STAGE_FROM_ROWS = 1000;

/** How many batches are upserted after the first conflict. */
const FIRST_PAUSE = 32;

const MAX_PAUSE = 1024;

/** How many batches are written in the order of their keys after a deadlock. */
const ORDERED_AFTER_DEADLOCK = 1024;

/**
 * Chooses the strategy for each batch. Pure, and shared by all lanes of a sink.
 *
 * A conflict wastes the attempt, so that attempts become rarer as more of them conflict: each conflict doubles the pause
 * before the next attempt, each success halves it.
 */
export class WritePlanner {
  readonly #fixed: Strategy | undefined;
  readonly #offersCopy: boolean;
  #state: State = { kind: 'optimistic' };
  #pause = FIRST_PAUSE;
  #ordered = 0;
  readonly #dropped = new Set<Strategy>();

  constructor(strategy: Strategy | 'auto', offersCopy: boolean) {
    this.#fixed = strategy === 'auto' ? undefined : strategy;
    this.#offersCopy = offersCopy;
  }

  plan(rows: number): Strategy {
    if (this.#fixed) return this.#fixed;
    if (!this.#offersCopy || rows < COPY_FROM_ROWS) return 'unnest';
    if (this.#dropped.has('copy')) return this.upsert(rows);
    if (this.#state.kind === 'optimistic') return 'copy';
    if (this.#state.kind === 'cautious') {
      if (this.#state.left === 0) {
        this.#state = { kind: 'probing' };
        return 'copy';
      }
      this.#state = { kind: 'cautious', left: this.#state.left - 1 };
    }
    return this.upsert(rows);
  }

  /** The strategy for rows that may exist already. */
  upsert(rows: number): Strategy {
    if (this.#fixed === 'copyUpsert') return 'copyUpsert';
    const staged = this.#offersCopy && rows >= STAGE_FROM_ROWS && !this.#dropped.has('copyUpsert');
    return staged ? 'copyUpsert' : 'unnest';
  }

  /** Excludes a strategy that the server does not permit. False if it is the one that was configured. */
  drop(strategy: Strategy): boolean {
    if (this.#fixed === strategy) return false;
    this.#dropped.add(strategy);
    return true;
  }

  /** Reports the result of each batch that was planned as `copy`. */
  settle(result: CopyResult): void {
    // Batches that were in flight when the first of them conflicted say nothing new.
    if (this.#state.kind === 'cautious') return;
    if (result === 'committed') {
      this.#state = { kind: 'optimistic' };
      this.#pause = Math.max(FIRST_PAUSE, this.#pause / 2);
    } else if (result === 'conflicted') {
      this.#state = { kind: 'cautious', left: this.#pause };
      this.#pause = Math.min(MAX_PAUSE, this.#pause * 2);
    } else if (this.#state.kind === 'probing') {
      this.#state = { kind: 'cautious', left: this.#pause };
    }
  }

  /**
   * Whether the rows of the next batch are written in the order of their keys: writers that meet on the same rows in one order
   * cannot deadlock. Sorting costs time, and while each key stays in one lane no two writers meet.
   */
  inKeyOrder(): boolean {
    if (this.#ordered === 0) return false;
    this.#ordered -= 1;
    return true;
  }

  /** Reports that the server rolled a batch back to end a deadlock: another writer has the same rows. */
  deadlocked(): void {
    this.#ordered = ORDERED_AFTER_DEADLOCK;
  }
}
