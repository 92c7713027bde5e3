import type { Gate } from './gate.js';

/**
 * A source begins an account and a writer ends it; an operator passes items on, and a transform turns some into others,
 * as many as its projection likes.
 */
export type StageRole = 'source' | 'operator' | 'transform' | 'writer';

/** What a stage says of itself when it is subscribed. */
export interface StageInfo {
  /** The operator or source: `boundedBuffer`, `writeTo`, … */
  readonly kind: string;
  /** Default `operator`. */
  readonly role?: StageRole | undefined;
  /** What the user calls it; the kind where there is no name. */
  readonly name?: string | undefined;
  /** The name of the sink, of a stage that writes to one. */
  readonly sink?: string | undefined;
  /** The stage that its items go to next; `undefined` at the end of a pipeline. */
  readonly feeds?: Stage | undefined;
  /** The stage that this one is a branch of: a lane, a route. */
  readonly branchOf?: Stage | undefined;
  /** The gate that it closes to those upstream, where it has one. */
  readonly gate?: Gate | undefined;
}

/** What became of a batch: the outcome of a write, whatever its items are. */
export interface SettledWrite {
  readonly status: 'written' | 'diverted';
  readonly items: readonly unknown[];
  readonly rows: number;
  readonly attempts: number;
  readonly durationMs: number;
}

/** A write that failed: a short label of the error, and whether it is `transient`, `poison` or `fatal`. */
export interface FailedWrite {
  readonly type: string;
  readonly class: string;
}

/** As much of a circuit breaker as one who watches it needs. */
export interface WatchedBreaker {
  readonly state: string;
  onChange(listener: (state: string) => void): () => void;
}

/**
 * Who watches the stages of a monitor: metrics, logs. Called a batch or less often, never an item. What it throws ends the
 * pipeline as a failure of the stage that told it.
 */
export interface StageObserver {
  /** A stage is there for the first time. Its gate is assigned right after. */
  registered?(stage: Stage): void;
  /** A batch, or a part of one, is settled. */
  settled?(stage: Stage, outcome: SettledWrite): void;
  /** A write failed. */
  writeFailed?(stage: Stage, failure: FailedWrite): void;
  /** A write, or the subscription of a source, will be tried again after this wait. */
  retrying?(stage: Stage, delayMs: number): void;
  /** A stage asks this breaker before each write. Told once a subscription. */
  guarded?(stage: Stage, breaker: WatchedBreaker): void;
}

/**
 * The account of one stage. The numbers are plain fields, so that counting an item costs an addition; whoever exports
 * them reads them when asked. Items in = items out + written + diverted + dropped + held + abandoned, at any moment
 * between two items.
 */
export class Stage {
  readonly id: string;
  readonly kind: string;
  readonly role: StageRole;
  readonly name: string;
  readonly sink: string | undefined;
  readonly feeds: Stage | undefined;
  readonly branchOf: Stage | undefined;
  gate: Gate | undefined;
  /** Items that came in. A source has none: what it emits is in `out`, what it refuses in `dropped`. */
  in = 0;
  /** Items handed on. A writer hands on none: what it emits is a record of the write. */
  out = 0;
  /** How many arrays the items in `out` were handed on in, where a stage makes arrays of items; else 0. */
  batchesOut = 0;
  /** How many arrays the items in `in` came in, where a stage takes the items of arrays; else 0. */
  batchesIn = 0;
  /** Items committed by a sink, on a stage that writes. */
  written = 0;
  /** Items whose dead letter, or other diversion, is settled. */
  diverted = 0;
  /** Told of what happens to batches here, where the monitor has somebody to tell. */
  readonly observer: StageObserver | undefined;
  /** Items held by subscriptions that have ended: neither written nor diverted. */
  abandoned = 0;
  readonly #dropped = new Map<string, number>();
  readonly #divertedBy = new Map<string, number>();
  #held: () => number = () => 0;
  #live = true;

  constructor(id: string, info: StageInfo, observer?: StageObserver) {
    this.id = id;
    this.observer = observer;
    this.kind = info.kind;
    this.role = info.role ?? 'operator';
    this.name = info.name ?? info.kind;
    this.sink = info.sink;
    this.feeds = info.feeds;
    this.branchOf = info.branchOf;
    this.gate = info.gate;
  }

  /** Items in its hands now. */
  get held(): number {
    return this.#live ? this.#held() : 0;
  }

  get isLive(): boolean {
    return this.#live;
  }

  /** Items dropped, by reason. */
  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  get droppedTotal(): number {
    let total = 0;
    for (const count of this.#dropped.values()) total += count;
    return total;
  }

  /** Items diverted, by reason. */
  get divertedBy(): ReadonlyMap<string, number> {
    return this.#divertedBy;
  }

  /** Counts items whose diversion is settled. */
  divert(reason: string, count: number): void {
    this.diverted += count;
    this.#divertedBy.set(reason, (this.#divertedBy.get(reason) ?? 0) + count);
  }

  /** Counts items given up on purpose. Each victim is counted once, by the stage that gave it up. */
  drop(reason: string, count = 1): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
  }

  /** How to ask what is held, from the structure that holds it. */
  holds(held: () => number): void {
    this.#held = held;
  }

  /** Takes the account up again for a new subscription of the same stage. */
  reopen(gate: Gate | undefined): void {
    this.#live = true;
    this.#held = () => 0;
    this.gate = gate;
  }

  /** The subscription ended; what it still held is abandoned. */
  close(): void {
    if (!this.#live) return;
    this.abandoned += this.#held();
    this.#live = false;
    this.#held = () => 0;
  }

  /** Zero while every item that came in is accounted for. */
  get conservation(): number {
    return this.role === 'source' || this.role === 'transform' ? 0 : this.balance;
  }

  /** What came in, less all that became of it. Of a transform: how many items more it took than it made. */
  get balance(): number {
    return this.in - this.out - this.written - this.diverted - this.droppedTotal - this.held - this.abandoned;
  }
}
