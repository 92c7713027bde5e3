import { MonotonicClock } from '../primitives/monotonicClock.js';
import { TableRefusals } from './tableRefusals.js';

/** What all writers of one sink know together, whatever chains they are in. */
export class SinkState {
  readonly refusals = new TableRefusals();
  readonly #time = new MonotonicClock();
  #heldUntil = 0;

  /** The sink has asked for a pause of so many milliseconds: no writer makes an attempt before. The longest pause counts. */
  hold(ms: number, now: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#time.at(now) + ms);
  }

  /** In how many milliseconds a writer may make an attempt; 0 for now. */
  readyInMs(now: number): number {
    return this.#heldUntil === 0 ? 0 : Math.max(0, this.#heldUntil - this.#time.at(now));
  }
}
