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
 * Gives the new records of a maker, interleaved with late ones: revisions and duplicates of earlier records. After the last
 * new record come the remaining late ones, in the order in which they would have come; after these, `undefined`.
 */
export function syntheticWalk<T>(
  makerOf: MakerOf<T>,
  settings: SyntheticBarsSettings,
  seed = settings.seed,
): () => T | undefined {
  const { count, revisions, duplicates, lateness } = settings;
  const random = Xoshiro128.fromSeed(seed);
  const maker = makerOf(settings, random);
  const hasLate = revisions > 0 || duplicates > 0;
  /** The late records, by the number of the new record that they follow, modulo the length. */
  const slots = new Array<Late<T>[] | undefined>(hasLate ? lateness + 1 : 1).fill(undefined);
  let made = 0;
  let seq = 0;
  let lateLeft = 0;
  /** The late records due before the next new one. */
  let due: Late<T>[] | undefined;
  let nextDue = 0;

  const comeAgain = (record: T, isRevised: boolean) => {
    const slot = (made + 1 + random.below(lateness)) % slots.length;
    const others = slots[slot];
    if (others) others.push({ record, isRevised });
    else slots[slot] = [{ record, isRevised }];
    lateLeft += 1;
  };

  const takeDue = (records: Late<T>[]): T => {
    const { record, isRevised } = records[nextDue++]!;
    if (nextDue >= records.length) {
      due = undefined;
      nextDue = 0;
      slots[made % slots.length] = undefined;
    }
    lateLeft -= 1;
    return isRevised ? maker.revise(record, ++seq) : record;
  };

  return () => {
    if (due !== undefined) return takeDue(due);
    if (made < count) {
      const record = maker.make(++seq);
      made += 1;
      if (hasLate) {
        due = slots[made % slots.length];
        if (revisions > 0 && random.unit() < revisions) comeAgain(record, true);
        if (duplicates > 0 && random.unit() < duplicates) comeAgain(record, false);
      }
      return record;
    }
    if (lateLeft === 0) return undefined;
    do {
      made += 1;
      due = slots[made % slots.length];
    } while (due === undefined);
    return takeDue(due);
  };
}
