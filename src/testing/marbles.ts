import { AsyncSubject, type Observable } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { Gate } from '../flow/gate.js';
import { type GatedMarbles, gatedMarbles } from './gatedMarbles.js';
import { assertMarblesEqual } from './marbleAssertion.js';

/** What a marble test is given: the helpers of RxJS, and those that draw backpressure. */
export interface MarbleHelpers extends RunHelpers {
  /** The virtual clock. Operators without a scheduler of their own run on it already. */
  readonly scheduler: TestScheduler;
  /**
   * A cold source that obeys the gate of its context. While the gate is closed the time of the diagram stands still: nothing
   * is emitted, and what is left comes later by the length of the pause. `gateLog$` draws the gate that it found.
   */
  gated<T = string>(marbles: string, values?: Readonly<Record<string, T>>, error?: unknown): GatedMarbles<T>;
  /**
   * A gate that opens at each `o` and closes at each `c`, for {@link withGate} or {@link withContext}. Open from the
   * start unless frame 0 says `c`. In its frames it moves before any item does.
   */
  gate(marbles: string): Gate;
  /** A signal to drain, for {@link withContext}: fires at the first letter, and at once for those who subscribe later. */
  stopping(marbles: string): Observable<void>;
}

/**
 * Makes the body of a test run in virtual time: `it('…', marbles(({ cold, expectObservable }) => { … }))`. Works with any
 * runner: the test fails by an exception.
 *
 * Besides what `TestScheduler` reports, a test fails when an expectation was begun and not finished with `toBe` or
 * `toEqual`, and when the body returns a promise: promises do not run in virtual time.
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
          return {
            toBe(...expected) {
              unfinished -= 1;
              toBe(...expected);
            },
            toEqual(other) {
              unfinished -= 1;
              toEqual(other);
            },
          };
        },
        expectSubscriptions: (logs) => {
          const { toBe } = helpers.expectSubscriptions(logs);
          unfinished += 1;
          return {
            toBe(expected) {
              unfinished -= 1;
              toBe(expected);
            },
          };
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
  const moves = TestScheduler.parseMarbles(marbles, undefined, undefined, undefined, true).map(
    ({ frame, notification }) => ({ frame, letter: notification.kind === 'N' ? notification.value : undefined }),
  );
  const wrong = moves.find(({ letter }) => letter !== 'o' && letter !== 'c');
  if (wrong) throw new RangeError(`marbles: a gate is drawn with o and c only, got ${JSON.stringify(marbles)}`);
  const starts = moves.filter(({ frame }) => frame === 0).at(-1)?.letter;
  const gate = new Gate(starts === 'c' ? 'closed' : 'open');
  for (const { frame, letter } of moves) {
    if (frame > 0) scheduler.schedule(() => (letter === 'o' ? gate.open() : gate.close()), frame);
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
