import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import { AsyncSubject, type OperatorFunction, Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { FlowContext } from '../../flow/context.js';
import { Gate } from '../../flow/gate.js';
import { gatedSource, type Outlet } from '../../flow/gatedSource.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { assertMarblesEqual, brief } from '../marbleAssertion.js';
import type { OperatorSubject } from './operatorSubject.js';

/** How far `rest()` moves the clock: a longer timer counts as left behind. */
const REST_MS = 3_600_000;

/** How far `restUntilEnd()` looks for the end step by step. */
const MAX_END_MS = 10_000;

/** A source that a rule feeds by hand. While the gate is closed, it owes the items and emits them when the gate opens. */
export class Feed<I> {
  subscriptions = 0;
  active = 0;
  emitted = 0;
  readonly #item: (index: number) => I;
  #outlet: Outlet<I> | undefined;
  #owed = 0;
  #end: ((outlet: Outlet<I>) => void) | undefined;

  constructor(item: (index: number) => I) {
    this.#item = item;
  }

  readonly source$ = gatedSource<I>({ name: 'feed' }, (outlet) => {
    this.subscriptions += 1;
    this.active += 1;
    this.#outlet = outlet;
    this.#flow();
    return () => {
      this.active -= 1;
    };
  });

  /** The context that the source found at its latest subscription. */
  get context(): FlowContext | undefined {
    return this.#outlet?.context;
  }

  /** Whether the closed gate holds items back. */
  get isPaused(): boolean {
    return this.#owed > 0;
  }

  /** Emits the next items as the gate permits. */
  give(count: number): void {
    this.#owed += count;
    this.#flow();
  }

  /** Emits the next items immediately, ignoring the gate. */
  force(count: number): void {
    for (let given = 0; given < count && this.#outlet?.closed === false; given++) this.#emit(this.#outlet);
  }

  /** Completes once everything owed is emitted. */
  complete(): void {
    this.#end = (outlet) => outlet.complete();
    this.#flow();
  }

  /** Fails once everything owed is emitted. */
  fail(error: unknown): void {
    this.#end = (outlet) => outlet.error(error);
    this.#flow();
  }

  #flow(): void {
    const outlet = this.#outlet;
    if (!outlet) return;
    while (this.#owed > 0 && outlet.isOpen) {
      this.#owed -= 1;
      this.#emit(outlet);
    }
    if (this.#owed === 0) this.#end?.(outlet);
    else if (!outlet.closed) outlet.whenOpen(() => this.#flow());
  }

  #emit(outlet: Outlet<I>): void {
    this.emitted += 1;
    outlet.next(this.#item(this.emitted - 1));
  }
}

/** One subscription to the operator under test, with everything that it emitted. */
export class Trial<I, O> {
  readonly feed: Feed<I>;
  readonly gate = new Gate();
  readonly outputs: O[] = [];
  readonly errors: unknown[] = [];
  completions = 0;
  /** Outputs while the gate downstream was closed. */
  outputsWhileClosed = 0;
  /** Called with each output, after it was recorded. */
  onOutput: ((output: O) => void) | undefined;
  readonly #subject: OperatorSubject<I, O>;
  readonly #subscription = new Subscription();

  constructor(subject: OperatorSubject<I, O>, feed: Feed<I>) {
    this.#subject = subject;
    this.feed = feed;
  }

  subscribe(operator: OperatorFunction<I, O>, context: Partial<FlowContext>, source$ = this.feed.source$): this {
    const subscription = source$.pipe(operator, withContext<O>({ ...context, gate: this.gate })).subscribe({
      next: (output) => {
        if (!this.gate.isOpen) this.outputsWhileClosed += 1;
        this.outputs.push(output);
        this.onOutput?.(output);
      },
      error: (error) => this.errors.push(error),
      complete: () => {
        this.completions += 1;
      },
    });
    this.#subscription.add(subscription);
    return this;
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe();
  }

  get hasEnded(): boolean {
    return this.#subscription.closed || this.completions + this.errors.length > 0;
  }

  /** Every item of every output. */
  get items(): readonly unknown[] {
    const { itemsOf } = this.#subject;
    return itemsOf ? this.outputs.flatMap((output) => itemsOf(output)) : this.outputs;
  }

  /** Asserts that exactly the first `count` items were emitted, in order. */
  delivered(count: number): void {
    const expected = Array.from({ length: count }, (_, index) => this.#subject.item(index));
    deepStrictEqual(
      this.#lines(this.items),
      this.#lines(expected),
      `the ${count} items must be emitted once each, in order, but got ${brief(this.items)}`,
    );
  }

  #lines(items: readonly unknown[]): Map<unknown, unknown[]> {
    const lines = new Map<unknown, unknown[]>();
    for (const item of items) {
      const key = this.#subject.orderBy?.(item);
      const line = lines.get(key);
      if (line) line.push(item);
      else lines.set(key, [item]);
    }
    return lines;
  }

  /** Asserts that exactly the first `count` items were emitted, followed by the completion. */
  completedWith(count: number): void {
    this.delivered(count);
    this.completedOnce();
  }

  completedOnce(): void {
    deepStrictEqual(this.errors, [], 'it must complete rather than fail');
    equal(this.completions, 1, 'it must complete once');
  }

  failedOnce(error: unknown): void {
    equal(this.completions, 0, 'it must fail rather than complete');
    equal(this.errors.length, 1, `it must fail once, but failed ${this.errors.length} times`);
    assert(causes(this.errors[0]).includes(error), 'it must fail with the error itself or one caused by it');
  }

  obeyed(): void {
    equal(this.outputsWhileClosed, 0, `it emitted ${this.outputsWhileClosed} outputs while downstream was closed`);
  }
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [error];
  while (error instanceof Error && error.cause !== undefined && !chain.includes(error.cause)) {
    error = error.cause;
    chain.push(error);
  }
  return chain;
}

/** What every operator must do, checked in virtual time. */
export type OperatorRules = Readonly<Record<string, <I, O>(bench: OperatorBench<I, O>) => void>>;

/** Everything around an operator that a rule needs: the clock, upstream, downstream and the account. */
export class OperatorBench<I, O> {
  readonly subject: OperatorSubject<I, O>;
  readonly monitor = new PipelineMonitor();
  readonly #scheduler = new TestScheduler(assertMarblesEqual);
  readonly #stopping = new AsyncSubject<void>();

  constructor(subject: OperatorSubject<I, O>) {
    this.subject = subject;
  }

  /** Runs a rule in virtual time. */
  run(check: () => void): void {
    this.#scheduler.run(() => {
      this.#scheduler.maxFrames = REST_MS;
      check();
      this.rest();
    });
  }

  feed(item = this.subject.item): Feed<I> {
    return new Feed(item);
  }

  /** Subscribes an operator, by default a new one, to a new feed. */
  connect(operator = this.subject.make(), feed = this.feed()): Trial<I, O> {
    return this.prepare(feed).subscribe(operator, this.context);
  }

  /** A trial that is not subscribed yet. */
  prepare(feed = this.feed()): Trial<I, O> {
    return new Trial(this.subject, feed);
  }

  /** A trial whose downstream is closed: `before` items arrived before it closed, and `after` items since. */
  holding(before: number, after: number): Trial<I, O> {
    const trial = this.connect();
    trial.feed.give(before);
    trial.gate.close();
    trial.feed.give(after);
    this.rest();
    return trial;
  }

  /** Completes the source and advances time. */
  finish({ feed }: Trial<I, O>): void {
    feed.complete();
    this.rest();
  }

  get context(): Pick<FlowContext, 'stopping' | 'monitor'> {
    return { stopping: this.#stopping, monitor: this.monitor };
  }

  /** Asks the pipeline to drain. */
  stop(): void {
    this.#stopping.next();
    this.#stopping.complete();
  }

  /** Advances time until nothing is scheduled. */
  rest(): void {
    this.#scheduler.maxFrames = this.#scheduler.frame + REST_MS;
    this.#scheduler.flush();
  }

  /** Advances time only until the stream has ended, so that timers left behind can be detected. */
  restUntilEnd(trial: Trial<I, O>): void {
    for (let ms = 0; ms < MAX_END_MS; ms++) {
      this.#scheduler.maxFrames = this.#scheduler.frame;
      this.#scheduler.flush();
      if (trial.hasEnded) return;
      this.#scheduler.frame += 1;
    }
    this.rest();
  }

  /** Asserts that a subscription that has ended has released everything. */
  released({ feed, gate }: Trial<I, O>): void {
    equal(feed.active, 0, 'the source must be released');
    equal(gate.waiting, 0, `no callback may wait at the gate downstream: ${gate.waiting} do`);
    equal(this.#scheduler.actions.length, 0, `no timer may be left: ${this.#scheduler.actions.length} are`);
  }

  /** Asserts that every item is accounted for. */
  balanced(when: string, remedy = ''): void {
    for (const stage of this.monitor.stages) {
      equal(
        stage.conservation,
        0,
        `${when}, ${unbalanced(stage.conservation)} in the account of ${stage.name}${remedy}`,
      );
    }
    const { conservation } = this.monitor.account();
    equal(conservation, 0, `${when}, ${unbalanced(conservation)} in the account of the pipeline${remedy}`);
  }
}

function unbalanced(count: number): string {
  return count < 0 ? `${-count} items are too many` : `${count} items are missing`;
}
