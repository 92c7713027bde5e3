import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { SyntheticBarsSettings } from './settings.js';

/** Makes the records of a kind, each with a new key. */
export interface Maker<T> {
  make(seq: number): T;
  /** Another version of a record: the same key with other values. */
  revise(item: T, seq: number): T;
}

export type MakerOf<T> = new (settings: SyntheticBarsSettings, random: Xoshiro128) => Maker<T>;

interface Late<T> {
  readonly item: T;
  readonly revised: boolean;
}

/** The new records of a maker, interleaved with late ones: revisions and duplicates of earlier records. */
export class SyntheticWalk<T> {
  readonly #settings: SyntheticBarsSettings;
  readonly #random: Xoshiro128;
  readonly #maker: Maker<T>;
  readonly #isLate: boolean;
  /** The late records, by the number of the new record that they follow, modulo the length. */
  readonly #late: (Late<T>[] | undefined)[];
  #made = 0;
  #seq = 0;
  #lateLeft = 0;
  /** The late records due before the next new one. */
  #due: Late<T>[] | undefined;
  #dueAt = 0;

  static of<T>(Made: MakerOf<T>, settings: SyntheticBarsSettings, seed = settings.seed): SyntheticWalk<T> {
    const random = Xoshiro128.fromSeed(seed);
    return new SyntheticWalk(settings, random, new Made(settings, random));
  }

  private constructor(settings: SyntheticBarsSettings, random: Xoshiro128, maker: Maker<T>) {
    const { revisions, duplicates, lateness } = settings;
    this.#settings = settings;
    this.#random = random;
    this.#maker = maker;
    this.#isLate = revisions > 0 || duplicates > 0;
    this.#late = new Array<Late<T>[] | undefined>(this.#isLate ? lateness + 1 : 1).fill(undefined);
  }

  /** The next record; `undefined` after the last. */
  next(): T | undefined {
    if (this.#isLate) {
      if (this.#due !== undefined) return this.#nextDue();
      if (this.#made >= this.#settings.count) return this.#nextLeft();
    } else if (this.#made >= this.#settings.count) {
      return undefined;
    }
    const item = this.#maker.make(++this.#seq);
    this.#made += 1;
    if (this.#isLate) {
      this.#due = this.#late[this.#made % this.#late.length];
      this.#dueAt = 0;
      const { revisions, duplicates } = this.#settings;
      const random = this.#random;
      if (revisions > 0 && random.unit() < revisions) this.#comeAgain({ item, revised: true });
      if (duplicates > 0 && random.unit() < duplicates) this.#comeAgain({ item, revised: false });
    }
    return item;
  }

  #comeAgain(late: Late<T>): void {
    const slot = (this.#made + 1 + this.#random.below(this.#settings.lateness)) % this.#late.length;
    const slots = this.#late;
    const others = slots[slot];
    if (others) others.push(late);
    else slots[slot] = [late];
    this.#lateLeft += 1;
  }

  #nextDue(): T {
    const due = this.#due as Late<T>[];
    const { item, revised } = due[this.#dueAt++]!;
    if (this.#dueAt >= due.length) {
      this.#due = undefined;
      this.#late[this.#made % this.#late.length] = undefined;
    }
    this.#lateLeft -= 1;
    return revised ? this.#maker.revise(item, ++this.#seq) : item;
  }

  /** After the last new record: the remaining late ones, in the order in which they would have come. */
  #nextLeft(): T | undefined {
    if (this.#lateLeft === 0) return undefined;
    do {
      this.#made += 1;
      this.#due = this.#late[this.#made % this.#late.length];
    } while (this.#due === undefined);
    this.#dueAt = 0;
    return this.#nextDue();
  }
}
