import { integer, number, type OptionsOf, readOptions } from '../../primitives/options.js';
import type { SimulatedEvent } from './simulatedEvent.js';

export interface DayPlayerConfig {
  /** What the clock shows when the play begins, in epoch milliseconds. */
  readonly startsAt: number;
  /** The time of the day at that moment: events before it are told at once. In epoch milliseconds. */
  readonly from: number;
  /** How much faster than the clock the day goes. A number above 0, default 1. */
  readonly speed?: number;
  /** The most events at a time. Integer of at least 1, default 5,000. */
  readonly atMost?: number;
}

const OPTIONS = {
  startsAt: number().required(),
  from: number().required(),
  speed: number({ above: 0, max: 1_000_000 }).default(1),
  atMost: integer({ min: 1 }).default(5_000),
} satisfies OptionsOf<DayPlayerConfig>;

/** When to tell what of a day: a schedule without a clock. */
export class DayPlayer {
  readonly #startsAt: number;
  readonly #from: number;
  readonly #speed: number;
  readonly #atMost: number;
  readonly #events: Iterator<SimulatedEvent>;
  #next: SimulatedEvent | undefined;

  constructor(day: Iterable<SimulatedEvent>, config: DayPlayerConfig) {
    const { startsAt, from, speed, atMost } = readOptions('DayPlayer', config, OPTIONS);
    this.#startsAt = startsAt;
    this.#from = from;
    this.#speed = speed;
    this.#atMost = atMost;
    this.#events = day[Symbol.iterator]();
    this.#next = this.#take();
  }

  /** When the clock will show that there is something to tell; `Infinity` after the end of the day. */
  get nextAt(): number {
    return this.#next ? this.#startsAt + (this.#next.at - this.#from) / this.#speed : Number.POSITIVE_INFINITY;
  }

  /** What is to be told when the clock shows `now`, in order. What is beyond the most at a time stays due. */
  due(now: number): readonly SimulatedEvent[] {
    const until = this.#from + (now - this.#startsAt) * this.#speed;
    const due: SimulatedEvent[] = [];
    while (this.#next && this.#next.at <= until && due.length < this.#atMost) {
      due.push(this.#next);
      this.#next = this.#take();
    }
    return due;
  }

  #take(): SimulatedEvent | undefined {
    const { done, value } = this.#events.next();
    return done ? undefined : value;
  }
}
