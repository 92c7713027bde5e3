import type { Bar } from 'sluice';

export const CAPACITY = 1_000;
export const BATCH_SIZE = 100;
export const WRITERS = 4;

/** The items, made once and emitted repeatedly, so that the chain is measured rather than their creation. */
export const BARS: readonly Bar[] = Array.from({ length: 10_000 }, (_, i) => ({
  kind: 'bar',
  vendor: 'bench',
  symbol: `S${i % 500}`,
  timeframe: '1m',
  ts: 1_600_000_000_000 + i * 60_000,
  open: i + 0.25,
  high: i + 1.25,
  low: i - 0.75,
  close: i + 0.5,
  volume: i * 10,
}));

/**
 * The null sink that every contender writes to: a write completes after one turn of the event loop, like the reply of a server,
 * and does nothing else. The sink counts, and reads the clock when the warm-up ends.
 */
export class NullSink {
  readonly #warmUp: number;
  readonly #expected: number;
  #written = 0;
  #inFlight = 0;
  #mostInFlight = 0;
  #countedFrom = 0;
  #startedAt = 0;

  constructor(warmUp: number, measured: number) {
    this.#warmUp = warmUp;
    this.#expected = warmUp + measured;
  }

  /** How many items the source is to emit. */
  get expected(): number {
    return this.#expected;
  }

  readonly write = async (bars: readonly Bar[]): Promise<number> => {
    this.#inFlight += 1;
    if (this.#inFlight > this.#mostInFlight) this.#mostInFlight = this.#inFlight;
    await new Promise((resolve) => setImmediate(resolve));
    this.#inFlight -= 1;
    this.#written += bars.length;
    if (this.#startedAt === 0 && this.#written >= this.#warmUp) {
      this.#countedFrom = this.#written;
      this.#startedAt = performance.now();
    }
    return bars.length;
  };

  /** Items a second after the warm-up; throws where the work was not the work that was asked for. */
  rate(): number {
    const elapsedMs = performance.now() - this.#startedAt;
    if (this.#written !== this.#expected) throw new Error(`wrote ${this.#written} of ${this.#expected} items`);
    if (this.#mostInFlight !== WRITERS) throw new Error(`at most ${this.#mostInFlight} writes were in flight`);
    return ((this.#written - this.#countedFrom) / elapsedMs) * 1_000;
  }
}

export function* generate(count: number): Generator<Bar> {
  for (let i = 0; i < count; i++) yield BARS[i % BARS.length] as Bar;
}

/** The same as a hand-written iterator, which some consumers read faster than a generator. */
export function iterate(count: number): IterableIterator<Bar> {
  let i = 0;
  const iterator: IterableIterator<Bar> = {
    next: () => (i < count ? { done: false, value: BARS[i++ % BARS.length] as Bar } : { done: true, value: undefined }),
    [Symbol.iterator]: () => iterator,
  };
  return iterator;
}
