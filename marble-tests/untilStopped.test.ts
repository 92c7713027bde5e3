import { describe, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { untilStopped } from '../src/operators/untilStopped.js';
import { marbles } from '../src/testing/marbles.js';

describe('untilStopped', () => {
  it(
    'completes, and lets go of its source, in the frame in which the pipeline is asked to drain',
    marbles(({ hot, stopping, expectObservable, expectSubscriptions }) => {
      const items = hot('     -a-b-c-d-e-');
      const drain = stopping('------s    ');
      const expected = '      -a-b-c|    ';
      const subscribed = '    ^-----!    ';
      expectObservable(items.pipe(untilStopped(), withContext({ stopping: drain }))).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'lets its source find the gate downstream',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    a-b-c|   ');
      const downstream = gate('o-c--o   ');
      const expected = '       a----b-c|';
      expectObservable(items.pipe(untilStopped(), withContext({ gate: downstream }))).toBe(expected);
      expectObservable(items.gateLog$).toBe('o-c--o');
      expectSubscriptions(items.subscriptions).toBe('^-------!');
    }),
  );

  it(
    'passes errors and unsubscription on',
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      expectObservable(hot('a-#').pipe(untilStopped())).toBe('a-#');
      const items = hot('a-b-c-');
      expectObservable(items.pipe(untilStopped()), '^--!').toBe('a-b---');
      expectSubscriptions(items.subscriptions).toBe('^--!');
    }),
  );
});
