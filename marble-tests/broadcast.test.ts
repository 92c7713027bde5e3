import { tap } from 'rxjs/operators';
import { describe, it } from 'vitest';
import { broadcast } from '../src/operators/broadcast.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

describe('broadcast', () => {
  it(
    'is closed while any branch is, from frame to frame',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('   -a-b------c-|');
      const subscribed = '  ^-----------!';
      const first = gate('  o-c--o-------');
      const second = gate(' o---c--o-----');
      const expected = '    -a-----b--c-|';
      const upstream = '    o-c----o-----';
      const probe = probeGate<string>();
      const shared$ = items.pipe(probe, broadcast({ branches: 2 }));
      expectObservable(shared$.pipe(withGate(first))).toBe(expected);
      expectObservable(shared$.pipe(withGate(second))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'has a source that obeys wait for the slowest',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated(' -a-b-c|');
      const subscribed = '  ^---------!';
      const slow = gate('   o-c---o----');
      const expected = '    -a-----b-c|';
      const upstream = '    o-c---o----';
      const shared$ = items.pipe(broadcast({ branches: 2 }));
      expectObservable(shared$).toBe(expected);
      expectObservable(shared$.pipe(withGate(slow))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'subscribes the source with the last of the branches that it waits for',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('    -a-b|');
      const first = '       ^------';
      const second = '      --^----';
      const subscribed = '  --^---!';
      const expected = '    ---a-b|';
      const shared$ = items.pipe(broadcast({ branches: 2 }));
      expectObservable(shared$, first).toBe(expected);
      expectObservable(shared$, second).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'gives who comes later what comes from then on, and unsubscribes with the last to leave',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const items = hot('   -a-b-c-d-e-');
      const first = '       ^---!      ';
      const second = '      --^---!    ';
      const subscribed = '  ^-----!    ';
      const shared$ = items.pipe(broadcast({ branches: 1 }));
      expectObservable(shared$, first).toBe('  -a-b-      ');
      expectObservable(shared$, second).toBe(' ---b-c-    ');
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'is held up no longer by a branch that has left, from that frame',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('   -a-b------c|');
      const subscribed = '  ^----------!';
      const stuck = gate('  o-c---------');
      const leaves = '      ^-----!     ';
      const stays = '       -a----b---c|';
      const stuckHas = '    -a----      ';
      const upstream = '    o-c---o-----';
      const probe = probeGate<string>();
      const shared$ = items.pipe(probe, broadcast({ branches: 2 }));
      expectObservable(shared$).toBe(stays);
      expectObservable(shared$.pipe(withGate(stuck)), leaves).toBe(stuckHas);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'goes on from the frame in which the one waited for leaves, also with an item half handed out',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('   -a-b-----c|');
      const subscribed = '  ^---------!';
      const closing = gate('o----------');
      const leaves = '      ^-----!    ';
      const stays = '       -a-b-----c|';
      const leaverHas = '   -a----     ';
      const upstream = '    o--c--o----';
      const probe = probeGate<string>();
      const shared$ = items.pipe(probe, broadcast({ branches: 2 }));
      // The first branch, with b in its hands, closes the gate of the second, which has not had it yet.
      expectObservable(shared$.pipe(tap((item) => item === 'b' && closing.close()))).toBe(stays);
      expectObservable(shared$.pipe(withGate(closing)), leaves).toBe(leaverHas);
      expectObservable(probe.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'completes and fails in every branch, after what waited',
    marbles(({ hot, gate, expectObservable, expectSubscriptions }) => {
      const slow = gate('       o-c---o-');
      const completing = hot('  -a-b|');
      const failing = hot('     -a-b#');
      const subscribed = '      ^---!';
      for (const [items, expected] of [[completing, '-a----(b|)'] as const, [failing, '-a----(b#)'] as const]) {
        const shared$ = items.pipe(broadcast({ branches: 2 }));
        expectObservable(shared$).toBe(expected);
        expectObservable(shared$.pipe(withGate(slow))).toBe(expected);
      }
      expectSubscriptions(completing.subscriptions).toBe(subscribed);
      expectSubscriptions(failing.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'begins anew when the source has ended',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('   -a|');
      const subscribed = ['  ^-!', '----^-!'];
      const shared$ = items.pipe(broadcast({ branches: 1 }));
      expectObservable(shared$, '^------').toBe('      -a|');
      expectObservable(shared$, '----^--').toBe('      -----a|');
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );
});
