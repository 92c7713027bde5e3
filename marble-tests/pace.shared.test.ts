import { describe, it } from 'vitest';
import { pace } from '../src/operators/pace.js';
import { SharedPacer } from '../src/policies/sharedPacer.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

const ONE_IN_FOUR = { windows: [{ limit: 1, perMs: 4 }] };

describe('pace with a pacer that others share', () => {
  it(
    'lets the items of both chains pass in the order in which they came, as many as the window allows',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const one = cold('   (ab|)');
      const other = cold(' (cd|)');
      const subscribed = ' (^!)';
      const fromOne = '    a---(b|)';
      const fromOther = '  --------c---(d|)';
      expectObservable(one.pipe(pace({ pacer }))).toBe(fromOne);
      expectObservable(other.pipe(pace({ pacer }))).toBe(fromOther);
      expectSubscriptions(one.subscriptions).toBe(subscribed);
      expectSubscriptions(other.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'closes its gate while an item waits or the window is full, though another chain has filled it, and opens it when there is room',
    marbles(({ hot, gated, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const items = gated('   ----ab|');
      const others = hot('    --x---|');
      const subscribed = '    ^---------------!';
      const expected = '      ------a----b----|';
      const upstream = '      o---c-----oc---o-';
      const fromOthers = '    --x---|';
      expectObservable(others.pipe(pace({ pacer }))).toBe(fromOthers);
      expectObservable(items.pipe(pace({ pacer }))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lets `live` go first',
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const history = cold('  (abc|)');
      const live = hot('      -x-----y|');
      const subscribed = '    (^!)';
      const fromHistory = '   a-----------b---(c|)';
      const fromLive = '      ----x---(y|)';
      expectObservable(history.pipe(pace({ pacer }))).toBe(fromHistory);
      expectObservable(live.pipe(pace({ pacer, priority: 'live' }))).toBe(fromLive);
      expectSubscriptions(history.subscriptions).toBe(subscribed);
      expectSubscriptions(live.subscriptions).toBe('^-------!');
    }),
  );

  it(
    'is not held up by the keys of another chain',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const by = (item: string) => item[0]!;
      const pacer = new SharedPacer<string>({ profile: { windows: [{ limit: 1, perMs: 6, by }] } });
      const one = cold('   (aa|)');
      const other = cold(' --b-a--b|');
      const fromOne = '    a-----(a|)';
      const fromOther = '  --b---------(ab|)';
      expectObservable(one.pipe(pace({ pacer }))).toBe(fromOne);
      expectObservable(other.pipe(pace({ pacer }))).toBe(fromOther);
      expectSubscriptions(one.subscriptions).toBe('(^!)');
      expectSubscriptions(other.subscriptions).toBe('^-------!');
    }),
  );

  it(
    'gives its turn up while downstream is closed, and another chain has it',
    marbles(({ cold, gate, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const slow = cold('      (ab|)');
      const downstream = gate('o-c-------o');
      const other = cold('     --c|');
      const fromOther = '      ----(c|)';
      const fromSlow = '       a---------(b|)';
      expectObservable(slow.pipe(pace({ pacer }), withGate(downstream))).toBe(fromSlow);
      expectObservable(other.pipe(pace({ pacer }))).toBe(fromOther);
      expectSubscriptions(slow.subscriptions).toBe('(^!)');
    }),
  );

  it(
    'waits for a cooldown of the pacer, and goes on in order',
    marbles(({ cold, scheduler, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const one = cold('   (ab|)');
      const other = cold(' (c|)');
      const fromOne = '    a---------(b|)';
      const fromOther = '  --------------(c|)';
      scheduler.schedule(() => pacer.coolDown(8), 2);
      expectObservable(one.pipe(pace({ pacer }))).toBe(fromOne);
      expectObservable(other.pipe(pace({ pacer }))).toBe(fromOther);
      expectSubscriptions(one.subscriptions).toBe('(^!)');
    }),
  );

  it(
    'withdraws what waits when it is unsubscribed: the next chain has its place',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const one = cold('      ab------');
      const unsubscribe = '   ---!    ';
      const other = cold('    --c|');
      const probe = probeGate<string>();
      expectObservable(one.pipe(probe, pace({ pacer })), unsubscribe).toBe('a---');
      expectObservable(probe.gateLog$).toBe('(oc)');
      expectObservable(other.pipe(pace({ pacer }))).toBe('----(c|)');
      expectSubscriptions(one.subscriptions).toBe('^--!');
    }),
  );

  it(
    'sends what waits before an error',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pacer = new SharedPacer<string>({ profile: ONE_IN_FOUR });
      const items = cold(' -ab#');
      expectObservable(items.pipe(pace({ pacer }))).toBe('-a---(b#)');
      expectSubscriptions(items.subscriptions).toBe('^--!');
    }),
  );
});
