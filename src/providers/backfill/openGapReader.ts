import { defer, type SchedulerLike, Subscription } from 'rxjs';
import type { GapLedger } from '../../contracts/gapLedger.js';
import type { Gap } from '../../market/gap.js';
import type { Backoff } from '../../policies/backoff.js';
import { Timer } from '../../primitives/timer.js';

/** How often the open gaps of a store are read. */
export const REREAD_MS = 3_600_000;

export interface OpenGapTaker {
  /** Takes an open gap. False if there is no room: it is read again when there is. */
  take(gap: Gap): boolean;
  /** A reading is over, or has failed. */
  read(): void;
  failed(error: unknown): void;
}

/** Reads the open gaps of a store: at the start, when there is room for more, after a failure, and from time to time. */
export class OpenGapReader {
  readonly #ledger: GapLedger;
  readonly #backoff: Backoff;
  readonly #taker: OpenGapTaker;
  readonly #timer: Timer;
  #reading: Subscription | undefined;
  /** The store may have open gaps that were not taken. */
  #isMore = true;
  /** Reading waits for its time, rather than for room. */
  #isLater = false;
  /** The gaps that begin before have been taken. */
  #upTo = Number.NEGATIVE_INFINITY;
  #hasEnded = false;

  constructor(ledger: GapLedger, scheduler: SchedulerLike, backoff: Backoff, taker: OpenGapTaker) {
    this.#ledger = ledger;
    this.#backoff = backoff;
    this.#taker = taker;
    this.#timer = new Timer(scheduler, () => {
      this.#upTo = Number.NEGATIVE_INFINITY;
      this.#read();
    });
  }

  /** Whether gaps may still come, apart from those that are found later. */
  get isBusy(): boolean {
    return this.#reading !== undefined || this.#isMore;
  }

  /** Not before the source is subscribed: what is read at once would go out ahead of it. */
  start(): void {
    this.#later(0);
  }

  /** There is room for what was not taken. */
  readMore(): void {
    if (this.#isMore && !this.#isLater) this.#read();
  }

  /** A gap was found elsewhere, for which there is no room. */
  hasNoRoom({ from }: Gap): void {
    this.#isMore = true;
    this.#upTo = Math.min(this.#upTo, from);
  }

  /** Nothing is read any more but what was not read yet; after a failure, once. */
  end(): void {
    this.#hasEnded = true;
    if (this.#isLater) this.#later(0);
    else this.#timer.cancel();
  }

  stop(): void {
    this.#timer.cancel();
    this.#reading?.unsubscribe();
    this.#reading = undefined;
    this.#isMore = false;
  }

  #later(ms: number): void {
    this.#isLater = true;
    this.#timer.set(ms);
  }

  #read(): void {
    if (this.#reading) return;
    const reading = new Subscription();
    this.#reading = reading;
    this.#isLater = false;
    this.#isMore = false;
    const over = () => {
      this.#reading = undefined;
      this.#backoff.reset();
      // Other processes find gaps too.
      if (!this.#hasEnded && !this.#isMore) this.#timer.set(REREAD_MS);
      this.#taker.read();
    };
    const open$ = defer(() => this.#ledger.open());
    reading.add(
      open$.subscribe({
        next: (gap) => {
          if (reading.closed || gap.from < this.#upTo || gap.state !== 'open' || this.#taker.take(gap)) return;
          this.#isMore = true;
          this.#upTo = gap.from;
          reading.unsubscribe();
          over();
        },
        error: (error) => {
          this.#reading = undefined;
          this.#isMore = !this.#hasEnded;
          this.#taker.failed(error);
          if (this.#isMore && !reading.closed) this.#later(this.#backoff.nextMs());
          this.#taker.read();
        },
        complete: over,
      }),
    );
  }
}
