import { describe, it } from 'vitest';
import { boundedMergeMap } from '../src/operators/boundedMergeMap.js';
import { marbles } from '../src/testing/marbles.js';
import { withGate } from '../src/testing/withGate.js';

describe('boundedMergeMap', () => {
  it(
    'closes its gate while all places are taken, and pauses its source meanwhile',
    marbles(({ gated, cold, expectObservable, expectSubscriptions }) => {
      const items = gated(' a-b---c-|    ');
      const subscribed = '  ^---------!  ';
      const inners = {
        a: cold('           ---x|        '),
        b: cold('             ---y|      '),
        c: cold('                   ---z|'),
      };
      const expected = '    ---x-y-----z|';
      const upstream = '    o-c-o        ';
      const project = (item: string) => inners[item as 'a' | 'b' | 'c'];
      expectObservable(items.pipe(boundedMergeMap(project, { concurrency: 2 }))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
      expectSubscriptions(inners.a.subscriptions).toBe('^---!');
      expectSubscriptions(inners.b.subscriptions).toBe('--^---!');
      expectSubscriptions(inners.c.subscriptions).toBe('--------^---!');
    }),
  );

  it(
    'lets the next item begin in the frame in which an inner completes, with one place',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot(' (ab)|       ');
      const inner = cold('--x|        ');
      expectObservable(items.pipe(boundedMergeMap(() => inner, { concurrency: 1 }))).toBe('--x--x|');
      expectSubscriptions(inner.subscriptions).toBe(['^--!', '---^--!']);
      expectSubscriptions(items.subscriptions).toBe('^---!');
    }),
  );

  it(
    'holds the results of inners that do not obey the gate until downstream opens',
    marbles(({ hot, cold, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      a|        ');
      const inner = cold('     --xy|     ');
      const downstream = gate('o-c----o  ');
      const expected = '       -------(xy|)';
      expectObservable(
        items.pipe(
          boundedMergeMap(() => inner, { concurrency: 1 }),
          withGate(downstream),
        ),
      ).toBe(expected);
      expectSubscriptions(inner.subscriptions).toBe('^---!');
    }),
  );

  it(
    'lets inner sources that can pause find the gate downstream',
    marbles(({ hot, gated, gate, expectObservable, expectSubscriptions }) => {
      const items = hot('      a|         ');
      const inner = gated('    -xy-z|     ');
      const downstream = gate('o-c----o   ');
      const expected = '       -x-----y-z|';
      expectObservable(
        items.pipe(
          boundedMergeMap(() => inner, { concurrency: 1 }),
          withGate(downstream),
        ),
      ).toBe(expected);
      expectObservable(inner.gateLog$).toBe('o-c----o');
      expectSubscriptions(inner.subscriptions).toBe('^---------!');
    }),
  );

  it(
    'lets an error of its source wait for its inners, and no error of an inner wait for the others',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const failing = hot(' a-#      ');
      const inner = cold('  ---x-y|  ');
      expectObservable(failing.pipe(boundedMergeMap(() => inner, { concurrency: 2 }))).toBe('---x-y#');
      const items = hot('   ab-------');
      const good = cold('   ----x|   ');
      const bad = cold('     --#     ');
      const pick = (item: string) => (item === 'a' ? good : bad);
      expectObservable(items.pipe(boundedMergeMap(pick, { concurrency: 2 }))).toBe('---#');
      expectSubscriptions(items.subscriptions).toBe('^--!');
      expectSubscriptions(good.subscriptions).toBe('^--!');
    }),
  );

  it(
    'unsubscribes its inners when it is unsubscribed',
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const items = hot('    ab------');
      const inner = cold('   ------x|');
      const unsubscribed = ' ^--!    ';
      expectObservable(items.pipe(boundedMergeMap(() => inner, { concurrency: 2 })), unsubscribed).toBe('--------');
      expectSubscriptions(items.subscriptions).toBe(unsubscribed);
      expectSubscriptions(inner.subscriptions).toBe(['^--!', '-^-!']);
    }),
  );
});
