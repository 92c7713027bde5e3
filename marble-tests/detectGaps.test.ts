import { map } from 'rxjs';
import { describe, it } from 'vitest';
import { detectGaps } from '../src/operators/detectGaps.js';
import { marbles, withGate } from '../src/testing/index.js';

/** Digits are the numbers of one series, and times too; a gap record is shown as `g`. */
const detect = (whenLower: 'gap' | 'late' = 'gap') =>
  detectGaps<string>({
    by: () => 'A',
    sequence: (item) => (item === '?' ? undefined : Number(item)),
    time: (item) => Number(item),
    series: () => ({ vendor: 'own', symbol: 'A', of: 'tick' }),
    whenLower,
  });

const shown = map((item: string | object) => (typeof item === 'string' ? item : 'g'));

describe('detectGaps', () => {
  it(
    'emits a gap record in the frame of the first item behind a hole, before it',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -1-2--5---6-|');
      const subscribed = '  ^-----------!';
      const expected = '    -1-2--(g5)6-|';
      expectObservable(items.pipe(detect(), shown)).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'passes repetitions, and what comes late',
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('-1-1-3---2-4-|').pipe(detect('late'), shown)).toBe('-1-1-(g3)2-4-|');
      expectObservable(cold('-8-9-1---2-|').pipe(detect(), shown)).toBe('-8-9-(g1)2-|');
    }),
  );

  it(
    'holds a gap record and its item while downstream is closed, and closes its gate',
    marbles(({ gated, gate, expectObservable, expectSubscriptions }) => {
      const items = gated('    124----5|');
      const subscribed = '     ^------------!';
      const downstream = gate('o-c----o');
      const expected = '       12-----(g4)-5|';
      const upstream = '       o-c----o';
      expectObservable(items.pipe(detect(), shown, withGate(downstream))).toBe(expected);
      expectObservable(items.gateLog$).toBe(upstream);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );

  it(
    'passes an error on at once',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('-13----#');
      expectObservable(items.pipe(detect(), shown)).toBe('-1(g3)-#');
      expectSubscriptions(items.subscriptions).toBe('^------!');
    }),
  );

  it(
    'leaves nothing behind when it is unsubscribed',
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const items = cold('  -1-2-9');
      const unsubscribe = ' ----! ';
      const subscribed = '  ^---! ';
      const expected = '    -1-2- ';
      expectObservable(items.pipe(detect(), shown), unsubscribe).toBe(expected);
      expectSubscriptions(items.subscriptions).toBe(subscribed);
    }),
  );
});
