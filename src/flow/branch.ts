import { Observable, type Subscriber } from 'rxjs';
import { Wait } from '../primitives/wait.js';
import { contextOf, type FlowContext, registerStage } from './context.js';
import type { Monitor } from './monitor.js';
import type { Stage, StageAccount } from './stage.js';

export interface BranchInfo {
  readonly kind: string;
  readonly name: string;
  readonly monitor: Monitor;
  /** The stage that hands out to its branches; `undefined` if `monitor` does not watch it. */
  readonly branchOf: Stage | undefined;
  /** Whether that stage hands out batches. */
  readonly takesBatches: () => boolean;
}

/**
 * One of several ways on from a stage: a stream for one subscriber, whose gate the stage reads before it emits.
 *
 * Without a subscriber a branch is closed rather than leaking: a lane that is retried waits for its subscriber to return.
 */
export class Branch<T> {
  /** What is subscribed below this branch. One at a time. */
  readonly stream: Observable<T>;
  /** Whether the chain below is over and will not come back: set by the stage that subscribed it. */
  hasEnded = false;
  readonly #info: BranchInfo;
  #subscriber: Subscriber<T> | undefined;
  #context: FlowContext | undefined;
  #account: StageAccount | undefined;
  #resume: (() => void) | undefined;
  readonly #wait = new Wait();
  #completed = false;

  constructor(info: BranchInfo) {
    this.#info = info;
    this.stream = new Observable<T>((subscriber) => this.#connect(subscriber));
  }

  get isOpen(): boolean {
    return this.#context?.gate.isOpen ?? false;
  }

  /** The context below, while there is a subscriber. */
  get context(): FlowContext | undefined {
    return this.#context;
  }

  /** Emits what counts as `weight` items. Ask {@link isOpen} first. */
  next(item: T, weight: number): void {
    const account = this.#account;
    if (!account || !this.#subscriber) return;
    account.in += weight;
    account.out += weight;
    this.#subscriber.next(item);
  }

  error(error: unknown): void {
    this.#completed = true;
    this.#subscriber?.error(error);
  }

  complete(): void {
    this.#completed = true;
    this.#subscriber?.complete();
  }

  /** Calls `resume` once, when this branch has a subscriber whose gate is open. A later call replaces an earlier one. */
  whenOpen(resume: () => void): void {
    this.#resume = resume;
    this.#waitUntilOpen();
  }

  #connect(subscriber: Subscriber<T>): (() => void) | undefined {
    const { kind, name, monitor, branchOf } = this.#info;
    if (this.#subscriber) {
      subscriber.error(new Error(`${name} has a subscriber already: use broadcast() to read a branch more than once`));
      return undefined;
    }
    if (this.#completed) {
      subscriber.complete();
      return undefined;
    }
    const context = contextOf(subscriber);
    this.#subscriber = subscriber;
    this.#context = context;
    const account = registerStage(context, { kind, name, branchOf, gate: context.gate }, monitor);
    this.#account = account;
    if (this.#info.takesBatches()) context.onBatches?.();
    this.#waitUntilOpen();
    return () => {
      account.close();
      this.#wait.cancel();
      this.#subscriber = undefined;
      this.#context = undefined;
      this.#account = undefined;
    };
  }

  #waitUntilOpen(): void {
    if (!this.#resume || !this.#context || this.#wait.isPending) return;
    const { gate } = this.#context;
    this.#wait.begin(
      (over) => gate.whenOpen(over),
      () => {
        const resume = this.#resume;
        this.#resume = undefined;
        resume?.();
      },
    );
  }
}
