import { describe, it } from 'vitest';
import { pace } from '../src/operators/pace.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

describe('pace', () => {
  it(
    'spreads items; its gate is closed from the frame of one to the frame of the next token',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot('   --abc-------d---|');
      const subscribed = '  ^---------------!';
      const expected = '    --a--b--c---d---|';
      const upstream = '    o-c--------oc--o-';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, pace({ rate: 1, perMs: 3 }))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'has a source that obeys wait: its time stands still while the gate is closed',
    marbles(({ gated, expectObservable, expectSubscriptions }) => {
      const items = gated(' -abcd|');
      const subscribed = '  ^----------------!';
      const expected = '    -a---b---c---d---|';
      const upstream = '    oc--oc--oc--oc--o-';
      expectObservable(items.pipe(pace({ rate: 1, perMs: 3 }))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'does not drift where the interval is no whole number of frames',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  (abcdefg|)');
      const subscribed = '  (^!)';
      const expected = '    a---b--c--d---e--f--(g|)';
      expectObservable(items.pipe(pace({ rate: 3, perMs: 10 }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lets `burst` pass at once after a silence, and not more',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  (abcd)------------(efgh|)');
      const subscribed = '  ^-----------------!';
      const expected = '    (ab)c---d---------(ef)g---(h|)';
      const upstream = '    (oc)--------o-----c---';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, pace({ rate: 1, perMs: 4, burst: 2 }))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'holds every window of a profile, to the frame',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  (aabc|)');
      const subscribed = '  (^!)';
      // a: the key is free again at 4; b: two in six frames; c: the same, counted from the second a.
      const expected = '    a---a-b---(c|)';
      const upstream = '    (oc)';
      const probe = probeGate<string>();
      const profile = {
        windows: [
          { limit: 2, perMs: 6 },
          { limit: 1, perMs: 4, by: (item: string) => item },
        ],
      };
      expectObservable(items.pipe(probe, pace({ profile }))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'emits nothing while downstream is closed, and goes on at its pace when it opens',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      -a-b-c-d---|');
      const subscribed = '     ^----------!';
      const downstream = gate('o--c-----o--');
      const expected = '       -a-------bc(d|)';
      const upstream = '       ococ';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, pace({ rate: 1, perMs: 1 }), withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'completes with the source when nothing waits, out of tokens or not',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -a-|');
      const subscribed = '  ^--!';
      const expected = '    -a-|';
      expectObservable(items.pipe(pace({ rate: 1, perMs: 100 }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'sends what waits before an error',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -ab#');
      const subscribed = '  ^--!';
      const expected = '    -a----(b#)';
      expectObservable(items.pipe(pace({ rate: 1, perMs: 5 }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'sends nothing after it is unsubscribed, and lets go of the source in that frame',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  ab--c---');
      const unsubscribe = ' ---!    ';
      const subscribed = '  ^--!    ';
      const expected = '    a---    ';
      const upstream = '    (oc)    ';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, pace({ rate: 1, perMs: 5 })), unsubscribe).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );
});
