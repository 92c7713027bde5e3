import { AsyncSubject, type Observable } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { Gate } from '../flow/gate.js';
import { type GatedMarbles, gatedMarbles } from './gatedMarbles.js';
import { assertMarblesEqual } from './marbleAssertion.js';

/** The helpers of RxJS and those that draw backpressure. */
export interface MarbleHelpers extends RunHelpers {
  /** The virtual clock. Operators use it without being told. */
  readonly scheduler: TestScheduler;
  /**
   * A cold source that obeys the gate of its context. While the gate is closed, the diagram is paused: nothing is emitted, and
   * the rest is delayed by the length of the pause. `gateLog$` draws the gate that it found.
   */
  gated<T = string>(marbles: string, values?: Readonly<Record<string, T>>, error?: unknown): GatedMarbles<T>;
  /**
   * A gate that opens at each `o` and closes at each `c`, for {@link withGate} or {@link withContext}. It starts open unless
   * frame 0 has a `c`. In a frame with an item, the gate moves first.
   */
  gate(marbles: string): Gate;
  /** A drain signal for {@link withContext}. It fires at the first letter, and immediately for later subscribers. */
  stopping(marbles: string): Observable<void>;
}

/**
 * Runs the body of a test in virtual time: `it('…', marbles(({ cold, expectObservable }) => { … }))`. Works with any runner,
 * because a failed test throws.
 *
 * A test also fails if an expectation lacks its `toBe` or `toEqual`, and if the body returns a promise, because promises do not
 * run in virtual time.
 *
 * @example
 * ```ts
 * import { batch } from 'sluice/operators';
 * import { marbles } from 'sluice/testing';
 *
 * export const test = marbles(({ gated, expectObservable, expectSubscriptions }) => {
 *   const items = gated('      -ab---c-|');
 *   const subscribed = '       ^-------!';
 *   const expected = '         ----x---(y|)';
 *   const values = { x: ['a', 'b'], y: ['c'] };
 *   expectObservable(items.pipe(batch({ size: 10, lingerMs: 3 }))).toBe(expected, values);
 *   expectSubscriptions(items.subscriptions).toBe(subscribed);
 * });
 * ```
 */
export function marbles(body: (helpers: MarbleHelpers) => void): () => void {
  return () => {
    const scheduler = new TestScheduler(assertMarblesEqual);
    let unfinished = 0;
    const finishing =
      <A extends unknown[]>(assertion: (...args: A) => void) =>
      (...args: A) => {
        unfinished -= 1;
        assertion(...args);
      };
    scheduler.run((helpers) => {
      const result: unknown = body({
        ...helpers,
        scheduler,
        gated: (diagram, values, error) => gatedMarbles(scheduler, diagram, values, error),
        gate: (diagram) => gateFrom(scheduler, diagram),
        stopping: (diagram) => stoppingFrom(scheduler, diagram),
        expectObservable: (observable, subscription) => {
          const { toBe, toEqual } = helpers.expectObservable(observable, subscription);
          unfinished += 1;
          return { toBe: finishing(toBe), toEqual: finishing(toEqual) };
        },
        expectSubscriptions: (logs) => {
          const { toBe } = helpers.expectSubscriptions(logs);
          unfinished += 1;
          return { toBe: finishing(toBe) };
        },
      });
      if (result instanceof Promise) {
        throw new TypeError('marbles: the test returns a promise, and promises do not run in virtual time');
      }
    });
    if (unfinished > 0) throw new Error(`marbles: ${unfinished} expectation(s) without toBe()`);
  };
}

function gateFrom(scheduler: TestScheduler, marbles: string): Gate {
  const gate = new Gate();
  for (const { frame, notification } of TestScheduler.parseMarbles(marbles, undefined, undefined, undefined, true)) {
    const letter = notification.kind === 'N' ? notification.value : undefined;
    if (letter !== 'o' && letter !== 'c') {
      throw new RangeError(`marbles: a gate is drawn with o and c only, got ${JSON.stringify(marbles)}`);
    }
    const move = () => (letter === 'o' ? gate.open() : gate.close());
    if (frame === 0) move();
    else scheduler.schedule(move, frame);
  }
  return gate;
}

function stoppingFrom(scheduler: TestScheduler, marbles: string): Observable<void> {
  const [first] = TestScheduler.parseMarbles(marbles, undefined, undefined, undefined, true);
  const signal = new AsyncSubject<void>();
  const fire = () => {
    signal.next();
    signal.complete();
  };
  if (first) scheduler.schedule(fire, first.frame);
  return signal.asObservable();
}
