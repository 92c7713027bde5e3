import fc from 'fast-check';
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import type { Trade } from '../../src/market/trade.js';
import { backfill } from '../../src/providers/backfill/backfill.js';
import { NotEntitled } from '../../src/providers/providerErrors.js';
import { gapAt, MemoryLedger, pass, pastOf, storing, tradeAt, virtualClock } from '../support/backfills.js';
import { holdsAsync } from './holds.js';

/** What a vendor does wrong with one answer; it is right where there is nothing left to do wrong. */
const LIES = [
  'none',
  'none',
  'none',
  'miss',
  'nothing',
  'repeat',
  'reverse',
  'fail',
  'refuse',
  'hang',
  'stray',
  'stale',
] as const;
type Lie = (typeof LIES)[number];

const scenario = fc.record({
  /** The times of the trades of each of two symbols. */
  times: fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 40 }),
  /** Holes: what was not received live. */
  holes: fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 60 })), { maxLength: 5 }),
  lies: fc.array(fc.constantFrom(...LIES), { maxLength: 12 }),
  chunkMs: fc.integer({ min: 5, max: 300 }),
  pageSize: fc.integer({ min: 1, max: 7 }),
  maxChunkRows: fc.integer({ min: 1, max: 50 }),
  delayMs: fc.constantFrom(0, 5, 150, 4_000),
  /** Trades that the store refuses, by their place. */
  refused: fc.array(fc.nat({ max: 79 }), { maxLength: 1 }),
  backfills: fc.constantFrom(1, 1, 2),
});

const inside = ({ ts }: Trade, { from, to }: Gap) => ts >= from && ts <= to;
const between = ({ ts }: Trade, { from, to }: Gap) => ts > from && ts < to;
const without = (rows: readonly Trade[], row: Trade | undefined) => rows.filter((one) => one !== row);

test('every record is in the store, or its gap is open with a reason; no gap is closed whose rows are missing', async () => {
  const states = { filled: 0, empty: 0, open: 0, abandoned: 0 };
  const property = fc.asyncProperty(scenario, async (given) => {
    const { times, holes, lies, chunkMs, pageSize, maxChunkRows, delayMs, refused, backfills } = given;
    const clock = virtualClock();
    const ledger = new MemoryLedger();
    const truth = [...new Set(times)]
      .sort((a, b) => a - b)
      .flatMap((ms) => ['A', 'B'].map((symbol) => tradeAt(ms, { symbol, seq: 10 })));
    const bad = new Set(refused.map((n) => truth[n]));
    const gaps = holes.map(([from, length], i) => {
      const gap = gapAt(from, from + length, { symbol: i % 2 ? 'B' : 'A' });
      const lost = truth.filter((one) => one.symbol === gap.symbol && between(one, gap));
      return { ...gap, ...(i % 3 === 0 && lost.length > 0 && { rows: lost.length }) };
    });
    // Both ends were received.
    const stored = (one: Trade) => ledger.of({ ...one, of: 'trade', from: one.ts, to: one.ts }).length > 0;
    const missed = (one: Trade) => gaps.some((gap) => gap.symbol === one.symbol && between(one, gap));
    let n = 0;
    const provider = pastOf(async function* ({ symbol, from, to }) {
      let rows = truth.filter((one) => one.symbol === symbol && one.ts >= from && one.ts < to);
      const lie: Lie = lies[n++] ?? 'none';
      if (lie === 'fail') throw new Error('down');
      if (lie === 'refuse') throw new NotEntitled('toy', 'not in your plan');
      if (lie === 'hang') await new Promise(() => {});
      // What nobody has cannot be missed: a lie is found by what the store has, or is known to lack.
      if (lie === 'miss') rows = without(rows, rows.find(stored));
      if (lie === 'nothing' && rows.some(stored)) rows = [];
      if (lie === 'repeat') rows = [...rows, ...rows];
      if (lie === 'reverse') rows = rows.reverse();
      if (lie === 'stale') rows = rows.map((one) => ({ ...one, seq: 3 }));
      const page: Trade[] = lie === 'stray' ? [tradeAt(9_999, { symbol })] : [];
      for (const row of rows) {
        page.push(row);
        if (page.length >= pageSize) yield page.splice(0);
      }
      if (page.length > 0) yield page;
    });
    const refuse = (record: MarketEvent) =>
      record.kind === 'trade' && [...bad].some((one) => one?.id === record.id && one.symbol === record.symbol);
    const lives = Array.from({ length: backfills }, () => {
      const live$ = new Subject<MarketEvent>();
      const config = { providers: [provider], ledger, scheduler: clock, chunkMs, maxChunkRows, maxAttempts: 3 };
      const run = storing(live$.pipe(backfill({ ...config, random: () => 0.5 })), ledger, clock, { delayMs, refuse });
      return { live$, run };
    });
    for (const record of [...truth.filter((one) => !missed(one)), ...gaps]) {
      for (const { live$ } of lives) live$.next(record);
    }
    await pass(clock);
    for (const { live$ } of lives) live$.complete();
    await pass(clock);
    for (const { run } of lives) expect([run.isComplete, run.error]).toEqual([true, undefined]);

    for (const gap of gaps) {
      const now = ledger.gap(gap)!;
      states[now.state] += 1;
      const own = truth.filter((one) => one.symbol === gap.symbol && inside(one, gap));
      if (now.state === 'open') {
        expect(now.reason).toMatch(/\btoy\b/);
      } else {
        expect(own.filter((one) => !stored(one))).toEqual([]);
        expect(now).toMatchObject({ state: own.length > 0 ? 'filled' : 'empty', rows: own.length });
      }
    }
    for (const one of truth) {
      if (stored(one) || bad.has(one)) continue;
      expect(
        gaps.some((gap) => ledger.gap(gap)!.state === 'open' && gap.symbol === one.symbol && inside(one, gap)),
      ).toBe(true);
    }
    // What was closed in parts is true too.
    for (const part of ledger.gaps.values()) {
      if (part.state === 'open') continue;
      const own = truth.filter((one) => one.symbol === part.symbol && inside(one, part));
      expect(own.filter((one) => !stored(one))).toEqual([]);
    }
    expect(clock.actions.filter(({ closed }) => !closed)).toEqual([]);
    expect(n).toBeLessThan(3_000);
  });
  await holdsAsync('backfill', property, { seed: 11, numRuns: 200 });
  // The property has seen every end of a gap.
  expect(
    Object.entries(states)
      .filter(([, count]) => count > 10)
      .map(([state]) => state),
  ).toEqual(['filled', 'empty', 'open']);
});
