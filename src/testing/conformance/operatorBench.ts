import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import { inspect } from 'node:util';
import { AsyncSubject, type OperatorFunction, type Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { FlowContext } from '../../flow/context.js';
import { Gate } from '../../flow/gate.js';
import { gatedSource, type Outlet } from '../../flow/gatedSource.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { assertMarblesEqual } from '../marbleAssertion.js';
import type { OperatorSubject } from './operatorSubject.js';
import type { Rule } from './testsOf.js';

/** How far the clock is moved when everything is to come to rest: what takes longer than an hour never does. */
const REST_MS = 3_600_000;

/** How long a small operator may take for the few items of a rule, where the end is looked for step by step. */
const MAX_END_MS = 10_000;

/** A source that a rule feeds by hand. It obeys the gate: what may not be emitted yet follows when the gate opens. */
export class Feed<I> {
  subscriptions = 0;
  active = 0;
  /** How many items were emitted. */
  emitted = 0;
  readonly #item: (index: number) => I;
  #outlet: Outlet<I> | undefined;
  #owed = 0;
  #waiting = false;
  #end: ((outlet: Outlet<I>) => void) | undefined;

  constructor(item: (index: number) => I) {
    this.#item = item;
  }

  readonly source$ = gatedSource<I>({ name: 'feed' }, (outlet) => {
    this.subscriptions += 1;
    this.active += 1;
    this.#outlet = outlet;
    this.#waiting = false;
    this.#flow();
    return () => {
      this.active -= 1;
    };
  });

  /** The context that the source found at its latest subscription. */
  get context(): FlowContext | undefined {
    return this.#outlet?.context;
  }

  /** Whether items are left that the gate does not let through. */
  get isPaused(): boolean {
    return this.#owed > 0;
  }

  /** Emits the next items, as the gate lets it. */
  give(count: number): void {
    this.#owed += count;
    this.#flow();
  }

  /** Emits the next items at once, whatever the gate says. */
  force(count: number): void {
    for (let given = 0; given < count && this.#outlet?.closed === false; given++) this.#emit(this.#outlet);
  }

  /** Completes once everything given is emitted. */
  complete(): void {
    this.#end = (outlet) => outlet.complete();
    this.#flow();
  }

  /** Fails once everything given is emitted. */
  fail(error: unknown): void {
    this.#end = (outlet) => outlet.error(error);
    this.#flow();
  }

  #flow(): void {
    const outlet = this.#outlet;
    if (!outlet || this.#waiting) return;
    while (this.#owed > 0 && outlet.isOpen) {
      this.#owed -= 1;
      this.#emit(outlet);
    }
    if (this.#owed > 0 && !outlet.closed) {
      this.#waiting = true;
      outlet.whenOpen(() => {
        this.#waiting = false;
        this.#flow();
      });
    } else if (this.#owed === 0) {
      this.#end?.(outlet);
    }
  }

  #emit(outlet: Outlet<I>): void {
    this.emitted += 1;
    outlet.next(this.#item(this.emitted - 1));
  }
}

/** One subscription of the operator under test, with everything that came of it. */
export class Trial<I, O> {
  readonly feed: Feed<I>;
  readonly gate: Gate;
  readonly outputs: O[] = [];
  readonly errors: unknown[] = [];
  completions = 0;
  /** Outputs that came while the gate downstream was closed. */
  outputsWhileClosed = 0;
  /** Signals of any kind after the first terminal one, or after the end of the subscription. */
  signalsAfterEnd = 0;
  /** Called with each output, after it is written down. */
  onOutput: ((output: O) => void) | undefined;
  #unsubscribed = false;
  #subscription: Subscription | undefined;
  readonly #item: (index: number) => I;
  readonly #itemsOf: (output: O) => readonly unknown[];
  readonly #orderBy: (item: unknown) => unknown;

  constructor({ item, itemsOf, orderBy }: OperatorSubject<I, O>, feed: Feed<I>, gate: Gate) {
    this.#item = item;
    this.#itemsOf = itemsOf ?? ((output) => [output]);
    this.#orderBy = orderBy ?? (() => undefined);
    this.feed = feed;
    this.gate = gate;
  }

  subscribe(operator: OperatorFunction<I, O>, context: Partial<FlowContext>, source$ = this.feed.source$): this {
    const subscription = source$.pipe(operator, withContext<O>({ ...context, gate: this.gate })).subscribe({
      next: (output) => {
        if (this.hasEnded) this.signalsAfterEnd += 1;
        if (!this.gate.isOpen) this.outputsWhileClosed += 1;
        this.outputs.push(output);
        this.onOutput?.(output);
      },
      error: (error) => {
        if (this.hasEnded) this.signalsAfterEnd += 1;
        this.errors.push(error);
      },
      complete: () => {
        if (this.hasEnded) this.signalsAfterEnd += 1;
        this.completions += 1;
      },
    });
    this.#subscription = subscription;
    if (this.#unsubscribed) subscription.unsubscribe();
    return this;
  }

  unsubscribe(): void {
    this.#unsubscribed = true;
    this.#subscription?.unsubscribe();
  }

  get hasEnded(): boolean {
    return this.#unsubscribed || this.completions + this.errors.length > 0;
  }

  /** Every item that came out, flat. */
  get items(): unknown[] {
    return this.outputs.flatMap((output) => this.#itemsOf(output));
  }

  /** That exactly the first `count` items came out, in order. */
  delivered(count: number): void {
    const expected = Array.from({ length: count }, (_, index) => this.#item(index));
    deepStrictEqual(
      this.#lines(this.items),
      this.#lines(expected),
      `the ${count} items must come out, once each and in order; there came ${brief(this.items)}`,
    );
  }

  #lines(items: readonly unknown[]): Map<unknown, unknown[]> {
    const lines = new Map<unknown, unknown[]>();
    for (const item of items) {
      const key = this.#orderBy(item);
      const line = lines.get(key);
      if (line) line.push(item);
      else lines.set(key, [item]);
    }
    return lines;
  }

  completedOnce(): void {
    deepStrictEqual(this.errors, [], 'it must complete and not fail');
    equal(this.completions, 1, 'it must complete once');
    equal(this.signalsAfterEnd, 0, 'nothing may follow the terminal signal');
  }

  failedOnce(error: unknown): void {
    equal(this.completions, 0, 'it must fail and not complete');
    equal(this.errors.length, 1, `it must fail once, and failed ${this.errors.length} times`);
    assert(causes(this.errors[0]).includes(error), `it must fail with the error itself, or one caused by it`);
    equal(this.signalsAfterEnd, 0, 'nothing may follow the terminal signal');
  }

  obeyed(): void {
    equal(this.outputsWhileClosed, 0, `it emitted ${this.outputsWhileClosed} outputs while downstream was closed`);
  }
}

function brief(items: readonly unknown[]): string {
  return inspect(items, { maxArrayLength: 60, breakLength: Infinity, compact: true });
}

function causes(error: unknown): unknown[] {
  const chain: unknown[] = [error];
  while (error instanceof Error && error.cause !== undefined && !chain.includes(error.cause)) {
    error = error.cause;
    chain.push(error);
  }
  return chain;
}

/** What every operator must do, as a check in virtual time. */
export interface OperatorRule extends Rule {
  check<I, O>(bench: OperatorBench<I, O>): void;
}

/** Everything around an operator that a rule needs: the clock, what is upstream, what is downstream, the account. */
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

  feed(): Feed<I> {
    return new Feed(this.subject.item);
  }

  /** Subscribes an operator, by default a new one, to a feed, by default a new one. */
  connect(operator = this.subject.make(), feed = this.feed(), gate = new Gate()): Trial<I, O> {
    return this.prepare(feed, gate).subscribe(operator, this.context);
  }

  /** A trial not yet subscribed. */
  prepare(feed = this.feed(), gate = new Gate()): Trial<I, O> {
    return new Trial(this.subject, feed, gate);
  }

  get context(): Pick<FlowContext, 'stopping' | 'monitor'> {
    return { stopping: this.#stopping, monitor: this.monitor };
  }

  /** Asks the pipeline to drain. */
  stop(): void {
    this.#stopping.next();
    this.#stopping.complete();
  }

  /** Lets time pass until nothing is scheduled any more. */
  rest(): void {
    this.#scheduler.maxFrames = this.#scheduler.frame + REST_MS;
    this.#scheduler.flush();
  }

  /** Lets time pass until the stream has ended, and no further: what it leaves scheduled is still to be seen. */
  restUntilEnd(trial: Trial<I, O>): void {
    for (let ms = 0; ms < MAX_END_MS; ms++) {
      this.#scheduler.maxFrames = this.#scheduler.frame;
      this.#scheduler.flush();
      if (trial.hasEnded) return;
      this.#scheduler.frame += 1;
    }
    this.rest();
  }

  /** That a subscription that is over has left nothing behind. */
  released({ feed, gate }: Trial<I, O>): void {
    equal(feed.active, 0, 'the source must be released');
    equal(gate.waiting, 0, `no wait at the gate downstream may be left: ${gate.waiting}`);
    equal(this.#scheduler.actions.length, 0, `no timer may be left: ${this.#scheduler.actions.length}`);
  }

  /** That every item is accounted for. */
  balanced(when: string): void {
    for (const stage of this.monitor.stages) {
      equal(stage.conservation, 0, `${when}, ${stage.conservation} items are missing in the account of ${stage.name}`);
    }
    const { conservation } = this.monitor.account();
    equal(conservation, 0, `${when}, ${conservation} items are missing in the account of the pipeline`);
  }
}
