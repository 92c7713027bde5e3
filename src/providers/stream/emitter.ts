import type { FeedAccount } from '../../flow/feed.js';
import type { Outlet } from '../../flow/gatedSource.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Intake, type IntakeDrop } from './intake.js';
import type { Loss } from './lossLedger.js';

/** What is downstream of a stream: straight through while it takes, else through the intake. */
export class Emitter {
  readonly #outlet: Outlet<MarketEvent>;
  readonly #feed: FeedAccount;
  readonly #intake: Intake;
  readonly #isSettled: () => boolean;
  #isEmitting = false;
  #end: { readonly error?: unknown; readonly isFailure: boolean } | undefined;

  /** `isSettled` says whether nothing else has to end before the stream may. */
  constructor(
    outlet: Outlet<MarketEvent>,
    feed: FeedAccount,
    capacity: number,
    gapOf: (loss: Loss) => Gap,
    isSettled: () => boolean,
  ) {
    this.#outlet = outlet;
    this.#feed = feed;
    this.#isSettled = isSettled;
    this.#intake = new Intake({ capacity, gapOf, onDrop: (record, reason) => this.#count(record, reason) });
  }

  /** How many records wait. */
  get size(): number {
    return this.#intake.size;
  }

  start(): void {
    this.#outlet.pump(() => this.#produce());
  }

  emit(record: MarketEvent): void {
    const outlet = this.#outlet;
    if (this.#intake.size === 0 && !this.#isEmitting && outlet.isOpen) {
      if (record.kind === 'gap') this.#feed.countGap(record.cause);
      outlet.next(record);
    } else if (!outlet.closed) {
      this.#intake.offer(record);
      outlet.wake();
    }
  }

  /** Completes once everything that waits is emitted. The first end counts. */
  complete(): void {
    this.#end ??= { isFailure: false };
    this.endIfDone();
  }

  /** Fails once everything that waits is emitted. */
  fail(error: unknown): void {
    if (!this.#end?.isFailure) this.#end = { error, isFailure: true };
    this.endIfDone();
  }

  endIfDone(): void {
    if (!this.#end || this.#intake.size > 0 || this.#isEmitting || !this.#isSettled()) return;
    if (this.#end.isFailure) this.#outlet.error(this.#end.error);
    else this.#outlet.complete();
  }

  #produce(): boolean {
    const record = this.#intake.shift();
    if (record !== undefined) {
      if (record.kind === 'gap') this.#feed.countGap(record.cause);
      this.#isEmitting = true;
      this.#outlet.next(record);
      this.#isEmitting = false;
    }
    if (this.#intake.size > 0) return true;
    this.endIfDone();
    return false;
  }

  #count(record: MarketEvent, reason: IntakeDrop): void {
    if (reason === 'conflated') this.#feed.conflated += 1;
    else if (reason === 'replaced') this.#feed.replaced += 1;
    else this.#feed.overflowed += 1;
    this.#outlet.settle('dropped', record, reason);
  }
}
