import type { BatchPart, GivenUp, WriteFailure } from './batchFate.js';
import { Bisection } from './bisection.js';
import type { TableRefusals, Witness } from './tableRefusals.js';

/** How many more items are tried alone with each probe while the table is to blame. */
const TRIALS = 4;

/** How long a batch is held, if there is no breaker to make it wait: at first, and at most. */
const FIRST_HOLD_MS = 1_000;
const MAX_HOLD_MS = 60_000;
const HOLD_GROWTH = 1.1;

/** From so many bad items in a row on, items are written alone: halving what is all bad costs a write per level and item. */
const MAX_HALVED_IN_A_ROW = 2;

/** What is being written: several items, the next one alone, the first suspect once more, or an item of another batch. */
type Trial = 'part' | 'single' | 'suspect' | 'witness';

/**
 * The items of a batch from its first refusal on: which part to write next, and which items are given up.
 *
 * A sink that names the items that it refuses is believed. Of any other sink the bad items are found by {@link Bisection}. An
 * item that is refused alone is a *suspect* until another item of the batch is committed or the batch is over; only then it is
 * given up. For if one item after the other is refused by the same rule, the table is suspected ({@link TableRefusals}). An item
 * that was committed before is then written again, the {@link Witness}. If the table takes it, it was the items. If it does not,
 * or if there is none, the table is to blame, and all suspects are kept: the batch is *held*, and its next write is the first
 * suspect again. If that is committed, the table is mended, and nothing is known of the other suspects. If it is refused and so
 * are a few items behind the suspects, the batch is held again. If one of these is committed, it was the items after all.
 *
 * Items are settled from left to right, so that the order of each key is kept.
 */
export class RefusedItems<T> {
  readonly #refusals: TableRefusals | undefined;
  readonly #witness: Witness | undefined;
  #batch: BatchPart<T>;
  /** Everything left of it is settled. */
  #from = 0;
  /** Those that follow, if they were refused alone. */
  #suspects: GivenUp<T>[] = [];
  /** What is known of the rest. */
  #bisection: Bisection<T> | undefined;
  /** Where each part ended that was refused. */
  #refusedTo: number[] = [];
  #trial: Trial = 'part';
  /** How many items in a row were refused alone. */
  #inARow = 0;
  #isWitnessCalled = false;
  #isRetrying = false;
  #trialsLeft = 0;
  #isHeld = false;
  /** How often it was held in a row, after the first time. */
  #holds = -1;
  #isContinued = false;

  /** The whole batch is being written for the first time. */
  constructor(batch: BatchPart<T>, refusals?: TableRefusals, witness?: Witness) {
    this.#batch = batch;
    this.#refusals = refusals;
    this.#witness = witness;
  }

  /** The table is to blame: the next part must wait, as in an outage. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** How long it waits for the table, if nothing else makes it wait. */
  get holdMs(): number {
    return Math.min(MAX_HOLD_MS, FIRST_HOLD_MS * HOLD_GROWTH ** this.#holds);
  }

  /** The next part belongs to the probe that has just been refused. */
  get isContinued(): boolean {
    return this.#isContinued;
  }

  /** What is being written is no part of the batch. */
  get isForeign(): boolean {
    return this.#trial === 'witness';
  }

  /** What is neither written nor given up. */
  get rest(): BatchPart<T> {
    return this.#from === 0 ? this.#batch : this.#slice(this.#from);
  }

  /** The next part to write; `undefined` if there is none. */
  next(): BatchPart<T> | undefined {
    const at = this.#end;
    if (this.#isWitnessCalled) {
      this.#trial = 'witness';
      const items = this.#witness!.items as readonly T[];
      return { items, given: items };
    }
    if (this.#isRetrying && !this.#isContinued && this.#suspects.length > 0) {
      this.#trial = 'suspect';
      return this.#slice(this.#from, this.#from + 1);
    }
    if (at === this.#batch.items.length) return undefined;
    if (this.#isRetrying || this.#inARow >= MAX_HALVED_IN_A_ROW) {
      this.#trial = 'single';
      this.#bisection = undefined;
      return this.#slice(at, at + 1);
    }
    this.#trial = 'part';
    this.#bisection ??= new Bisection(this.#batch.items.slice(at), false);
    return this.#slice(at, at + this.#bisection.next()!.length);
  }

  /** The part was committed. Returns the suspects that it has convicted. */
  written({ items }: BatchPart<T>): GivenUp<T>[] {
    if (this.#trial === 'witness') {
      this.#isWitnessCalled = false;
      return this.convicted();
    }
    const isSuspect = this.#trial === 'suspect';
    const convicted = isSuspect ? [] : this.#suspects;
    this.#from = (isSuspect ? this.#from : this.#end) + items.length;
    this.#suspects = [];
    this.#inARow = 0;
    this.#isRetrying = false;
    this.#isContinued = false;
    this.#isHeld = false;
    this.#holds = -1;
    if (this.#trial === 'part') this.#bisection?.written();
    else this.#bisection = undefined;
    return convicted;
  }

  /** The part was refused. Returns the items that are given up for that. */
  refused(part: BatchPart<T>, failure: WriteFailure): GivenUp<T>[] {
    const { refusal, rejected = [] } = failure;
    const wasContinued = this.#isContinued;
    this.#isContinued = false;
    this.#isHeld = false;
    if (this.#trial === 'witness') {
      this.#isWitnessCalled = false;
      this.#hold();
      return [];
    }
    const start = this.#trial === 'suspect' ? this.#from : this.#end;
    this.#refusedTo = this.#refusedTo.filter((end) => end > this.#from);
    this.#refusedTo.push(start + part.items.length);
    const named = rejected.filter(({ index }) => index < part.items.length);
    if (named.length > 0) return this.#remove(start, named, failure.error);
    if (this.#trial === 'suspect') return this.#refusedAgain(failure);
    if (part.items.length > 1) {
      if (this.#refusals?.blames(refusal)) this.#hold();
      else if (this.#bisection) this.#bisection.poisoned();
      else this.#bisection = new Bisection(this.#batch.items);
      return [];
    }
    this.#suspects.push({ ...part, reason: 'poison', error: failure.error, attempts: this.#attemptsAt(start) });
    if (this.#trial === 'part') this.#bisection?.poisoned();
    this.#inARow += 1;
    if (!this.#refusals || refusal === undefined) {
      // Whatever refuses this one, it is not what refused the others.
      this.#refusals?.refused(undefined);
      return this.convicted();
    }
    if (!this.#refusals.refused(refusal)) return [];
    if (this.#refusals.blames(refusal) || !this.#witness?.canSpeakOf(refusal)) this.#holdOrGoOn(wasContinued);
    else this.#isWitnessCalled = true;
    return [];
  }

  /** There is nothing left to write: all suspects are given up. */
  convicted(): GivenUp<T>[] {
    const convicted = this.#suspects;
    this.#suspects = [];
    this.#from += convicted.length;
    return convicted;
  }

  get #end(): number {
    return this.#from + this.#suspects.length;
  }

  #refusedAgain({ error, refusal }: WriteFailure): GivenUp<T>[] {
    const [first, ...others] = this.#suspects;
    const again = { ...first!, error, attempts: this.#attemptsAt(this.#from) };
    if (this.#refusals?.blames(refusal)) {
      this.#suspects[0] = again;
      this.#holdOrGoOn(true);
      return [];
    }
    // Others were committed since: the table takes rows, and not this one.
    this.#suspects = others;
    this.#from += 1;
    if (others.length === 0) this.#isRetrying = false;
    return [again];
  }

  /** A probe tries a few more items before it gives up. */
  #holdOrGoOn(isProbe: boolean): void {
    if (isProbe && this.#trialsLeft > 0 && this.#end < this.#batch.items.length) {
      this.#trialsLeft -= 1;
      this.#isContinued = true;
    } else {
      this.#hold();
    }
  }

  #hold(): void {
    this.#refusals?.blame();
    this.#isHeld = true;
    this.#isRetrying = true;
    this.#trialsLeft = TRIALS;
    this.#holds += 1;
  }

  /** The sink has named the items that it refuses. What is left is written again as a whole. */
  #remove(start: number, named: NonNullable<WriteFailure['rejected']>, error: unknown): GivenUp<T>[] {
    const removed = new Map(named.map((one) => [start + one.index, one] as const));
    const letters = this.convicted();
    for (const [at, one] of [...removed].sort(([a], [b]) => a - b)) {
      const part = this.#slice(at, at + 1);
      letters.push({ ...part, reason: 'poison', error: one.error ?? error, attempts: this.#attemptsAt(at) });
    }
    const { items, given } = this.#batch;
    const isKept = (_: T, at: number) => at >= this.#from && !removed.has(at);
    const kept = items.filter(isKept);
    this.#refusedTo = this.#refusedTo.map((end) => items.slice(0, end).filter(isKept).length);
    this.#batch = { items: kept, given: given === items ? kept : given.filter(isKept) };
    this.#from = 0;
    this.#bisection = undefined;
    this.#isRetrying = false;
    return letters;
  }

  /** How often the item at this place was refused, alone and among others. */
  #attemptsAt(at: number): number {
    return this.#refusedTo.reduce((count, end) => count + Number(end > at), 0);
  }

  #slice(from: number, to?: number): BatchPart<T> {
    const { items, given } = this.#batch;
    const part = items.slice(from, to);
    return { items: part, given: given === items ? part : given.slice(from, to) };
  }
}
