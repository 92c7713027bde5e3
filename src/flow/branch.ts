import { Observable, type Subscriber } from 'rxjs';
import { contextOf, type FlowContext } from './context.js';
import type { CancelWait } from './gate.js';
import type { Monitor, Stage } from './monitor.js';

export interface BranchInfo {
  readonly kind: string;
  readonly name: string;
  readonly monitor: Monitor;
  /** The stage that hands out to its branches; `undefined` if `monitor` does not watch it. */
  readonly branchOf: Stage | undefined;
}

/**
 * One way on from a stage that has several: a stream for one subscriber, whose gate the stage reads before it emits.
 *
 * Without a subscriber a branch is closed, not leaking: a lane that is retried waits for its subscriber to come back.
 */
export class Branch<T> {
  /** What is subscribed below this branch. One at a time. */
  readonly stream: Observable<T>;
  readonly #info: BranchInfo;
  #subscriber: Subscriber<T> | undefined;
  #context: FlowContext | undefined;
  #stage: Stage | undefined;
  #resume: (() => void) | undefined;
  #cancelWait: CancelWait | undefined;
  #completed = false;
  #ended = false;

  constructor(info: BranchInfo) {
    this.#info = info;
    this.stream = new Observable<T>((subscriber) => this.#connect(subscriber));
  }

  get isOpen(): boolean {
    return this.#context?.gate.isOpen ?? false;
  }

  /** Whether the chain below is over and will not come back. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
  }

  /** The context below, while there is a subscriber. */
  get context(): FlowContext | undefined {
    return this.#context;
  }

  /** Emits. Ask {@link isOpen} first. */
  next(item: T): void {
    const stage = this.#stage;
    if (!stage || !this.#subscriber) return;
    stage.in += 1;
    stage.out += 1;
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
    this.#wait();
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
    const stage = monitor.register({ kind, name, feeds: context.stage, branchOf, gate: context.gate });
    this.#stage = stage;
    this.#wait();
    return () => {
      stage.close();
      this.#cancelWait?.();
      this.#cancelWait = undefined;
      this.#subscriber = undefined;
      this.#context = undefined;
      this.#stage = undefined;
    };
  }

  #wait(): void {
    if (!this.#resume || !this.#context || this.#cancelWait) return;
    let resumed = false;
    const cancel = this.#context.gate.whenOpen(() => {
      resumed = true;
      this.#cancelWait = undefined;
      const resume = this.#resume;
      this.#resume = undefined;
      resume?.();
    });
    if (!resumed) this.#cancelWait = cancel;
  }
}
