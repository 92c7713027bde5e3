import type { FeedAccount } from '../../flow/feed.js';
import type { Outlet } from '../../flow/gatedSource.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { Ring } from '../../primitives/ring.js';
import { Intake, type IntakeConfig, type IntakeDrop } from './intake.js';

export interface EmitterConfig extends Omit<IntakeConfig, 'onDrop'> {
  /** Whether nothing else has to end before the stream may. */
  readonly isSettled: () => boolean;
  /** Has the transport wait, if it can, or go on. Called when records begin to wait, and when none does any longer. */
  readonly pause: (isPaused: boolean) => void;
}

/** What is downstream of a stream: straight through while it takes, else through the intake. */
export class Emitter {
  /** Whether the transport waits when it is paused: what is left of a frame is then held whole, rather than in the intake. */
  isPatient = false;
  readonly #outlet: Outlet<MarketEvent>;
  readonly #feed: FeedAccount;
  readonly #config: EmitterConfig;
  readonly #intake: Intake;
  /** Bounded by the records of one frame, after which the transport waits. */
  readonly #rest = new Ring<MarketEvent>(Number.MAX_SAFE_INTEGER);
  #isEmitting = false;
  #end: { readonly error?: unknown; readonly isFailure: boolean } | undefined;

  constructor(outlet: Outlet<MarketEvent>, feed: FeedAccount, config: EmitterConfig) {
    const { capacity, gapOf } = config;
    this.#outlet = outlet;
    this.#feed = feed;
    this.#config = config;
    this.#intake = new Intake({ capacity, gapOf, onDrop: (record, reason) => this.#count(record, reason) });
  }

  /** How many records wait. */
  get size(): number {
    return this.#intake.size + this.#rest.length;
  }

  start(): void {
    this.#outlet.pump(() => this.#produce());
  }

  emit(record: MarketEvent): void {
    const outlet = this.#outlet;
    if (this.#intake.size === 0 && this.#rest.length === 0 && !this.#isEmitting && outlet.isOpen) {
      if (record.kind === 'gap') this.#feed.countGap(record.cause);
      outlet.next(record);
    } else if (!outlet.closed) {
      this.#hold(record);
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
    if (!this.#end || this.size > 0 || this.#isEmitting || !this.#config.isSettled()) return;
    if (this.#end.isFailure) this.#outlet.error(this.#end.error);
    else this.#outlet.complete();
  }

  #hold(record: MarketEvent): void {
    // What waits in the intake comes first.
    if (this.#rest.length > 0 || (this.isPatient && this.#intake.size === 0)) {
      this.#rest.push(record);
      if (this.#rest.length === 1) this.#config.pause(true);
    } else {
      this.#intake.offer(record);
    }
  }

  #produce(): boolean {
    const record = this.#intake.shift() ?? this.#rest.shift();
    if (record !== undefined) {
      if (record.kind === 'gap') this.#feed.countGap(record.cause);
      this.#isEmitting = true;
      this.#outlet.next(record);
      this.#isEmitting = false;
    }
    if (this.size > 0) return true;
    this.endIfDone();
    if (this.isPatient && record !== undefined && !this.#outlet.closed) this.#config.pause(false);
    // It may have gone on at once, up to a closed gate.
    return this.size > 0;
  }

  #count(record: MarketEvent, reason: IntakeDrop): void {
    if (reason === 'conflated') this.#feed.conflated += 1;
    else if (reason === 'replaced') this.#feed.replaced += 1;
    else this.#feed.overflowed += 1;
    this.#outlet.settle('dropped', record, reason);
  }
}
