import { InsertionOrderMap } from '../primitives/insertionOrderMap.js';
import type { MarketCalendar } from './marketCalendar.js';

/**
 * What a number means that is lower than the last one of its key. `gap`: the numbering began anew, and how many were missed in between
 * cannot be known; `restart`: it began anew, and nothing was missed; `late`: the item comes out of order, and the numbering goes on.
 */
export type LowerNumber = 'gap' | 'restart' | 'late';

export interface HoleRules {
  /** Default `gap`. */
  readonly whenLower?: LowerNumber | undefined;
  /** How much time of an open market may pass between two items of a key whose numbers prove nothing, in milliseconds. */
  readonly staleAfterMs?: number | undefined;
  /** Default: the market is always open. */
  readonly calendar?: MarketCalendar | undefined;
  /** Of how many keys the last item is remembered. */
  readonly maxKeys: number;
}

/** Items of one key that are missing between two that came. */
export interface FoundHole {
  readonly cause: 'sequence' | 'stale';
  /** The times of the items before and after it, the earlier one first. */
  readonly from: number;
  readonly to: number;
  /** How many are missing, where the numbers say it. */
  readonly rows: number | undefined;
  readonly reason: string | undefined;
}

/** What is remembered of a key. */
interface LastItem {
  /** `NaN` while none of its items had a number. */
  sequence: number;
  /** The time of the item with that number. */
  numberedAt: number;
  /** The latest time of any item. */
  seenAt: number;
  /** Whether an item came since it was last spared from being forgotten. */
  isInUse: boolean;
}

/**
 * Finds holes between the items of each key: in their numbers, which rise by one, and in their times. It has no clock and no timer:
 * a hole is found when the item behind it comes.
 *
 * One look-up per item, and none for an item of the same key as the last. Memory: a map entry for each of at most `maxKeys` keys;
 * beyond that, one that had no item for the longest is forgotten (the second-chance rule: a key in use is moved to the end instead).
 */
export class HoleDetector {
  readonly #whenLower: LowerNumber;
  readonly #staleAfterMs: number;
  readonly #calendar: MarketCalendar | undefined;
  readonly #maxKeys: number;
  readonly #items = new InsertionOrderMap<string | number, LastItem>();
  #key: string | number | undefined;
  #last: LastItem | undefined;

  constructor({ whenLower = 'gap', staleAfterMs = Number.POSITIVE_INFINITY, calendar, maxKeys }: HoleRules) {
    this.#whenLower = whenLower;
    this.#staleAfterMs = staleAfterMs;
    this.#calendar = calendar;
    this.#maxKeys = maxKeys;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#items.size;
  }

  /** An item has come. Its number is `undefined` where it has none; times are epoch milliseconds. */
  see(key: string | number, sequence: number | undefined, time: number): FoundHole | undefined {
    let last = key === this.#key ? this.#last : this.#items.get(key);
    if (last === undefined) {
      last = { sequence: sequence ?? Number.NaN, numberedAt: time, seenAt: time, isInUse: false };
      this.#remember(key, last);
      return undefined;
    }
    this.#key = key;
    this.#last = last;
    last.isInUse = true;
    const { seenAt } = last;
    if (time > seenAt) last.seenAt = time;
    // The number that would be next gives 0, and the same again -1.
    const missing = (sequence ?? Number.NaN) - last.sequence - 1;
    if (missing === -1) return undefined;
    const { sequence: former, numberedAt } = last;
    if (missing < 0 && this.#whenLower === 'late') return undefined;
    if (sequence !== undefined) {
      last.sequence = sequence;
      last.numberedAt = time;
    }
    if (missing === 0) return undefined;
    if (missing > 0) return holeOf('sequence', numberedAt, time, missing);
    if (missing < 0 && this.#whenLower === 'gap') {
      return holeOf('sequence', numberedAt, time, undefined, `the numbers went back from ${former} to ${sequence}`);
    }
    return this.#isStale(seenAt, time) ? holeOf('stale', seenAt, time) : undefined;
  }

  #remember(key: string | number, item: LastItem): void {
    const items = this.#items;
    while (items.size >= this.#maxKeys) {
      const [oldest, kept] = items.oldest()!;
      if (kept.isInUse) {
        kept.isInUse = false;
        items.put(oldest, kept);
      } else {
        items.delete(oldest);
      }
    }
    items.put(key, item);
    this.#key = key;
    this.#last = item;
  }

  /** Whether the market was open for longer than `staleAfterMs` in between. */
  #isStale(from: number, to: number): boolean {
    if (to - from <= this.#staleAfterMs) return false;
    const calendar = this.#calendar;
    if (calendar === undefined) return true;
    let openMs = 0;
    for (let at = from; at < to; ) {
      const next = Math.min(calendar.nextChange(at), to);
      // One that does not move on has no more changes.
      const until = next > at ? next : to;
      if (calendar.isOpen(at)) openMs += until - at;
      if (openMs > this.#staleAfterMs) return true;
      at = until;
    }
    return false;
  }
}

function holeOf(cause: FoundHole['cause'], before: number, after: number, rows?: number, reason?: string): FoundHole {
  return { cause, from: Math.min(before, after), to: Math.max(before, after), rows, reason };
}
