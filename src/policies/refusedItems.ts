import type { BatchPart, GivenUp, RefusalRules, WriteFailure } from './batchFate.js';
import { Bisection } from './bisection.js';
import type { TableRefusals, Witness } from './tableRefusals.js';
import { UnsettledItems } from './unsettledItems.js';

/** How many more items are tried alone with each probe while the table is to blame. */
const TRIALS = 4;

/** After so many probes one more suspect is written again with each: the first of them may be bad although the table is mended. */
const PROBES_PER_SUSPECT = 4;

/** How long a batch is held, if there is no breaker to make it wait: at first, and at most. */
const FIRST_HOLD_MS = 1_000;
const MAX_HOLD_MS = 60_000;
const HOLD_GROWTH = 1.1;

/** From so many bad items in a row on, items are written alone: halving what is all bad costs a write per level and item. */
const MAX_HALVED_IN_A_ROW = 2;

interface Suspect<T> extends GivenUp<T> {
  /** In which probe it was refused last. */
  readonly probe: number;
}

/** A refusal that names a rule of the table. */
interface TableRefusal {
  readonly rule: string;
  readonly error: unknown;
}

/** What is being written: a suspect once more, an item of another batch, or else the items behind the suspects. */
type Trial = 'suspect' | 'witness' | undefined;

/**
 * The items of a batch from its first refusal on: which part to write next, and which items are given up.
 *
 * A sink that names the items that it refuses is believed. Of any other sink the bad items are found by {@link Bisection}. An
 * item that is refused alone is a *suspect* until another item of the batch is committed or the batch is over; only then it is
 * given up. For if one item after the other is refused by the same rule, the table is suspected ({@link TableRefusals}). An item
 * that was committed before is then written again, the {@link Witness}. If the table takes it, it was the items. If it does not,
 * or if there is none, the table is to blame, and all suspects are kept: the batch is *held*. Its next write is a probe: the
 * witness, the first suspects, and a few items behind them, one after the other until one is committed. If all are refused, the
 * batch is held again. Whatever is committed shows that the table takes rows: those that the same probe was refused are bad, and
 * the other suspects are tried once more. One that has the key of an item which was committed before it is given up all the same.
 *
 * Apart from that, items are settled from left to right, so that the order of each key is kept.
 */
export class RefusedItems<T> {
  readonly #refusals: TableRefusals | undefined;
  readonly #witness: Witness | undefined;
  readonly #keyOf: ((item: T) => string | number) | undefined;
  readonly #batch: UnsettledItems<T>;
  /** The first of the unsettled items, if they were refused alone. */
  #suspects: Suspect<T>[] = [];
  /** What is known of the rest. */
  #bisection: Bisection<T> | undefined;
  #trial: Trial;
  /** The last refusal that named its rule. */
  #refusal: TableRefusal | undefined;
  /** How many items in a row were refused alone. */
  #inARow = 0;
  #isWitnessCalled = false;
  /** The table was to blame: suspects are written again. */
  #isRetrying = false;
  /** How many suspects the probe has tried. */
  #retried = 0;
  #probe = 0;
  #trialsLeft = 0;
  #isHeld = false;
  /** How often it was held in a row, after the first time. */
  #holds = -1;
  #isContinued = false;

  /** The whole batch is being written for the first time. */
  constructor(batch: BatchPart<T>, { refusals, witness, keyOf }: RefusalRules = {}) {
    this.#batch = new UnsettledItems(batch);
    this.#refusals = refusals;
    this.#witness = witness;
    this.#keyOf = keyOf as ((item: T) => string | number) | undefined;
  }

  /** The table is to blame: the next part must wait, as in an outage. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** How long it waits for the table, if nothing else makes it wait. */
  get holdMs(): number {
    return Math.min(MAX_HOLD_MS, FIRST_HOLD_MS * HOLD_GROWTH ** this.#holds);
  }

  /** What it is held for. */
  get tableRefusal(): TableRefusal {
    return this.#refusal!;
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
    return this.#batch.rest;
  }

  /** The next part to write; `undefined` if there is none. */
  next(): BatchPart<T> | undefined {
    const at = this.#end;
    if (this.#isWitnessCalled) {
      this.#trial = 'witness';
      const items = this.#witness!.items as readonly T[];
      return { items, given: items };
    }
    if (this.#isRetrying && this.#retried < this.#suspectsToRetry) {
      this.#trial = 'suspect';
      return this.#batch.slice(this.#batch.from + this.#retried, this.#batch.from + this.#retried + 1);
    }
    if (at === this.#batch.length) return undefined;
    this.#trial = undefined;
    if (this.#isRetrying || this.#inARow >= MAX_HALVED_IN_A_ROW) {
      this.#bisection = undefined;
      return this.#batch.slice(at, at + 1);
    }
    this.#bisection ??= new Bisection(this.#batch.slice(at).items, false);
    return this.#batch.slice(at, at + this.#bisection.next()!.length);
  }

  /** The part was committed. Returns the suspects that it has convicted. */
  written({ items }: BatchPart<T>): GivenUp<T>[] {
    if (this.#trial === 'witness') {
      this.#isWitnessCalled = false;
      // After a hold the table may have been mended since they were refused.
      return this.#isRetrying ? [] : this.convicted();
    }
    const isSuspect = this.#trial === 'suspect';
    const before = isSuspect ? this.#suspects.slice(0, this.#retried) : this.#suspects;
    // While there are suspects of an earlier probe, items are written one by one.
    const untried = isSuspect ? [] : before.filter((suspect) => this.#isUntried(suspect, items[0]!));
    const end = this.#batch.from + before.length + items.length;
    this.#inARow = 0;
    this.#retried = 0;
    this.#isRetrying = untried.length > 0;
    this.#isContinued = false;
    this.#isHeld = false;
    this.#holds = -1;
    if (untried.length > 0) {
      const from = this.#batch.from;
      this.#bisection = undefined;
      this.#batch.keep((at) => at >= end || untried.includes(before[at - from]!));
    } else {
      this.#batch.from = end;
      // It may have been left half-way when the table was blamed.
      if (isSuspect) this.#bisection = undefined;
      else this.#bisection?.written();
    }
    this.#suspects = untried;
    return before.filter((suspect) => !untried.includes(suspect));
  }

  /** The part was refused. Returns the items that are given up for that. */
  refused(part: BatchPart<T>, failure: WriteFailure): GivenUp<T>[] {
    const { refusal } = failure;
    const wasContinued = this.#isContinued;
    this.#isContinued = false;
    this.#isHeld = false;
    if (refusal !== undefined) this.#refusal = { rule: refusal, error: failure.error };
    if (this.#trial === 'witness') {
      this.#isWitnessCalled = false;
      if (this.#isRetrying) this.#isContinued = true;
      else this.#hold();
      return [];
    }
    const start = this.#trial === 'suspect' ? this.#batch.from + this.#retried : this.#end;
    this.#batch.refused(start, start + part.items.length);
    const named = failure.rejected?.filter(({ index }) => index < part.items.length);
    if (this.#trial === 'suspect') {
      const itself = named?.[0];
      // Named by the sink, it is refused for itself, which says nothing about the other suspects.
      return this.#refusedAgain(
        itself ? { ...failure, error: itself.error ?? failure.error, refusal: undefined } : failure,
      );
    }
    if (named?.length) return this.#remove(start, named, failure.error);
    if (part.items.length > 1) {
      if (this.#refusals?.blames(refusal)) this.#hold();
      else if (this.#bisection) this.#bisection.poisoned();
      else this.#bisection = new Bisection(this.#batch.rest.items);
      return [];
    }
    const attempts = this.#batch.attemptsAt(start);
    this.#suspects.push({ ...part, reason: 'poison', error: failure.error, attempts, probe: this.#probe });
    this.#bisection?.poisoned();
    this.#inARow += 1;
    if (!this.#refusals) return this.convicted();
    if (refusal === undefined) {
      // Refused for itself, which says nothing about those before it: it may not even have come to the table.
      const letters = this.#suspects.length === 1 ? this.convicted() : [];
      if (this.#isRetrying && this.#refusals.isBlamed) this.#holdOrGoOn(wasContinued);
      return letters;
    }
    if (!this.#refusals.refused(refusal)) {
      // Another writer has committed meanwhile: the suspects are tried before anything else.
      this.#retried = 0;
      return [];
    }
    if (!this.#refusals.isBlamed && this.#witness?.canSpeakOf(refusal)) this.#isWitnessCalled = true;
    else this.#holdOrGoOn(wasContinued);
    return [];
  }

  /** There is nothing left to write: all suspects are given up. */
  convicted(): GivenUp<T>[] {
    const convicted = this.#suspects;
    this.#suspects = [];
    this.#batch.from += convicted.length;
    return convicted;
  }

  get #end(): number {
    return this.#batch.from + this.#suspects.length;
  }

  #refusedAgain({ error, refusal }: WriteFailure): GivenUp<T>[] {
    const at = this.#retried;
    const attempts = this.#batch.attemptsAt(this.#batch.from + at);
    const again = { ...this.#suspects[at]!, error, attempts, probe: this.#probe };
    this.#suspects[at] = again;
    if (this.#refusals!.isBlamed && (refusal !== undefined || at > 0)) {
      this.#retried += 1;
      if (this.#retried < this.#suspectsToRetry) this.#isContinued = true;
      else this.#holdOrGoOn(true);
      return [];
    }
    this.#retried = 0;
    if (at > 0) return [];
    // Other items were committed since, or it is refused for itself.
    this.#suspects = this.#suspects.slice(1);
    this.#batch.from += 1;
    if (this.#suspects.length === 0) this.#isRetrying = false;
    return [again];
  }

  get #suspectsToRetry(): number {
    return Math.min(this.#suspects.length, 1 + Math.max(0, Math.floor(this.#holds / PROBES_PER_SUSPECT)));
  }

  /** A probe tries a few more items before it gives up. */
  #holdOrGoOn(isProbe: boolean): void {
    if (isProbe && this.#trialsLeft > 0 && this.#end < this.#batch.length) {
      this.#trialsLeft -= 1;
      // All suspects that this probe was to try are behind it.
      this.#retried = this.#batch.length;
      this.#isContinued = true;
    } else {
      this.#hold();
    }
  }

  #hold(): void {
    this.#refusals!.blame();
    this.#isWitnessCalled = this.#witness?.canSpeakOf(this.#refusal!.rule) === true;
    this.#retried = 0;
    this.#probe += 1;
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
      const part = this.#batch.slice(at, at + 1);
      letters.push({ ...part, reason: 'poison', error: one.error ?? error, attempts: this.#batch.attemptsAt(at) });
    }
    const from = this.#batch.from;
    this.#bisection = undefined;
    this.#batch.keep((at) => at >= from && !removed.has(at));
    this.#isRetrying = false;
    return letters;
  }

  /** Whether a suspect may be good: it was refused before the table was mended, and what was committed since may overtake it. */
  #isUntried({ items: [item], probe }: Suspect<T>, written: T): boolean {
    const keyOf = this.#keyOf;
    if (probe === this.#probe || !keyOf) return probe !== this.#probe;
    return keyOf(item!) !== keyOf(written);
  }
}
