import { map } from 'rxjs/operators';
import { describe, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { writeCoordinator } from '../src/operators/writeCoordinator.js';
import { hashKey } from '../src/primitives/hashKey.js';
import { marbles } from '../src/testing/marbles.js';
import { slowSink } from '../src/testing/slowSink.js';

/** Of two workers, a and c are for the first, b and d for the second. */
const keys = [0, 1].map((lane) => [...Array(50).keys()].find((key) => hashKey(key) % 2 === lane)!);
const by = (item: string) => (item === 'a' || item === 'c' ? keys[0]! : keys[1]!);
const items = map((outcome: { readonly items: readonly string[] }) => outcome.items.join(''));

describe('writeCoordinator', () => {
  it(
    'writes at once while a worker is idle, and one key after another',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot(' abcd------|');
      const subscribed = ' ^---------!';
      const outcomes = '   ---ab-cd--|';
      const sink = slowSink<string>({ serviceTimeMs: 3 });
      expectObservable(source.pipe(writeCoordinator(sink, { workers: 2, by }), items)).toBe(outcomes);
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'closes its gate at the high watermark of its buffer and opens it at the low one',
    marbles(({ gated, expectObservable, expectSubscriptions }) => {
      // One in flight, one in the batch behind it, one waits for its lane, and then the buffer fills.
      const source = gated('abcdefgh|                                   ');
      const subscribed = '  ^--------------------!                      ';
      const outcomes = '    -----a----b----c----d----e----f----g----(h|)';
      const upstream = '    o---coc---oc---oc---o                       ';
      const sink = slowSink<string>({ serviceTimeMs: 5 });
      const config = { workers: 1, batchSize: 1, capacity: 2, highWatermark: 1, lowWatermark: 0.5 };
      expectObservable(source.pipe(writeCoordinator(sink, config), items)).toBe(outcomes);
      expectObservable(source.gateLog$).toBe(upstream);
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'waits for others where it is not eager, no longer than lingerMs',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('ab-c--------|');
      const subscribed = '^-----------!';
      const outcomes = '  --x----y----|';
      const sink = slowSink<string>({ serviceTimeMs: 1 });
      const config = { workers: 1, batchSize: 2, eager: false, lingerMs: 3 };
      expectObservable(source.pipe(writeCoordinator(sink, config), items)).toBe(outcomes, { x: 'ab', y: 'c' });
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'takes nothing more when it is asked to drain, writes what it holds, and completes',
    marbles(({ hot, stopping, expectObservable, expectSubscriptions }) => {
      const source = hot('    abc---d---');
      const drain = stopping('---s      ');
      const outcomes = '      ------(x|)';
      const subscribed = '    ^--!      ';
      const sink = slowSink<string>({ serviceTimeMs: 3 });
      const config = { workers: 1, batchSize: 9, eager: false, lingerMs: 100 };
      expectObservable(source.pipe(writeCoordinator(sink, config), withContext({ stopping: drain }), items)).toBe(
        outcomes,
        {
          x: 'abc',
        },
      );
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lets go of everything when it is unsubscribed',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('   abc-----');
      const unsubscribed = ' ^--!    ';
      const sink = slowSink<string>({ serviceTimeMs: 5 });
      expectObservable(source.pipe(writeCoordinator(sink), items), unsubscribed).toBe('--------');
      expectSubscriptions(source.subscriptions).toBe(unsubscribed);
    }),
  );
});
