import type { Sink } from '../contracts/sink.js';
import { hashKey } from '../primitives/hashKey.js';
import type { LetterInFlight, LetterPart } from './replayAttempt.js';

interface LaneSettings {
  readonly sink: Sink<unknown>;
  readonly concurrency: number;
  readonly batchSize: number;
}

/**
 * Distributes letters over the writes that may be in flight at once, and says how many of them go together.
 *
 * Small letters share a write, up to `batchSize` items. The number begins with one letter and doubles with each write that takes
 * everything: a sink that cannot be written to, or refuses what the letters hold, learns it from one letter.
 */
export class ReplayLanes {
  readonly #settings: LaneSettings;
  /** How many letters may share a write. */
  #together = 1;

  constructor(settings: LaneSettings) {
    this.#settings = settings;
  }

  /**
   * The parts of letters, by lane. With a `keyOf` each key has its lane, which keeps it in order; otherwise the lanes take turns
   * at one list.
   */
  fill(letters: readonly LetterInFlight[], partOf: (letter: LetterInFlight) => LetterPart): LetterPart[][] {
    const { sink, concurrency } = this.#settings;
    const isKeyed = sink.keyOf !== undefined && concurrency > 1;
    const lanes = Array.from({ length: isKeyed ? concurrency : 1 }, (): LetterPart[] => []);
    for (const letter of letters) {
      const part = partOf(letter);
      if (part.items.length === 0) continue;
      if (isKeyed) {
        this.#split(part, lanes);
      } else {
        lanes[0]!.push(part);
        letter.pending = 1;
      }
    }
    // First in, last out of an array is cheap at its end only.
    for (const lane of lanes) lane.reverse();
    return isKeyed ? lanes : Array.from({ length: concurrency }, () => lanes[0]!);
  }

  /** Takes the parts of the next write from a lane, as long as `isDue` says so for a number of items. */
  take(lane: LetterPart[], isDue: (weight: number) => boolean): LetterPart[] {
    const taken: LetterPart[] = [];
    let items = 0;
    for (let next = lane.at(-1); next; next = lane.at(-1)) {
      const weight = next.items.length;
      const isFirst = taken.length === 0;
      if (!isFirst && (taken.length >= this.#together || items + weight > this.#settings.batchSize)) break;
      if (!isDue(weight)) break;
      lane.pop();
      taken.push(next);
      items += weight;
    }
    this.#together = Math.min(this.#settings.batchSize, Math.max(this.#together, taken.length * 2));
    return taken;
  }

  /** From here on writes begin with one letter again. */
  slowDown(): void {
    this.#together = 1;
  }

  #split({ letter, items, originals }: LetterPart, lanes: readonly LetterPart[][]): void {
    items.forEach((item, at) => {
      const lane = lanes[this.#laneOf(item)]!;
      let part = lane.at(-1);
      if (part?.letter !== letter) {
        part = originals ? { letter, items: [], originals: [] } : { letter, items: [] };
        lane.push(part);
        letter.pending += 1;
      }
      part.items.push(item);
      if (originals) part.originals!.push(originals[at]);
    });
  }

  #laneOf(item: unknown): number {
    try {
      return hashKey(this.#settings.sink.keyOf!(item)) % this.#settings.concurrency;
    } catch {
      // The write has the same trouble with it, and isolates it.
      return 0;
    }
  }
}
