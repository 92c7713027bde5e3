import type { FeedObserver } from './feed.js';
import type { Gate, GateView } from './gate.js';
import type { PipelineEnd } from './pipelineEnd.js';
import type { RoutingObserver } from './routing.js';
import type { Fate, SourceProgress, StageEvents } from './stageEvents.js';
import { byLength, itemsIn, type Weigh, weightOf } from './unit.js';

export type { FailedWrite, Fate, LettersOf, SettledWrite, SourceProgress, WatchedBreaker } from './stageEvents.js';

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
  /** What the user calls it. Default: its kind. */
  readonly name?: string | undefined;
  /** The name of the sink, for a stage that writes to one. */
  readonly sink?: string | undefined;
  /** The coordinator that the stage belongs to, with the queue, the lanes and the writers of that coordinator. */
  readonly group?: string | undefined;
  /** Which worker of its group the stage is. */
  readonly worker?: number | undefined;
  /** The stage that its items go to next; `undefined` at the end of a pipeline. */
  readonly feeds?: Stage | undefined;
  /** The stage that this one is a branch of: a lane, a route. */
  readonly branchOf?: Stage | undefined;
  /** The gate that it closes to those upstream, where it has one. */
  readonly gate?: Gate | undefined;
  /** Where the pipeline ends that it is subscribed in; `undefined` where nobody counts there. */
  readonly end?: PipelineEnd | undefined;
}

/**
 * Receives what happens at the stages and feeds of a monitor, for metrics and logs: at most once per batch, but for `fate`. What it
 * throws ends the pipeline as a failure of the stage that called it.
 */
export interface StageObserver extends StageEvents<Stage>, FeedObserver, RoutingObserver {}

/**
 * One stage of a pipeline and what it has counted, in items: in = out + written + diverted + dropped + held + abandoned, at any
 * moment between two items; of a transform, in + added = removed + the same. It cannot be written to: the stage itself counts, in
 * its {@link StageAccount}.
 */
export class Stage {
  readonly id: string;
  readonly kind: string;
  readonly role: StageRole;
  readonly name: string;
  readonly sink: string | undefined;
  readonly group: string | undefined;
  readonly worker: number | undefined;
  readonly feeds: Stage | undefined;
  readonly branchOf: Stage | undefined;
  readonly #account: StageAccount;

  constructor(account: StageAccount, id: string, info: StageInfo) {
    this.#account = account;
    this.id = id;
    this.kind = info.kind;
    this.role = info.role ?? 'operator';
    this.name = info.name ?? info.kind;
    this.sink = info.sink;
    this.group = info.group;
    this.worker = info.worker;
    this.feeds = info.feeds;
    this.branchOf = info.branchOf;
  }

  /** Receives what happens here, where the monitor has an observer. */
  get observer(): StageObserver | undefined {
    return this.#account.observer;
  }

  /** The gate that it closes to those upstream, where it has one. */
  get gate(): GateView | undefined {
    return this.#account.gate?.view;
  }

  /** Whether what it hands on, where it is the last, is counted at the end of its pipeline. */
  get isCountedBelow(): boolean {
    const { end } = this.#account;
    return end !== undefined && !end.hasWriter;
  }

  /** Whether it is subscribed. */
  get isLive(): boolean {
    return this.#account.isLive;
  }

  /** Whether what is above it is subscribed, and has not ended. */
  get isFed(): boolean {
    return this.#account.isLive && this.#account.input?.closed === false;
  }

  /** Items that came in. A source has none: what it emits is in `out`, what it refuses in `dropped`. */
  get in(): number {
    return this.#account.in;
  }

  /** Items handed on. A writer hands on none: what it emits is a record of the write. */
  get out(): number {
    return this.#account.out;
  }

  /** Items that a sink has committed, at a stage that writes. */
  get written(): number {
    return this.#account.written;
  }

  /** Items whose diversion is settled. */
  get diverted(): number {
    return sumOf(this.#account.diverted);
  }

  /** Items diverted until now, by reason. */
  get divertedBy(): ReadonlyMap<string, number> {
    return new Map(this.#account.diverted);
  }

  /** Items dropped until now, by reason. */
  get dropped(): ReadonlyMap<string, number> {
    return new Map(this.#account.dropped);
  }

  get droppedTotal(): number {
    return sumOf(this.#account.dropped);
  }

  /** Items that it has now. */
  get held(): number {
    return this.#account.held;
  }

  /** Items held by subscriptions that have ended: neither written nor diverted. */
  get abandoned(): number {
    return this.#account.abandoned;
  }

  /** Of a transform that counts item by item: what it made of items beyond what they counted as. */
  get added(): number {
    return this.#account.added;
  }

  /** Of a transform that counts item by item: items, or parts of them, of which it made nothing. */
  get removed(): number {
    return this.#account.removed;
  }

  /**
   * Whether what stages above handed on, and what did not arrive here, is lost: an operator of RxJS in between holds items without
   * a bound, and the subscription has ended before that operator was through.
   */
  get losesAbove(): boolean {
    const { unbounded, isLive, inputIsOver } = this.#account;
    if (unbounded === undefined || isLive || inputIsOver) return false;
    return unbounded === 'certain' || this.in === 0;
  }

  /** Of a source that knows how much there is: how far it has come. It stays at the last state when the source has ended. */
  get progress(): SourceProgress | undefined {
    return asked(this.#account.progress, undefined);
  }

  /** Zero while every item that came in is accounted for. */
  get conservation(): number {
    return this.role === 'source' || this.role === 'transform' ? 0 : this.balance;
  }

  /** What came in, less what became of it. Of a transform that does not count item by item: what it took beyond what it made. */
  get balance(): number {
    const gone = this.written + this.diverted + this.droppedTotal + this.held + this.abandoned;
    return this.in + this.added - this.removed - this.out - gone;
  }
}

/** What a stage counts with: plain fields, so that counting an item costs an addition. */
export class StageAccount {
  /** What everybody else sees of it. */
  readonly stage: Stage;
  in = 0;
  out = 0;
  written = 0;
  abandoned = 0;
  added = 0;
  removed = 0;
  readonly diverted = new Map<string, number>();
  readonly dropped = new Map<string, number>();
  gate: Gate | undefined;
  end: PipelineEnd | undefined;
  /** How values that come in are weighed; `undefined` where each is one item. */
  weigh: Weigh | undefined;
  isLive = true;
  /** The source has completed, so that nothing is left in between. */
  inputIsOver = false;
  /** Whether an operator of RxJS above the stage holds items without a bound: for certain, or only if it holds any. */
  unbounded: 'certain' | 'possible' | undefined;
  /** How often the way to the stages above was looked at for that. */
  looks = 0;
  /** The subscription of what is above; `undefined` for a source. */
  input: { readonly closed: boolean } | undefined;
  observer: StageObserver | undefined;
  /** The way to ask how far a source has come. */
  progress: () => SourceProgress | undefined = unknown;
  #held: () => number = none;

  constructor(id: string, info: StageInfo, observer?: StageObserver) {
    this.gate = info.gate;
    this.end = info.end;
    this.stage = new Stage(this, id, info);
    this.observer = observer;
  }

  get held(): number {
    return this.isLive ? asked(this.#held, 0) : 0;
  }

  /** Gives the way to ask what is held, from the structure that holds it. */
  holds(held: () => number): void {
    this.#held = held;
  }

  /** Counts what `value` stands for, once, at the stage that gave it up, and names the items to an observer of fates. */
  settle(fate: Fate, value: unknown, reason?: string): void {
    this.#count(fate, weightOf(value, this.weigh), reason);
    this.observer?.fate?.(this.stage, fate, reason, itemsIn(value, this.weigh));
  }

  /** The same for `count` items that are no value of the stream by themselves; `items` is asked only where it is of use. */
  settleSome(fate: Fate, count: number, reason: string | undefined, items: () => readonly unknown[]): void {
    this.#count(fate, count, reason);
    if (count > 0) this.observer?.fate?.(this.stage, fate, reason, items());
  }

  /** Counts what was refused before it was an item, such as an unreadable row. */
  drop(reason: string, count = 1): void {
    this.#count('dropped', count, reason);
  }

  #count(fate: Fate, count: number, reason = 'unknown'): void {
    if (fate === 'written') {
      this.written += count;
    } else {
      const counts = this[fate];
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
  }

  /** A `batch()` above hands on batches, and no writer below has said so. What is held must leave as it was counted. */
  takeBatches(): void {
    if (this.held === 0) this.weigh ??= byLength;
  }

  /** Takes up the account again for a new subscription of the same stage. */
  reopen(gate: Gate | undefined, observer?: StageObserver, end?: PipelineEnd): void {
    this.isLive = true;
    this.inputIsOver = false;
    this.observer = observer;
    this.gate = gate;
    this.end = end;
  }

  /** The subscription has ended; what it still held is abandoned. */
  close(): void {
    if (!this.isLive) return;
    const held = this.#held;
    const progress = asked(this.progress, undefined);
    this.isLive = false;
    this.#held = none;
    // What it was asked of is released.
    this.progress = () => progress;
    // Last, because an operator's own function may throw.
    this.abandoned += held();
  }
}

const none = () => 0;
const unknown = () => undefined;

/** Whoever reads an account can do nothing about an error: items show as unaccounted for, and `close` fails. */
function asked<R>(ask: () => R, otherwise: R): R {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

export function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
