import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Gap, MIN_CLOSED_SEQ } from '../../../market/gap.js';
import { chunksIn, planSeries } from './planSeries.js';

const SERIES = { vendor: 'acme', symbol: 'A', of: 'trade' } as const;
const gap = (from: number, to: number, fields: Partial<Gap> = {}): Gap => ({
  ...{ kind: 'gap', ...SERIES, from, to, cause: 'requested', state: 'open', seq: 1, ...fields },
});
const closed = (from: number, to: number, state: Gap['state'] = 'filled') =>
  gap(from, to, { state, seq: MIN_CLOSED_SEQ });
const plan = (from: number, to: number, known: { closed?: Gap[]; open?: Gap[] } = {}) => {
  const { asked, skipped } = planSeries(SERIES, { from, to }, { chunkMs: 100, closed: [], open: [], seq: 9, ...known });
  return { asked: asked.map((one) => [one.from, one.to]), skipped };
};

describe('planSeries', () => {
  it('cuts at the multiples of the chunk, both ends of a gap included', () => {
    expect(plan(150, 420)).toEqual({
      asked: [
        [150, 199],
        [200, 299],
        [300, 399],
        [400, 419],
      ],
      skipped: 0,
    });
    expect(plan(200, 300)).toEqual({ asked: [[200, 299]], skipped: 0 });
  });

  it('asks for records that a person requested', () => {
    const { asked } = planSeries(
      { ...SERIES, of: 'bar', timeframe: '1m' },
      { from: 0, to: 1 },
      { chunkMs: 1, closed: [], open: [], seq: 9 },
    );
    expect(asked).toEqual([
      {
        kind: 'gap',
        vendor: 'acme',
        symbol: 'A',
        of: 'bar',
        timeframe: '1m',
        from: 0,
        to: 0,
        cause: 'requested',
        state: 'open',
        seq: 9,
      },
    ]);
  });

  it('skips what is closed, whatever its chunks were, and counts it by its own', () => {
    expect(plan(0, 400, { closed: [closed(0, 99), closed(100, 249, 'empty')] })).toEqual({
      asked: [
        [250, 299],
        [300, 399],
      ],
      skipped: 3,
    });
    expect(plan(0, 400, { closed: [closed(-1_000, 5_000)] })).toEqual({ asked: [], skipped: 4 });
  });

  it('asks again what was abandoned', () => {
    expect(plan(0, 200, { closed: [closed(0, 99, 'abandoned')] }).asked).toEqual([
      [0, 99],
      [100, 199],
    ]);
  });

  it('takes up a requested gap that was left open with its own ends, and leaves other gaps alone', () => {
    expect(plan(0, 300, { open: [gap(80, 219), gap(0, 50, { cause: 'reconnect' })] })).toEqual({
      asked: [
        [0, 79],
        [80, 219],
        [220, 299],
      ],
      skipped: 0,
    });
    expect(plan(0, 300, { open: [gap(300, 400), gap(-90, -1)] }).asked).toEqual([
      [0, 99],
      [100, 199],
      [200, 299],
    ]);
  });

  it('a millisecond that is known in part only is asked', () => {
    expect(plan(0, 100, { closed: [closed(10.5, 19.5)] }).asked).toEqual([
      [0, 10],
      [20, 99],
    ]);
  });

  it('covers every millisecond of the span by what is asked or closed, and asks nothing twice that is new', () => {
    const span = fc.tuple(fc.integer({ min: -500, max: 1_500 }), fc.integer({ min: 1, max: 400 }));
    fc.assert(
      fc.property(
        fc.array(span, { maxLength: 5 }),
        fc.array(span, { maxLength: 3 }),
        fc.integer({ min: 1, max: 300 }),
        (done, open, chunkMs) => {
          const proven = done.map(([from, length]) => closed(from, from + length - 1));
          const left = open.map(([from, length]) => gap(from, from + length - 1));
          const { asked } = planSeries(SERIES, { from: 0, to: 1_000 }, { chunkMs, closed: proven, open: left, seq: 9 });
          const times = new Uint8Array(1_000);
          const mark = (spans: readonly Gap[], by: number) => {
            for (const one of spans) {
              for (let at = Math.max(0, one.from); at <= Math.min(999, one.to); at++) times[at]! += by;
            }
          };
          mark(
            asked.filter((one) => one.seq === 9),
            100,
          );
          mark([...proven, ...left], 1);
          // Known, or asked once.
          expect(times.every((times) => (times > 0 && times < 100) || times === 100)).toBe(true);
          for (const one of left) if (one.to >= 0 && one.from < 1_000) expect(asked).toContain(one);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('chunksIn counts the spans of a series of which nothing is known', () => {
    for (const [from, to] of [
      [0, 100],
      [150, 420],
      [99, 101],
      [0, 1],
    ] as const) {
      expect(chunksIn({ from, to }, 100)).toBe(plan(from, to).asked.length);
    }
  });
});
