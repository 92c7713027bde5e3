import { defer, Observable } from 'rxjs';
import { describe, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { type CircuitBreakerOptions, circuitBreaker } from '../src/operators/circuitBreaker.js';
import { CircuitOpenError } from '../src/operators/errors/circuitOpenError.js';
import { retryWithJitter } from '../src/operators/retryWithJitter.js';
import { CircuitBreaker, type CircuitBreakerConfig } from '../src/policies/circuitBreaker.js';
import { marbles, withGate } from '../src/testing/index.js';

/** Opens at the first failure, for five frames, and closes again at the first success. */
const touchy = (config: CircuitBreakerConfig = {}) =>
  new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 5, ...config });

const WAIT: CircuitBreakerOptions = { whenOpen: 'wait', healthyAfterMs: 4 };

const again = <T>() =>
  retryWithJitter<T>({ maxAttempts: Number.POSITIVE_INFINITY, jitter: 'none', initialMs: 1, maxMs: 1 });

/** A source that is another at each subscription. */
function inTurn<T>(...sources: readonly Observable<T>[]): Observable<T> {
  let attempt = 0;
  return defer(() => sources[attempt++]!);
}

/** The changes of a breaker, as the first letters of its states. */
const changes = (breaker: CircuitBreaker) =>
  new Observable<string>((subscriber) => breaker.onChange((state) => subscriber.next(state[0]!)));

describe('circuitBreaker', () => {
  it(
    'goes through its whole cycle with two who take turns at the probe',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const first = cold('     a-#               ');
      const probe = cold('             -#         ');
      const third = cold('                     c|');
      const other = cold('                   -b|');
      const states = '         --o----ho----h-c  ';
      const expected = '       a--------------c| ';
      const expectedOther = '  --------------b|  ';
      const otherComes = '     ----^             ';
      expectObservable(changes(breaker)).toBe(states);
      const chain = inTurn<string>(first, probe, third).pipe(circuitBreaker(breaker, WAIT), again());
      expectObservable(chain).toBe(expected);
      expectObservable(other.pipe(circuitBreaker(breaker, WAIT), again()), otherComes).toBe(expectedOther);
      expectSubscriptions(first.subscriptions).toBe('^-!               ');
      expectSubscriptions(probe.subscriptions).toBe('-------^!         ');
      // Who has just failed goes to the end of the line.
      expectSubscriptions(other.subscriptions).toBe('-------------^-!  ');
      expectSubscriptions(third.subscriptions).toBe('---------------^! ');
    }),
  );

  it(
    'spends no attempt of a retry while it waits',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy({ openMs: 1_000 });
      const source = inTurn<string>(cold('a#'), cold('b|'));
      const other = cold('       #');
      const once = retryWithJitter<string>({ maxAttempts: 2, jitter: 'none', initialMs: 1, maxMs: 1 });
      expectObservable(source.pipe(circuitBreaker(breaker, WAIT), once)).toBe('a 1000ms b|');
      expectObservable(other.pipe(circuitBreaker(breaker, WAIT)), '--^ 500ms !').toBe('');
      expectSubscriptions(other.subscriptions).toBe([]);
    }),
  );

  it(
    'fails at once where it is told to, and says when to come back',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const failing = cold('    --#      ');
      const source = cold('            b|');
      const comes = '           ---^     ';
      const failed = '          ---#     ';
      const retried = '         -------b|';
      const fail = circuitBreaker<string>(breaker, { whenOpen: 'fail', name: 'feed' });
      expectObservable(failing.pipe(fail)).toBe('--#');
      expectObservable(source.pipe(fail), comes).toBe(failed, undefined, new CircuitOpenError('feed', 4));
      expectObservable(source.pipe(fail, again()), comes).toBe(retried);
      expectSubscriptions(source.subscriptions).toBe('-------^!');
    }),
  );

  it(
    'does not hear the late success of a call from before it opened',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy({ openMs: 10 });
      const slow = cold('      -----------|  ');
      const failing = cold('   --#           ');
      const later = cold('                 a|');
      const states = '         --o---------hc';
      const comes = '          -----------^  ';
      expectObservable(changes(breaker)).toBe(states);
      expectObservable(slow.pipe(circuitBreaker(breaker, WAIT))).toBe('-----------|');
      expectObservable(failing.pipe(circuitBreaker(breaker, WAIT))).toBe('--#');
      expectObservable(later.pipe(circuitBreaker(breaker, WAIT)), comes).toBe('------------a|');
      expectSubscriptions(later.subscriptions).toBe('------------^!');
    }),
  );

  it(
    'gives the probe to the next in line when it is let go without a verdict',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const failing = cold('   --#           ');
      const mute = cold('             ------ ');
      const next = cold('                a|  ');
      expectObservable(failing.pipe(circuitBreaker(breaker, WAIT))).toBe('--#');
      expectObservable(mute.pipe(circuitBreaker(breaker, WAIT)), '---^-----!').toBe('');
      expectObservable(next.pipe(circuitBreaker(breaker, WAIT)), '----^').toBe('---------a|');
      expectSubscriptions(mute.subscriptions).toBe('-------^-!');
      expectSubscriptions(next.subscriptions).toBe('---------^!');
    }),
  );

  it(
    'closes when a stream that does not end has been up for long enough after its first item',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const feed = inTurn<string>(cold('#'), cold('--a-b-c-d-'));
      const waiting = cold('                        x|');
      const states = '       o----h-----c   ';
      const expected = '     -------a-b-c-d-';
      expectObservable(changes(breaker)).toBe(states);
      expectObservable(feed.pipe(circuitBreaker(breaker, WAIT), again()), '^--------------!').toBe(expected);
      expectObservable(waiting.pipe(circuitBreaker(breaker, WAIT)), '------^').toBe('-----------x|');
      expectSubscriptions(waiting.subscriptions).toBe('-----------^!');
    }),
  );

  it(
    'opens again when the probe is kicked after its first item',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const attempts = [cold('#'), cold('-a--#'), cold('b|')];
      const feed = inTurn<string>(...attempts);
      const states = '       o----h---o----hc';
      const expected = '     ------a-------b|';
      expectObservable(changes(breaker)).toBe(states);
      expectObservable(feed.pipe(circuitBreaker(breaker, WAIT), again())).toBe(expected);
      expectSubscriptions(attempts[0]!.subscriptions).toBe('(^!)');
      expectSubscriptions(attempts[1]!.subscriptions).toBe('-----^---!');
      expectSubscriptions(attempts[2]!.subscriptions).toBe('--------------^!');
    }),
  );

  it(
    'completes at once when asked to drain while it waits, and subscribes nothing',
    marbles(({ cold, stopping, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const failing = cold('  #       ');
      const source = cold('   a|      ');
      const drain = stopping('---s    ');
      expectObservable(failing.pipe(circuitBreaker(breaker, WAIT))).toBe('#');
      const chain = source.pipe(circuitBreaker(breaker, WAIT), withContext({ stopping: drain }));
      expectObservable(chain, '-^').toBe('---|');
      // Asked before it came.
      expectObservable(chain, '----^').toBe('----|');
      expectSubscriptions(source.subscriptions).toBe([]);
    }),
  );

  it(
    'leaves it to the source to end when it is asked to drain after the wait',
    marbles(({ cold, stopping, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const failing = cold('  #          ');
      const source = cold('        a-b-c|');
      const subscribed = '    -----^----!';
      const drain = stopping('-------s   ');
      const expected = '      -----a-b-c|';
      expectObservable(failing.pipe(circuitBreaker(breaker, WAIT))).toBe('#');
      const chain = source.pipe(circuitBreaker(breaker, WAIT), withContext({ stopping: drain }));
      expectObservable(chain, '-^').toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'gives up its place in line when it is unsubscribed',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const breaker = touchy();
      const gone = cold('a|');
      const next = cold('     b|');
      expectObservable(cold('#').pipe(circuitBreaker(breaker, WAIT))).toBe('#');
      expectObservable(gone.pipe(circuitBreaker(breaker, WAIT)), '-^-!').toBe('');
      expectObservable(next.pipe(circuitBreaker(breaker, WAIT)), '--^').toBe('-----b|');
      expectSubscriptions(gone.subscriptions).toBe([]);
      expectSubscriptions(next.subscriptions).toBe('-----^!');
    }),
  );

  it(
    'lets the source find the gate downstream',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const source = gated('    a-b-c|   ');
      const downstream = gate(' o-c--o   ');
      const expected = '        a----b-c|';
      expectObservable(source.pipe(circuitBreaker(touchy(), WAIT), withGate(downstream))).toBe(expected);
      expectObservable(source.gateLog$).toBe('o-c--o');
      expectSubscriptions(source.subscriptions).toBe('^-------!');
    }),
  );
});
