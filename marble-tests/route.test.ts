import type { Observable } from 'rxjs';
import { delay } from 'rxjs/operators';
import { describe, it } from 'vitest';
import { route } from '../src/operators/route.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

const byCase = (item: string): 'lower' | 'upper' => (item === item.toLowerCase() ? 'lower' : 'upper');
const same = (branch$: Observable<string>) => branch$;

describe('route', () => {
  it(
    'is closed while an item waits for its branch, and lets nobody pass it',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('   -aAb-B----|');
      const subscribed = '  ^---------!';
      const lower = gate('  o-c---o----');
      const expected = '    -aA---(bB)|';
      const upstream = '    o--c--o----';
      const probe = probeGate<string>();
      expectObservable(
        items.pipe(probe, route(byCase, { lower: (lower$) => lower$.pipe(withGate(lower)), upper: same })),
      ).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'has a source that obeys wait with it',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated(' -aAb-B-|');
      const subscribed = '  ^---------!';
      const lower = gate('  o-c---o----');
      const expected = '    -aA---b-B-|';
      const upstream = '    o--c--o----';
      expectObservable(
        items.pipe(route(byCase, { lower: (lower$) => lower$.pipe(withGate(lower)), upper: same })),
      ).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'does not wait for a branch that nobody needs',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('   -A-B-|');
      const subscribed = '  ^----!';
      const lower = gate('  c-----');
      const expected = '    -A-B-|';
      const upstream = '    o-----';
      const probe = probeGate<string>();
      expectObservable(
        items.pipe(probe, route(byCase, { lower: (lower$) => lower$.pipe(withGate(lower)), upper: same })),
      ).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'completes with the last of its chains, and fails after them',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const completing = cold(' a-A|');
      const subscribed = '      ^--!';
      const completed = '       --A--(a|)';
      const failing = cold('    a-A#');
      const failed = '          --A--(a#)';
      expectObservable(completing.pipe(route(byCase, { lower: (lower$) => lower$.pipe(delay(5)), upper: same }))).toBe(
        completed,
      );
      expectObservable(failing.pipe(route(byCase, { lower: (lower$) => lower$.pipe(delay(5)), upper: same }))).toBe(
        failed,
      );
      expectSubscriptions(completing.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'unsubscribes source and chains in one frame',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('   -a-A-a-');
      const inner = cold('  -------');
      const unsubscribe = ' ----!  ';
      const subscribed = '  ^---!  ';
      const expected = '    -a---  ';
      expectObservable(items.pipe(route(byCase, { lower: same, upper: () => inner })), unsubscribe).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectSubscriptions(inner.subscriptions).toBe(subscribed);
    }),
  );
});
