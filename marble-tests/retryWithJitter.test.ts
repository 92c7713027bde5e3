import { defer, type Observable, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { type RetryWithJitterConfig, retryWithJitter } from '../src/operators/retryWithJitter.js';
import type { Jitter } from '../src/policies/backoff.js';
import { Xoshiro128 } from '../src/primitives/xoshiro128.js';
import { marbles, withGate } from '../src/testing/index.js';

/** Waits of two frames, always. */
const steady: RetryWithJitterConfig = { jitter: 'none', initialMs: 2, maxMs: 2 };

/** A source that is another at each subscription. */
function inTurn<T>(...sources: readonly Observable<T>[]): Observable<T> {
  let attempt = 0;
  return defer(() => sources[attempt++]!);
}

/** The largest number that `random` gives. */
const ALMOST_ONE = 1 - 2 ** -32;

/** The frames between the attempts of a source that fails at once: five waits, at most 100, 200, 400, 800 and 800. */
function waits(jitter: Jitter, random: () => number): number[] {
  const attempts: number[] = [];
  let failed = false;
  marbles(({ scheduler, flush }) => {
    const source = defer(() => {
      attempts.push(scheduler.now());
      return throwError(() => new Error('refused'));
    });
    const operator = retryWithJitter({ maxAttempts: 6, initialMs: 100, maxMs: 800, jitter, random });
    source.pipe(operator).subscribe({
      error() {
        failed = true;
      },
    });
    flush();
  })();
  expect(failed).toBe(true);
  expect(attempts).toHaveLength(6);
  // To a millionth: the difference of two large numbers is not exact.
  return attempts.slice(1).map((frame, i) => Number((frame - attempts[i]!).toFixed(6)));
}

describe('retryWithJitter', () => {
  it(
    'subscribes again after a wait that grows up to its limit',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('   a#');
      const attempts = [
        '                     ^!',
        '                     --^!',
        '                     -----^!',
        '                     ----------^!',
        '                     ---------------^!',
      ];
      const expected = '      a-a--a----a----a#';
      const operator = retryWithJitter<string>({ maxAttempts: 5, jitter: 'none', initialMs: 1, maxMs: 4 });
      expectObservable(source.pipe(operator)).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(attempts);
    }),
  );

  it(
    'begins with a short wait again after a source that was healthy',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const attempts = [cold('#'), cold('#'), cold('a---#'), cold('b|')];
      const source = inTurn<string>(...attempts);
      const expected = '          ---a----b|';
      const operator = retryWithJitter<string>({ jitter: 'none', initialMs: 1, healthyAfterMs: 4 });
      expectObservable(source.pipe(operator)).toBe(expected);
      expectSubscriptions(attempts[0]!.subscriptions).toBe('(^!)');
      expectSubscriptions(attempts[1]!.subscriptions).toBe('-(^!)');
      expectSubscriptions(attempts[2]!.subscriptions).toBe('---^---!');
      expectSubscriptions(attempts[3]!.subscriptions).toBe('--------^!');
    }),
  );

  it(
    'takes a source for healthy that has emitted and was up for long enough, and no other',
    marbles(({ cold, expectObservable }) => {
      const operator = retryWithJitter<string>({ ...steady, maxAttempts: 2, healthyAfterMs: 4 });
      const healthy = inTurn<string>(cold('--a-#'), cold('--b-#'), cold('c|'));
      const short = inTurn<string>(cold('  a--#'), cold('b--#'), cold('c|'));
      const silent = inTurn<string>(cold(' -----#'), cold('-----#'), cold('c|'));
      expectObservable(healthy.pipe(operator)).toBe('--a-----b---c|');
      expectObservable(short.pipe(operator)).toBe('  a----b--#');
      expectObservable(silent.pipe(operator)).toBe(' ------------#');
    }),
  );

  it(
    'gives up a provider that accepts, sends something, and kicks, every time',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const provider = cold(' -w---#                  ');
      const attempts = [
        '                     ^----!                  ',
        '                     -------^----!           ',
        '                     --------------^----!    ',
      ];
      const expected = '      -w------w------w---#    ';
      expectObservable(provider.pipe(retryWithJitter({ ...steady, maxAttempts: 3 }))).toBe(expected);
      expectSubscriptions(provider.subscriptions).toBe(attempts);
    }),
  );

  it(
    'waits for as long as the error says, at least',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const busy = { retryAfterMs: 5 };
      const wrapped = new Error('busy', { cause: busy });
      const hasty = { retryAfterMs: 1 };
      const attempts = [
        cold('a#', undefined, busy),
        cold('b#', undefined, wrapped),
        cold('c#', undefined, hasty),
        cold('d|'),
      ];
      const source = inTurn<string>(...attempts);
      const expected = '          a-----b-----c--d|';
      expectObservable(source.pipe(retryWithJitter(steady))).toBe(expected);
      expectSubscriptions(attempts[0]!.subscriptions).toBe('^!');
      expectSubscriptions(attempts[1]!.subscriptions).toBe('------^!');
      expectSubscriptions(attempts[2]!.subscriptions).toBe('------------^!');
      expectSubscriptions(attempts[3]!.subscriptions).toBe('---------------^!');
    }),
  );

  it(
    'begins no attempt later than maxElapsedMs after the first failure in a row',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a#');
      const operator = (maxElapsedMs: number) =>
        retryWithJitter<string>({ ...steady, maxAttempts: Number.POSITIVE_INFINITY, maxElapsedMs });
      expectObservable(source.pipe(operator(5))).toBe('a--a--a#');
      expectObservable(source.pipe(operator(4))).toBe('a--a#');
      expectObservable(source.pipe(operator(1))).toBe('a#');
      expectSubscriptions(source.subscriptions).toBe(['^!', '^!', '^!', '---^!', '---^!', '------^!']);
    }),
  );

  it(
    'lets the source find the gate downstream at each attempt',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const source = gated('   ab#        ');
      const downstream = gate('o--c--o----');
      const expected = '       ab----ab#  ';
      expectObservable(source.pipe(retryWithJitter({ ...steady, maxAttempts: 2 }), withGate(downstream))).toBe(
        expected,
      );
      expectObservable(source.gateLog$).toBe('o---c-o');
      expectSubscriptions(source.subscriptions).toBe(['^-!', '----^---!']);
    }),
  );

  it(
    'completes at once when asked to drain while it waits',
    marbles(({ hot, stopping, expectObservable, expectSubscriptions }) => {
      const source = hot('    a-#-------');
      const drain = stopping('---s      ');
      const expected = '      a--|      ';
      const operator = retryWithJitter<string>({ jitter: 'none', initialMs: 5 });
      expectObservable(source.pipe(operator, withContext({ stopping: drain }))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }),
  );

  it(
    'passes an error on that comes after it was asked to drain',
    marbles(({ hot, stopping, expectObservable, expectSubscriptions }) => {
      const source = hot('    a---#   ');
      const drain = stopping('--s     ');
      const expected = '      a---#   ';
      expectObservable(source.pipe(retryWithJitter(steady), withContext({ stopping: drain }))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe('^---!');
    }),
  );

  it(
    'lets go of the source, or of the wait',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('   a--#      ');
      const other = cold('    a--#      ');
      expectObservable(source.pipe(retryWithJitter(steady)), '-!').toBe('a-');
      expectObservable(other.pipe(retryWithJitter(steady)), '  ----!').toBe('a----');
      expectSubscriptions(source.subscriptions).toBe('^!');
      expectSubscriptions(other.subscriptions).toBe('^--!');
    }),
  );

  it.each<[Jitter, lower: number[], upper: number[]]>([
    ['full', [0, 0, 0, 0, 0], [100, 200, 400, 800, 800]],
    ['equal', [50, 100, 200, 400, 400], [100, 200, 400, 800, 800]],
    ['decorrelated', [100, 100, 100, 100, 100], [300, 800, 800, 800, 800]],
    ['none', [100, 200, 400, 800, 800], [100, 200, 400, 800, 800]],
  ])('keeps each wait within the bounds of jitter %s', (jitter, lower, upper) => {
    expect(waits(jitter, () => 0)).toEqual(lower);
    for (const [i, wait] of waits(jitter, () => ALMOST_ONE).entries()) {
      expect(wait).toBeLessThanOrEqual(upper[i]!);
      expect(wait).toBeGreaterThan(upper[i]! - 0.001);
    }
    const generator = Xoshiro128.fromSeed(42);
    const drawn = Array.from({ length: 200 }, () => waits(jitter, () => generator.unit()));
    for (let i = 0; i < 5; i++) {
      const ith = drawn.map((row) => row[i]!);
      const span = upper[i]! - lower[i]!;
      // Both ends of the range are reached, and none is passed. Waits that follow from others get near the lower end less.
      expect(Math.min(...ith)).toBeGreaterThanOrEqual(lower[i]!);
      expect(Math.min(...ith)).toBeLessThanOrEqual(lower[i]! + span / 10);
      expect(Math.max(...ith)).toBeLessThanOrEqual(upper[i]!);
      expect(Math.max(...ith)).toBeGreaterThanOrEqual(upper[i]! - span / 5);
    }
  });
});
