import { map } from 'rxjs/operators';
import { describe, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { batch } from '../src/operators/batch.js';
import { writeTo } from '../src/operators/writeTo.js';
import { marbles } from '../src/testing/marbles.js';
import { slowSink } from '../src/testing/slowSink.js';
import { withGate } from '../src/testing/withGate.js';

describe('batch', () => {
  it(
    'emits when full, when its first item has lingered, and at the end',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot('  ab-c------d-|   ');
      const subscribed = ' ^-----------!   ';
      const expected = '   -x----y-----(z|)';
      const values = { x: ['a', 'b'], y: ['c'], z: ['d'] };
      expectObservable(items.pipe(batch({ size: 2, lingerMs: 3 }))).toBe(expected, values);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lingers from the first item of each batch, also right after a full one',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot(' a--bc---------|');
      const subscribed = '^-------------!';
      const expected = '  ---x----y-----|';
      expectObservable(items.pipe(batch({ size: 2, lingerMs: 4 }))).toBe(expected, { x: ['a', 'b'], y: ['c'] });
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'does not starve what comes after a lull longer than the linger',
    marbles(({ hot, expectObservable }) => {
      const items = hot('a 500ms b-------');
      const expected = ' ---x 500ms y----';
      expectObservable(items.pipe(batch({ size: 9, lingerMs: 3 }))).toBe(expected, { x: ['a'], y: ['b'] });
    }),
  );

  it(
    'closes its gate in the frame in which it is full, and pauses its source until downstream opens',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    abc---d-|    ');
      const subscribed = '     ^-----------!';
      const downstream = gate('c----o       ');
      const expected = '       -----x----y-|';
      const upstream = '       oc---o       ';
      expectObservable(items.pipe(batch({ size: 2 }), withGate(downstream))).toBe(expected, {
        x: ['a', 'b'],
        y: ['c', 'd'],
      });
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lets an overripe batch grow while downstream is closed',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    a----b---|');
      const subscribed = '     ^--------!';
      const downstream = gate('c------o  ');
      const expected = '       -------x-|';
      expectObservable(items.pipe(batch({ size: 9, lingerMs: 2 }), withGate(downstream))).toBe(expected, {
        x: ['a', 'b'],
      });
      expectObservable(items.gateLog$).toBe('o');
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'emits at once when the pipeline drains, and lingers no more',
    marbles(({ hot, stopping, expectObservable, expectSubscriptions }) => {
      const items = hot('      ab---c----');
      const drain = stopping(' ---s      ');
      const expected = '       ---x-y----';
      const unsubscribed = '   ^--------!';
      const values = { x: ['a', 'b'], y: ['c'] };
      const batches$ = items.pipe(batch({ size: 9, lingerMs: 100 }), withContext({ stopping: drain }));
      expectObservable(batches$, unsubscribed).toBe(expected, values);
      expectSubscriptions(items.subscriptions).toBe(unsubscribed);
    }),
  );

  it(
    'grows, where eager, only while the writer is busy',
    marbles(({ gated, expectObservable, expectSubscriptions }) => {
      const items = gated('abcdefgh--|     ');
      const subscribed = ' ^---------!';
      const outcomes = '   ----x---y---(z|)';
      const values = { x: ['a'], y: ['b', 'c', 'd'], z: ['e', 'f', 'g', 'h'] };
      const sink = slowSink<string>({ serviceTimeMs: 4 });
      const written$ = items.pipe(
        batch({ size: 10, eager: true }),
        writeTo(sink),
        map((outcome) => outcome.items),
      );
      expectObservable(written$).toBe(outcomes, values);
      expectObservable(items.gateLog$).toBe('o');
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'pauses its source, where eager, when a full batch waits for the writer',
    marbles(({ gated, expectObservable, expectSubscriptions }) => {
      const items = gated('abcdef----|         ');
      const subscribed = ' ^-------------!';
      const outcomes = '   ----x---y---z---(w|)';
      const upstream = '   o-c-o-c-o           ';
      const values = { x: ['a'], y: ['b', 'c'], z: ['d', 'e'], w: ['f'] };
      const sink = slowSink<string>({ serviceTimeMs: 4 });
      const written$ = items.pipe(
        batch({ size: 2, eager: true }),
        writeTo(sink),
        map((outcome) => outcome.items),
      );
      expectObservable(written$).toBe(outcomes, values);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'delivers what it has before an error',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      abc-#     ');
      const subscribed = '     ^---!';
      const downstream = gate('c------o  ');
      const expected = '       -------(xy#)';
      expectObservable(items.pipe(batch({ size: 2, lingerMs: 50 }), withGate(downstream))).toBe(expected, {
        x: ['a', 'b'],
        y: ['c'],
      });
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'emits nothing after it was unsubscribed',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot('    a-------');
      const unsubscribed = ' ^-!     ';
      expectObservable(items.pipe(batch({ size: 9, lingerMs: 4 })), unsubscribed).toBe('--------');
      expectSubscriptions(items.subscriptions).toBe(unsubscribed);
    }),
  );
});
