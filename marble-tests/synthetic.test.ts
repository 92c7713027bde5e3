import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { withContext } from '../src/flow/withContext.js';
import { synthetic } from '../src/sources/synthetic.js';
import { syntheticBars } from '../src/sources/syntheticBars.js';
import { marbles, probeGate, withGate } from '../src/testing/index.js';

const letter = map(({ seq }: { readonly seq?: number }) => String.fromCharCode(96 + (seq ?? 0)));

describe('synthetic in virtual time', () => {
  it(
    'emits at its rate, the first at once, and completes with the last',
    marbles(({ expectObservable }) => {
      const expected = 'a---b---c---(d|)';
      expectObservable(synthetic({ count: 4, rate: 250 }).pipe(letter)).toBe(expected);
    }),
  );

  it(
    'emits everything in one frame without a rate',
    marbles(({ expectObservable }) => {
      const expected = '(abcd|)';
      expectObservable(synthetic({ count: 4 }).pipe(letter)).toBe(expected);
    }),
  );

  it(
    'waits at the gate, and does not catch up',
    marbles(({ gate, expectObservable }) => {
      const downstream = gate('o-c-------o-----------');
      const expected = '       a---------b---c---(d|)';
      const upstream = '       o-c-------o-----------';
      const probe = probeGate<string>();
      const source = synthetic({ count: 4, rate: 250 }).pipe(letter);
      expectObservable(source.pipe(probe, withGate(downstream))).toBe(expected);
      expectObservable(probe.gateLog$).toBe(upstream);
    }),
  );

  it(
    'does not notice a gate that is closed between two items only',
    marbles(({ gate, expectObservable }) => {
      const downstream = gate('oco-----------');
      const expected = '       a---b---c---(d|)';
      expectObservable(synthetic({ count: 4, rate: 250 }).pipe(letter, withGate(downstream))).toBe(expected);
    }),
  );

  it(
    'stops its timer when it is unsubscribed',
    marbles(({ expectObservable, scheduler }) => {
      const subscribed = '^-----!       ';
      const expected = '  a---b--       ';
      expectObservable(synthetic({ rate: 250 }).pipe(letter), subscribed).toBe(expected);
      scheduler.flush();
      expect(scheduler.actions).toEqual([]);
    }),
  );

  it(
    'completes on stopping between two items',
    marbles(({ stopping, expectObservable }) => {
      const drain = stopping('------s');
      const expected = '      a---b-|';
      const source = synthetic({ rate: 250 }).pipe(letter);
      expectObservable(source.pipe(withContext({ stopping: drain }))).toBe(expected);
    }),
  );

  it(
    'keeps revisions and duplicates to the rate',
    marbles(({ expectObservable }) => {
      const config = { symbols: 1, count: 2, revisions: 1, duplicates: 1, lateness: 1 };
      const items = [...syntheticBars(config)];
      const expected = 'a---b---c---d---e---(f|)';
      expectObservable(synthetic({ ...config, rate: 250 })).toBe(
        expected,
        Object.fromEntries(items.map((item, i) => [String.fromCharCode(97 + i), item])),
      );
    }),
  );
});
