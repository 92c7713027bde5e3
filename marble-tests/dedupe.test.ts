import { describe, it } from 'vitest';
import { dedupe } from '../src/operators/dedupe.js';
import { marbles, withGate } from '../src/testing/index.js';

const by = (item: string) => item.toLowerCase();

describe('dedupe', () => {
  it(
    'drops what comes again within the window, in the frame in which it comes',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -a-A-b-a-|');
      const subscribed = '  ^--------!';
      const expected = '    -a---b-a-|';
      expectObservable(items.pipe(dedupe({ by, windowMs: 5 }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'takes a key for new exactly windowMs after the one that passed, whatever came between',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  a--aaA-aa-A--|');
      const subscribed = '  ^------------!';
      const expected = '    a----A----A--|';
      expectObservable(items.pipe(dedupe({ by, windowMs: 5 }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'passes the gate downstream on to the source',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    abAc|');
      const subscribed = '     ^------!';
      const downstream = gate('o-c--o--');
      const expected = '       ab----c|';
      const upstream = '       o-c--o--';
      expectObservable(items.pipe(dedupe({ by, windowMs: 100 }), withGate(downstream))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'passes an error on at once',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('-aa#');
      expectObservable(items.pipe(dedupe({ by }))).toBe('-a-#');
      expectSubscriptions(items.subscriptions).toBe('^--!');
    }),
  );

  it(
    'leaves nothing behind when it is unsubscribed',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -a-b-c');
      const unsubscribe = ' ----! ';
      const subscribed = '  ^---! ';
      const expected = '    -a-b- ';
      expectObservable(items.pipe(dedupe({ by, windowMs: 50 })), unsubscribe).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );
});
