import { setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from '../../src/testing/conformance/virtualClock.js';
import type { SocketLedger } from './socketLedger.js';

/** So many turns of the event loop pass without anything happening before the next step: promises and streams hand things on. */
const QUIET_TURNS = 6;
/** Nothing takes that long: what is still under way then is stuck. In milliseconds of the real clock. */
const STUCK_MS = 20_000;

/** What is under way beside sockets, in words; `undefined` if nothing is. */
export type Work = () => string | undefined;

/**
 * Virtual time beside real sockets and a real database. It moves to the next timer only when all that the last one has set off is done:
 * every byte is read, every statement answered.
 */
export class DayClock extends VirtualClock {
  /** What else is waited for. */
  readonly work = new Set<Work>();
  /** How many steps there were. */
  steps = 0;
  readonly #sockets: SocketLedger;
  readonly #lateness: (at: number) => number;

  /** `lateness` says by how much timers of a time may be late, in milliseconds: in quiet hours that saves steps. */
  constructor(beginning: number, sockets: SocketLedger, lateness: (at: number) => number) {
    super(beginning);
    this.#sockets = sockets;
    this.#lateness = lateness;
  }

  /** In whole milliseconds, as clocks have them: fractions would be added up to sums that differ in their last digit. */
  override add(action: Parameters<VirtualClock['add']>[0], delay: number): void {
    super.add(action, Math.ceil(delay));
  }

  /** Waits until nothing is under way. */
  async settle(): Promise<void> {
    const stuckAt = performance.now() + STUCK_MS;
    let activity = this.#sockets.activity;
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await (this.#elsewhere() === undefined ? turn() : sleep(1));
      const now = this.#sockets.activity;
      quiet = now === activity && this.#underWay() === undefined ? quiet + 1 : 0;
      activity = now;
      if (quiet === 0 && performance.now() > stuckAt) {
        const words = this.#underWay() ?? 'bytes pass on and on';
        throw new Error(`stuck at ${new Date(this.now()).toISOString()}: ${words}`);
      }
    }
  }

  /** Lets time pass until `at`, in epoch milliseconds. */
  async passTo(at: number): Promise<void> {
    for (;;) {
      await this.settle();
      const { nextAt } = this;
      if (nextAt === undefined || nextAt > at) break;
      this.steps += 1;
      this.jumpTo(Math.max(nextAt, Math.min(at, this.now() + this.#lateness(nextAt))));
    }
    this.jumpTo(at);
  }

  #underWay(): string | undefined {
    if (this.immediates > 0) return 'work of the next turn';
    return this.#elsewhere() ?? this.#sockets.underWay;
  }

  /** What is waited for that this process does not do itself. */
  #elsewhere(): string | undefined {
    for (const work of this.work) {
      const words = work();
      if (words !== undefined) return words;
    }
    return undefined;
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
