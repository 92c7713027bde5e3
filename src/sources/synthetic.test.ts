import { createHash } from 'node:crypto';
import { Subject, take, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { observe } from '../../test/support/collect.js';
import { Gate } from '../flow/gate.js';
import { type Bar, barKey } from '../market/bar.js';
import { foldBars } from '../market/foldByKey.js';
import { synthetic } from './synthetic.js';
import { type SyntheticBarsConfig, syntheticBars } from './syntheticBars.js';

const bars = (config: SyntheticBarsConfig): Bar[] => [...syntheticBars(config)];

/** So that a slow machine does not make a synchronous test asynchronous. */
const NO_YIELD = 1e9;

function groupByKey(items: readonly Bar[]): Map<string, Bar[]> {
  const groups = new Map<string, Bar[]>();
  for (const bar of items) {
    const group = groups.get(barKey(bar));
    if (group) group.push(bar);
    else groups.set(barKey(bar), [bar]);
  }
  return groups;
}

describe('syntheticBars', () => {
  it('gives the very same bars for a seed, on any machine', () => {
    // Written down once: a change of these values is a change for everyone who compares tables by seed.
    const [first, , , fourth] = bars({ symbols: 2, count: 4, seed: 7 });
    const common = { kind: 'bar', vendor: 'synthetic', timeframe: '1m' };
    expect(first).toEqual({
      ...common,
      symbol: 'S0000',
      ts: Date.UTC(2024, 0, 2, 14, 30),
      open: 86.8,
      high: 86.94,
      low: 86.47,
      close: 86.71,
      volume: 93_100,
      seq: 1,
    });
    expect(fourth).toEqual({
      ...common,
      symbol: 'S0001',
      ts: Date.UTC(2024, 0, 2, 14, 31),
      open: 165.96,
      high: 166.44,
      low: 165.7,
      close: 165.97,
      volume: 76_100,
      seq: 4,
    });
    const many = bars({ symbols: 50, count: 20_000, seed: 7, revisions: 0.1, duplicates: 0.05 });
    expect(createHash('sha256').update(JSON.stringify(many)).digest('hex')).toBe(
      '2be00440de1aa8925dc3083296902f13d3651c6fb9c866077fe68be4d123ca0d',
    );
  });

  it('goes symbol after symbol and span after span, with a seq that grows by one', () => {
    const made = bars({ symbols: ['AAPL', 'MSFT'], count: 5, epoch: 1_000, timeframe: '5m', vendor: 'acme' });
    expect(made.map(({ symbol, ts, seq }) => [symbol, ts, seq])).toEqual([
      ['AAPL', 1_000, 1],
      ['MSFT', 1_000, 2],
      ['AAPL', 301_000, 3],
      ['MSFT', 301_000, 4],
      ['AAPL', 601_000, 5],
    ]);
    expect(made.every(({ vendor, timeframe }) => vendor === 'acme' && timeframe === '5m')).toBe(true);
  });

  it('names symbols by number', () => {
    expect(bars({ symbols: 3, count: 3 }).map(({ symbol }) => symbol)).toEqual(['S0000', 'S0001', 'S0002']);
  });

  it('counts distinct bars', () => {
    for (const count of [0, 1, 999]) {
      const made = bars({ symbols: 7, count, revisions: 0.3, duplicates: 0.2 });
      expect(new Set(made.map(barKey)).size).toBe(count);
    }
  });

  it('revises and repeats the share that its options say', () => {
    const count = 20_000;
    const made = bars({ count, revisions: 0.1, duplicates: 0.05, seed: 3 });
    const versions = new Set(made.map(({ seq }) => seq));
    expect((versions.size - count) / count).toBeCloseTo(0.1, 2);
    expect((made.length - versions.size) / count).toBeCloseTo(0.05, 2);
    expect(bars({ count: 50, revisions: 1, duplicates: 1 })).toHaveLength(150);
  });

  it('brings revisions with a higher seq and another close, and duplicates as they were', () => {
    const byKey = groupByKey(bars({ count: 500, revisions: 1, duplicates: 1 }));
    for (const [original, ...late] of byKey.values()) {
      const revised = late.filter(({ seq }) => seq !== original!.seq);
      const repeated = late.filter(({ seq }) => seq === original!.seq);
      expect(revised).toHaveLength(1);
      expect(repeated).toEqual([original]);
      expect(revised[0]!.seq).toBeGreaterThan(original!.seq!);
      expect(revised[0]!.close).not.toBe(original!.close);
    }
  });

  it('brings them at most `lateness` new bars later, and uses all of that', () => {
    for (const lateness of [1, 7]) {
      const made = bars({ symbols: 3, count: 2_000, revisions: 0.5, duplicates: 0.5, lateness });
      const seenAt = new Map<string, number>();
      const delays = new Set<number>();
      for (const bar of made) {
        const at = seenAt.get(barKey(bar));
        if (at === undefined) seenAt.set(barKey(bar), seenAt.size + 1);
        // After the last new bar the rest comes at once.
        else if (seenAt.size < 2_000) delays.add(seenAt.size - at);
      }
      expect(Math.min(...delays)).toBe(1);
      expect(Math.max(...delays)).toBe(lateness);
    }
  });

  it('lets some duplicates of an older version come after its revision', () => {
    const made = bars({ count: 1_000, revisions: 0.5, duplicates: 0.5 });
    const byKey = groupByKey(made);
    const backwards = [...byKey.values()].filter((group) => group.length === 3 && group[2]!.seq === group[0]!.seq);
    expect(backwards.length).toBeGreaterThan(10);
    for (const group of backwards) expect(foldBars(made).get(barKey(group[0]!))).toBe(group[1]);
  });

  it('refuses bad configurations', () => {
    expect(() => syntheticBars({ symbols: 0 })).toThrow(/symbols .* must be an integer from 1 to 1000000, got 0/);
    expect(() => syntheticBars({ symbols: [] })).toThrow(/symbols must be an array of at least one name/);
    expect(() => syntheticBars({ symbols: ['A '] })).toThrow(
      /without control characters or outer blanks, each once, got "A "/,
    );
    expect(() => syntheticBars({ symbols: ['A', 'A'] })).toThrow(/each once, got "A"/);
    expect(() => syntheticBars({ count: -1 })).toThrow(/count must be an integer of at least 0, or Infinity, got -1/);
    expect(() => syntheticBars({ seed: 1.5 })).toThrow(/seed must be an integer/);
    expect(() => syntheticBars({ revisions: 2 })).toThrow(
      /revisions must be a number of at least 0 and at most 1, got 2/,
    );
    expect(() => syntheticBars({ lateness: 0 })).toThrow(/lateness/);
    expect(() => syntheticBars({ timeframe: '1y' })).toThrow(/timeframe must be .* got "1y"/);
    expect(() => syntheticBars({ vendor: '' })).toThrow(/vendor must be a string that is not empty/);
    expect(() => syntheticBars({ rate: 5 } as never)).toThrow(/unknown option "rate"/);
  });
});

describe('synthetic', () => {
  it('emits what syntheticBars gives, anew for each subscription', () => {
    const config = { symbols: 5, count: 300, seed: 11, revisions: 0.2, duplicates: 0.1 };
    const source = synthetic({ ...config, yieldAfterMs: NO_YIELD });
    for (let round = 0; round < 2; round++) {
      const seen = observe(source);
      expect(seen.items).toEqual(bars(config));
      expect(seen.end).toEqual({ kind: 'complete' });
    }
  });

  it('never ends without a count, and stops for take()', () => {
    expect(observe(synthetic({ symbols: 2, yieldAfterMs: NO_YIELD }).pipe(take(1_000))).items).toHaveLength(1_000);
  });

  it('makes nothing while the gate is closed, and goes on where it was', () => {
    const gate = new Gate('closed');
    const seen = observe(synthetic({ count: 3 }), gate);
    expect(seen.items).toEqual([]);
    gate.open();
    expect(seen.items).toEqual(bars({ count: 3 }));
  });

  it('completes on stopping, with a rate and without', () => {
    for (const rate of [undefined, 1]) {
      const stopping = new Subject<void>();
      const gate = new Gate('closed');
      const scheduler = new VirtualTimeScheduler();
      const seen = observe(synthetic(rate ? { rate, scheduler } : { scheduler }), gate, stopping);
      stopping.next();
      expect(seen.end).toEqual({ kind: 'complete' });
      scheduler.flush();
      gate.open();
      expect(seen.items).toEqual([]);
    }
  });

  it('emits what a slow event loop has delayed together, each item once', () => {
    const scheduler = new VirtualTimeScheduler();
    const at: number[] = [];
    // A clock that moves in leaps of 40 ms, as behind a blocked event loop.
    const coarse = {
      now: () => Math.floor(scheduler.now() / 40) * 40,
      schedule: scheduler.schedule.bind(scheduler),
    };
    synthetic({ count: 9, rate: 100, scheduler: coarse }).subscribe(() => at.push(coarse.now()));
    scheduler.flush();
    expect(at).toEqual([0, 40, 40, 40, 40, 80, 80, 80, 80]);
  });

  it('keeps its rate when the clock is set back', () => {
    const scheduler = new VirtualTimeScheduler();
    let setBackMs = 0;
    const clock = { now: () => scheduler.now() - setBackMs, schedule: scheduler.schedule.bind(scheduler) };
    const at: number[] = [];
    synthetic({ count: 10, rate: 100, scheduler: clock }).subscribe(() => {
      if (at.push(scheduler.now()) === 5) setBackMs = 3_600_000;
    });
    scheduler.flush();
    expect(at).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it('refuses a rate of 0 and unknown options', () => {
    expect(() => synthetic({ rate: 0 })).toThrow(RangeError);
    expect(() => synthetic({ rate: '5' as never })).toThrow(/rate must be a number/);
    expect(() => synthetic({ name: 5 } as never)).toThrow(/name must be a string/);
    expect(() => synthetic({ symbol: 5 } as never)).toThrow(/unknown option "symbol"/);
  });
});
