import { describe, it } from 'vitest';
import { conflate } from '../src/operators/conflate.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

/** a and A have one key. */
const by = (item: string) => item.toLowerCase();

describe('conflate', () => {
  it(
    'keeps the newest a key while downstream is closed, and emits in the frame in which it opens',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      -a-b-a-A-B----c|');
      const subscribed = '     ^--------------!';
      const downstream = gate('o-c-------o-----');
      const expected = '       -a--------(BA)c|';
      const upstream = '       o---------------';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, conflate({ by }), withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'merges what it holds',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      -a-A-b-a----|');
      const subscribed = '     ^-----------!';
      const downstream = gate('c-------o----');
      const expected = '       --------(xb)|';
      const operator = conflate<string>({ by: (item) => by(item.charAt(0)), merge: (older, newer) => older + newer });
      expectObservable(items.pipe(operator, withGate(downstream))).toBe(expected, { x: 'aAa', b: 'b' });
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'closes its gate in the frame in which it holds maxKeys keys, and opens it with downstream',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    ab-----c|');
      const subscribed = '     ^--------------!';
      const downstream = gate('c-------o-------');
      const expected = '       --------(ab)--c|';
      const upstream = '       oc------o-------';
      expectObservable(items.pipe(conflate({ by, maxKeys: 2 }), withGate(downstream))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'has items of more keys wait, where the source does not',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      ab-cA-----------|');
      const subscribed = '     ^---------------!';
      const downstream = gate('c-------o--------');
      const expected = '       --------(abcA)--|';
      const upstream = '       oc------o--------';
      const probe = probeGate<string>();
      expectObservable(items.pipe(probe, conflate({ by, maxKeys: 2 }), withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'completes when what it holds is out',
    marbles(({ cold, gate, expectObservable, expectSubscriptions }) => {
      const items = cold('     ab|');
      const subscribed = '     ^-!';
      const downstream = gate('c----o');
      const expected = '       -----(ab|)';
      expectObservable(items.pipe(conflate({ by }), withGate(downstream))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'fails when what it holds is out',
    marbles(({ cold, gate, expectObservable, expectSubscriptions }) => {
      const items = cold('     ab#');
      const subscribed = '     ^-!';
      const downstream = gate('c----o');
      const expected = '       -----(ab#)';
      expectObservable(items.pipe(conflate({ by }), withGate(downstream))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'emits nothing after it is unsubscribed',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      ab------');
      const unsubscribe = '    ---!    ';
      const subscribed = '     ^--!    ';
      const downstream = gate('c----o--');
      const expected = '       --------';
      expectObservable(items.pipe(conflate({ by }), withGate(downstream)), unsubscribe).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );
});
