import { describe, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { boundedBuffer } from '../src/operators/boundedBuffer.js';
import { pace } from '../src/operators/pace.js';
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

  it(
    'with foreignOnly lets stages of ours above deliver what they hold, and lets go of other sources',
    marbles(({ hot, gated, stopping, expectObservable, expectSubscriptions }) => {
      const drain = stopping('  ---s          ');
      const ours = gated('      abcdef        ');
      const paced = '           a----b----(c|)';
      const foreign = hot('     ab-c-d        ');
      const cut = '             ab-|          ';
      const gently = () =>
        [untilStopped<string>({ foreignOnly: true }), withContext<string>({ stopping: drain })] as const;
      const above = [
        boundedBuffer<string>({ capacity: 3, highWatermark: 1 }),
        pace<string>({ rate: 1, perMs: 5 }),
      ] as const;
      expectObservable(ours.pipe(...above, ...gently())).toBe(paced);
      expectSubscriptions(ours.subscriptions).toBe('^--!');
      expectObservable(foreign.pipe(...gently())).toBe(cut);
      expectSubscriptions(foreign.subscriptions).toBe('^--!');
    }),
  );
});
