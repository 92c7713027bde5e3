import { describe, expect, test } from 'vitest';
import {
  gapAt,
  MemoryLedger,
  NOW,
  pagesOf,
  pass,
  pastOf,
  storing,
  T,
  tradeAt,
  virtualClock,
} from '../../../test/support/backfills.js';
import { type Gap, MIN_CLOSED_SEQ } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { Provider } from '../provider.js';
import { NotEntitled, UnknownInstrument } from '../providerErrors.js';
import type { RepairOutcome } from './outcome.js';
import { type RepairSpanConfig, repairSpan } from './repairSpan.js';

const TRUTH = [1, 2, 3, 4, 5, 6].map((n) => tradeAt(n * 10));

/** Repairs a gap of a store that has some trades, and tells what became of it. */
async function repaired(
  provider: Provider | readonly Provider[],
  {
    stored = [TRUTH[0]!, TRUTH[5]!],
    gap = gapAt(10, 60),
    ledger = new MemoryLedger(),
    refuse,
    ...config
  }: {
    stored?: readonly MarketEvent[];
    gap?: Gap;
    ledger?: MemoryLedger;
    refuse?: (record: MarketEvent) => boolean;
  } & Partial<RepairSpanConfig> = {},
) {
  const clock = virtualClock();
  for (const one of [gap, ...stored]) ledger.write(one);
  const outcomes: RepairOutcome[] = [];
  const providers = [provider].flat() as Provider[];
  const onOutcome = (outcome: RepairOutcome) => outcomes.push(outcome);
  const source$ = repairSpan(gap, { providers, ledger, scheduler: clock, onOutcome, ...config });
  const run = storing(source$, ledger, clock, refuse ? { refuse } : {});
  await pass(clock);
  return { ...run, ledger, gap: ledger.gap(gap)!, outcome: outcomes[0]!, tookMs: clock.frame - NOW, outcomes };
}

const idsOf = (ledger: MemoryLedger) =>
  [...ledger.records.values()].map((one) => Number((one as { id: string }).id)).sort((a, b) => a - b);

describe('repairSpan', () => {
  test('asks for both ends of the gap, emits what comes, and closes it when the store has all of it', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH, range));
    const { gap, out, ledger, outcome, isComplete } = await repaired(provider);
    expect(provider.asked).toEqual([{ of: 'trade', symbol: 'A', from: T + 10, to: T + 61 }]);
    expect(idsOf(ledger)).toEqual([10, 20, 30, 40, 50, 60]);
    expect(gap).toMatchObject({ state: 'filled', rows: 6, from: T + 10, to: T + 60, cause: 'reconnect' });
    expect(gap.seq).toBeGreaterThan(MIN_CLOSED_SEQ);
    expect(gap.reason).toBeUndefined();
    expect(out.at(-1)).toBe(gap);
    expect(outcome).toEqual({ state: 'filled', gap, rows: 6 });
    expect(isComplete).toBe(true);
  });

  test('does not close a gap before its rows are in the store, although the store has as many records', async () => {
    // The answer lacks the last trade: two records here, two there.
    const provider = pastOf((range) => pagesOf([TRUTH[0]!, TRUTH[1]!], range));
    const { gap } = await repaired(provider);
    expect(gap).toMatchObject({ state: 'open' });
    expect(gap.reason).toBe('the answer of toy is said to be complete, but 1 record of the store is missing from it');
  });

  test('waits for the version of the answer, where the store has an older one', async () => {
    const provider = pastOf((range) =>
      pagesOf(
        TRUTH.map((one) => ({ ...one, seq: 5 })),
        range,
      ),
    );
    const refuse = (record: MarketEvent) => record.kind === 'trade' && record.id === '30';
    const { gap } = await repaired(provider, { stored: TRUTH, refuse });
    expect(gap).toMatchObject({
      state: 'open',
      reason: expect.stringMatching(/^1 of the 6 records that toy answered are not/),
    });
  });

  test('takes pages in any order, and rows that come twice', async () => {
    const provider = pastOf(async function* () {
      yield TRUTH.slice(3);
      yield [...TRUTH.slice(0, 4)].reverse();
    });
    const { gap, out } = await repaired(provider);
    expect(gap).toMatchObject({ state: 'filled', rows: 6 });
    expect(out.filter(({ kind }) => kind === 'trade')).toHaveLength(6);
  });

  test('a gap without records is empty, by the word of the vendor', async () => {
    const provider = pastOf((range) => pagesOf([], range));
    const { gap, outcome } = await repaired(provider, { stored: [] });
    expect(gap).toMatchObject({
      ...{ state: 'empty', rows: 0 },
      reason: 'toy answered that there are no records of this span',
    });
    expect(outcome.state).toBe('empty');
  });

  test('stays open where rows of the answer do not reach the store', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH, range));
    const refuse = (record: MarketEvent) => record.kind === 'trade' && record.id === '30';
    const { gap, outcome, tookMs } = await repaired(provider, { refuse, proofTimeoutMs: 30_000 });
    expect(gap).toMatchObject({ state: 'open' });
    expect(gap.reason).toMatch(/^1 of the 6 records that toy answered are not in the store after 30 s: /);
    expect(gap.seq).toBeLessThan(MIN_CLOSED_SEQ);
    expect(outcome).toMatchObject({ state: 'open', why: 'missing', isFinal: false });
    expect(tookMs).toBeGreaterThanOrEqual(30_000);
    expect(tookMs).toBeLessThan(31_000);
  });

  test('stays open where fewer records come than are known to be missing', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH.slice(1, 3), range));
    const { gap } = await repaired(provider, { stored: [], gap: gapAt(10, 60, { rows: 4, cause: 'sequence' }) });
    expect(gap.state).toBe('open');
    expect(gap.reason).toBe(
      'the answer of toy is said to be complete, but at least 2 records more are known to be missing',
    );
    // Whoever tries next needs no more than the rest.
    expect(gap.rows).toBe(2);
  });

  test('stays open where the vendor has only what was there before', async () => {
    const provider = pastOf((range) => pagesOf([TRUTH[0]!, TRUTH[3]!], range));
    const hole = gapAt(10, 40, { rows: 2, cause: 'sequence' });
    const first = await repaired(provider, { stored: [TRUTH[0]!, TRUTH[3]!], gap: hole });
    expect(first.gap).toMatchObject({ state: 'open', rows: 2 });
    expect(first.gap.reason).toMatch(/at least 2 records more are known to be missing$/);
    const honest = pastOf((range) => pagesOf(TRUTH, range));
    const second = await repaired(honest, { ledger: first.ledger, stored: [], gap: first.gap });
    expect(second.gap).toMatchObject({ state: 'filled', rows: 4 });
  });

  test('does not ask for what the history may not have yet, and does not close it as empty', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH, range));
    const settling = await repaired(provider, { gap: gapAt(10, 3_595_000), settleMs: 10_000 });
    expect(provider.asked).toMatchObject([{ from: T + 10, to: NOW - 10_000 + 1 }]);
    expect(settling.outcome).toMatchObject({ state: 'open', why: 'early', isFinal: false, retryAfterMs: 5_000 });
    // What is proven of it is not asked again.
    expect([...settling.ledger.gaps.values()]).toContainEqual(expect.objectContaining({ state: 'filled', rows: 6 }));
    const future = await repaired(provider, { gap: gapAt(4_000_000, 9_000_000) });
    expect(provider.asked).toHaveLength(1);
    expect(future.outcome).toMatchObject({ state: 'open', why: 'early' });
    const fresh = await repaired(provider, { gap: gapAt(3_000_000, 3_001_000), stored: [] });
    expect(fresh.gap.reason).toMatch(/^no records of this span from toy yet/);
    expect(fresh.outcome).toMatchObject({ why: 'early', retryAfterMs: 361_001 });
  });

  test('a bar that is still forming is no proof, nor is a gap that was closed while it was', async () => {
    const minute = (n: number, fields: object = {}): MarketEvent => ({
      ...{ kind: 'bar', vendor: 'toy', symbol: 'A', timeframe: '1m', ts: T + n * 60_000 },
      ...{ open: 1, high: 1, low: 1, close: 1, volume: 1, seq: n, ...fields },
    });
    const gap = gapAt(3_000_000, 3_120_000, { of: 'bar', timeframe: '1m' });
    const half = pastOf((range) =>
      pagesOf(
        [50, 51, 52].map((n) => minute(n, { isFinal: n < 52 })),
        range,
      ),
    );
    const { outcome } = await repaired(half, { gap, stored: [] });
    expect(outcome).toMatchObject({ state: 'open', why: 'early', isFinal: false });
    const ledger = new MemoryLedger();
    // Closed by another process ten seconds after its end, when the bar 52 was not over.
    const seq = MIN_CLOSED_SEQ + (T + 3_130_000) * 1_000;
    ledger.write({ ...gapAt(3_000_000, 3_125_000, { of: 'bar', timeframe: '1m' }), state: 'filled', rows: 3, seq });
    const whole = pastOf((range) =>
      pagesOf(
        [50, 51, 52, 53, 54].map((n) => minute(n)),
        range,
      ),
    );
    const later = gapAt(3_122_000, 3_240_000, { of: 'bar', timeframe: '1m' });
    await repaired(whole, { gap: later, ledger, stored: [] });
    expect(whole.asked).toMatchObject([{ from: T + 3_070_001, to: T + 3_240_001 }]);
    expect([...ledger.records.values()].map((one) => one.seq)).toContain(52);
  });

  test('goes chunk by chunk, records each that is proven, and goes on behind them after an interruption', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH, range));
    const ledger = new MemoryLedger();
    const failing = pastOf((range, n) => {
      if (n === 3) throw new Error('cut');
      return pagesOf(TRUTH, range);
    });
    const chunks: unknown[] = [];
    const first = await repaired(failing, { ledger, chunkMs: 20, onChunk: (chunk) => chunks.push(chunk) });
    expect(first.outcome).toMatchObject({ state: 'open', why: 'failed' });
    expect(chunks).toMatchObject([
      { from: T + 10, to: T + 30, rows: 2 },
      { from: T + 30, to: T + 50, rows: 2 },
    ]);
    const parts = [...ledger.gaps.values()].filter(({ state }) => state === 'filled');
    expect(parts).toMatchObject([
      { from: T + 10, to: T + 29, rows: 2, cause: 'reconnect' },
      { from: T + 30, to: T + 49, rows: 2 },
    ]);
    const second = await repaired(provider, { ledger, chunkMs: 20, stored: [], gap: first.gap });
    expect(provider.asked).toMatchObject([{ from: T + 50, to: T + 61 }]);
    expect(second.gap).toMatchObject({ state: 'filled', rows: 6 });
  });

  test('does not touch a gap that another process has closed', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH, range));
    const ledger = new MemoryLedger();
    ledger.write(gapAt(10, 60, { state: 'abandoned', seq: MIN_CLOSED_SEQ + 1 }));
    const { out, outcome, gap } = await repaired(provider, { ledger });
    expect(provider.asked).toEqual([]);
    expect(out).toEqual([]);
    expect(outcome.state).toBe('closedElsewhere');
    expect(gap.state).toBe('abandoned');
  });

  test('closes a gap once, where another process closes it while it is repaired', async () => {
    const ledger = new MemoryLedger();
    const provider = pastOf(async function* (range) {
      yield* pagesOf(TRUTH, range);
      ledger.write(gapAt(10, 60, { state: 'filled', rows: 6, seq: MIN_CLOSED_SEQ + 1 }));
    });
    const { out, outcome } = await repaired(provider, { ledger });
    expect(out.filter(({ kind }) => kind === 'gap')).toEqual([]);
    expect(outcome.state).toBe('closedElsewhere');
  });

  test('asks for the bar that was forming when the gap began', async () => {
    const minute = (n: number): MarketEvent => ({
      ...{ kind: 'bar', vendor: 'toy', symbol: 'A', timeframe: '1m', ts: T + n * 60_000 },
      ...{ open: 1, high: 1, low: 1, close: 1, volume: 1, seq: n },
    });
    const bars = [0, 1, 2, 3].map(minute);
    const provider = pastOf((range) => pagesOf(bars, range));
    const gap = gapAt(90_000, 130_000, { of: 'bar', timeframe: '1m' });
    const { gap: closed, ledger } = await repaired(provider, { gap, stored: [] });
    expect(provider.asked).toEqual([{ of: 'bar', symbol: 'A', timeframe: '1m', from: T + 30_001, to: T + 130_001 }]);
    expect([...ledger.records.values()]).toEqual([bars[1], bars[2]]);
    expect(closed).toMatchObject({ state: 'filled', rows: 2 });
  });

  test('asks again in halves for a chunk with more records than are held', async () => {
    const provider = pastOf((range) => pagesOf(TRUTH, range));
    const { gap } = await repaired(provider, { maxChunkRows: 3 });
    expect(provider.asked.map(({ from, to }) => [from - T, to - T])).toEqual([
      [10, 61],
      [10, 35],
      [35, 61],
    ]);
    expect(gap).toMatchObject({ state: 'filled', rows: 6 });
  });

  describe('leaves a gap open, with the reason, of a history that', () => {
    const words = (history: Parameters<typeof pastOf>[0], config: Parameters<typeof repaired>[1] = {}) =>
      repaired(pastOf(history), config).then(({ gap, outcome, tookMs }) => {
        expect(gap.state).toBe('open');
        return { reason: gap.reason, ...(outcome as { why: string; isFinal: boolean }), tookMs };
      });

    test('answers with the same page for ever', async () => {
      const provider = pastOf(async function* () {
        for (;;) yield [TRUTH[1]!];
      });
      const { gap, outcome } = await repaired(provider);
      expect(gap.reason).toBe('toy answers page after page without a new record: given up after 100 pages');
      expect(outcome).toMatchObject({ why: 'endless' });
    });

    test('does not come to its end', async () => {
      const endless = words(
        async function* ({ from }) {
          for (let n = 0; ; n++) yield [tradeAt(from - T, { id: `x${n}` })];
        },
        { maxChunkRows: 50 },
      );
      expect((await endless).reason).toMatch(/more than 50 records of one span that cannot be halved$/);
    });

    test('answers outside of the span, of another symbol, kind or vendor, or with what is no record', async () => {
      const cases: readonly [unknown, RegExp][] = [
        [tradeAt(61), /the first was a record of 2026-01-05T15:00:00\.061Z, outside the span$/],
        [tradeAt(20, { symbol: 'B' }), /the first was a record of B$/],
        [tradeAt(20, { vendor: 'other' }), /the first was a record of vendor other$/],
        [gapAt(20, 30), /the first was a record of kind gap$/],
        [
          tradeAt(20, { price: Number.NaN }),
          /the first was a Trade that cannot be read: price must be a finite number/,
        ],
        [null, /the first was a row that is no record but null$/],
        [{}, /the first was a row of no known kind$/],
      ];
      for (const [row, reason] of cases) {
        const provider = pastOf(async function* () {
          yield [...TRUTH, row];
        });
        const { gap, out } = await repaired(provider);
        expect(gap).toMatchObject({ state: 'open', reason: expect.stringMatching(reason) });
        expect(gap.reason).toMatch(
          /^toy answered trade of A with a row that was not asked for, or that cannot be read; /,
        );
        expect(out.filter(({ kind }) => kind === 'trade')).toEqual(TRUTH);
      }
    });

    test('gives a page that is no array', async () => {
      expect(
        (
          await words(async function* () {
            yield 'rows';
          })
        ).reason,
      ).toMatch(/the first was a page that is no array$/);
    });

    test('never answers', async () => {
      let returned = 0;
      const history = () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<never>(() => {}),
          return: () => {
            returned += 1;
            return new Promise<never>(() => {});
          },
        }),
      });
      const { reason, tookMs, isFinal } = await words(history, { pageTimeoutMs: 5_000 });
      expect(reason).toBe('toy does not answer: no answer within 5000 ms');
      // The last 10 ms are those of the record that says so.
      expect([tookMs, isFinal, returned]).toEqual([5_010, false, 1]);
    });

    test('throws what is no error, at once or later', async () => {
      expect(
        (
          await words(() => {
            throw 'sorry';
          })
        ).reason,
      ).toBe('toy: sorry');
      const nothing = pastOf(() => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(undefined) }),
      }));
      expect((await repaired(nothing)).gap.reason).toBe('toy: undefined');
      expect((await words(() => undefined as never)).reason).toMatch(/^toy: /);
    });

    test('refuses: the symbol was renamed, or the span is before the first day', async () => {
      const renamed = await words(() => {
        throw new UnknownInstrument('toy', 'A is not known', { cause: 'renamed to B\u0000 on 2026-01-01' });
      });
      expect(renamed).toMatchObject({
        ...{ why: 'refused', isFinal: true },
        reason: 'toy: A is not known: renamed to B on 2026-01-01',
      });
      const early = await words(() => {
        throw new NotEntitled('toy', 'no data before 2026-02-01');
      });
      expect(early).toMatchObject({ why: 'refused', isFinal: true, reason: 'toy: no data before 2026-02-01' });
    });
  });
});
