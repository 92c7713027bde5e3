import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { SyntheticBarsSettings } from './settings.js';

/** Makes the records of a kind, each with a new key. */
export interface Maker<T> {
  make(seq: number): T;
  /** Another version of a record: the same key with other values. */
  revise(record: T, seq: number): T;
}

export type MakerOf<T> = (settings: SyntheticBarsSettings, random: Xoshiro128) => Maker<T>;

interface Late<T> {
  readonly record: T;
  readonly isRevised: boolean;
}

/**
 * The new records of a maker, interleaved with late ones: revisions and duplicates of earlier records. After the last new
 * record come the remaining late ones, in the order in which they would have come.
 */
export class SyntheticWalk<T> {
  readonly #settings: SyntheticBarsSettings;
  readonly #random: Xoshiro128;
  readonly #maker: Maker<T>;
  readonly #hasLate: boolean;
  /** The late records, by the number of the new record that they follow, modulo the length. */
  readonly #slots: (Late<T>[] | undefined)[];
  #made = 0;
  #seq = 0;
  #lateLeft = 0;
  /** The late records due before the next new one. */
  #due: Late<T>[] | undefined;
  #nextDue = 0;

  constructor(makerOf: MakerOf<T>, settings: SyntheticBarsSettings, seed = settings.seed) {
    const { revisions, duplicates, lateness } = settings;
    this.#settings = settings;
    this.#random = Xoshiro128.fromSeed(seed);
    this.#maker = makerOf(settings, this.#random);
    this.#hasLate = revisions > 0 || duplicates > 0;
    this.#slots = new Array<Late<T>[] | undefined>(this.#hasLate ? lateness + 1 : 1).fill(undefined);
  }

  /** How many new records were made; the late ones follow them. */
  get made(): number {
    return Math.min(this.#made, this.#settings.count);
  }

  /** The next record; `undefined` after the last. */
  next(): T | undefined {
    if (this.#due !== undefined) return this.#takeDue(this.#due);
    if (this.#made < this.#settings.count) {
      const record = this.#maker.make(++this.#seq);
      this.#made += 1;
      if (this.#hasLate) this.#turnTo(record);
      return record;
    }
    if (this.#lateLeft === 0) return undefined;
    do {
      this.#made += 1;
      this.#due = this.#slots[this.#made % this.#slots.length];
    } while (this.#due === undefined);
    return this.#takeDue(this.#due);
  }

  /** Finds what is due after a new record, and draws whether it comes again itself. */
  #turnTo(record: T): void {
    this.#due = this.#slots[this.#made % this.#slots.length];
    const { revisions, duplicates } = this.#settings;
    if (revisions > 0 && this.#random.unit() < revisions) this.#comeAgain({ record, isRevised: true });
    if (duplicates > 0 && this.#random.unit() < duplicates) this.#comeAgain({ record, isRevised: false });
  }

  #comeAgain(late: Late<T>): void {
    const slots = this.#slots;
    const slot = (this.#made + 1 + this.#random.below(this.#settings.lateness)) % slots.length;
    slots[slot] = [...(slots[slot] ?? []), late];
    this.#lateLeft += 1;
  }

  #takeDue(due: readonly Late<T>[]): T {
    const { record, isRevised } = due[this.#nextDue++]!;
    if (this.#nextDue >= due.length) {
      this.#due = undefined;
      this.#nextDue = 0;
      this.#slots[this.#made % this.#slots.length] = undefined;
    }
    this.#lateLeft -= 1;
    return isRevised ? this.#maker.revise(record, ++this.#seq) : record;
  }
}
