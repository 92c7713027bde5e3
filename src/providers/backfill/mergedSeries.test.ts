import { describe, expect, test } from 'vitest';
import {
  gapAt,
  MemoryLedger,
  pagesOf,
  pass,
  pastOf,
  storing,
  T,
  tradeAt,
  virtualClock,
} from '../../../test/support/backfills.js';
import type { Bar } from '../../market/bar.js';
import type { Gap } from '../../market/gap.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import { NotEntitled } from '../providerErrors.js';
import { rankedRecord } from '../router/rankedRecord.js';
import type { RoutedProvider } from '../router/routedProvider.js';
import { repairSpan } from './repairSpan.js';

const SYMBOLS: Readonly<Record<string, string>> = { one: 'A-USD', two: 'AUSDT' };
const bar = (vendor: string, n: number, close: number): Bar => ({
  ...{ kind: 'bar', vendor, symbol: SYMBOLS[vendor]!, timeframe: '1m', ts: T + n * 60_000 },
  ...{ open: 1, high: 9, low: 1, close, volume: 1, seq: 100 },
});
const trades = (vendor: string, ...at: readonly number[]) =>
  at.map((ms) => tradeAt(ms, { vendor, symbol: SYMBOLS[vendor]!, id: `${vendor}${ms}` }));

/** A provider under a name, whose symbols have its own spelling. */
function spelling(
  name: string,
  history: Parameters<typeof pastOf>[0],
): RoutedProvider & { provider: ReturnType<typeof pastOf> } {
  return { provider: pastOf(history, { name }), spell: (symbol) => (symbol === 'A' ? SYMBOLS[name] : undefined) };
}

const refuses = () => {
  throw new NotEntitled('one', 'not in your plan');
};

async function repaired(gap: Gap, providers: readonly RoutedProvider[], stored: readonly MarketEvent[] = []) {
  const clock = virtualClock();
  const ledger = new MemoryLedger();
  for (const record of [gap, ...stored]) ledger.write(record);
  storing(repairSpan(gap, { providers, ledger, as: 'all', scheduler: clock, proofTimeoutMs: 1_000 }), ledger, clock);
  await pass(clock);
  return { gap: ledger.gap(gap)!, records: [...ledger.records.values()] };
}

const OF_BARS = gapAt(0, 120_000, { vendor: 'all', of: 'bar', timeframe: '1m' });
const OF_TRADES = gapAt(0, 50, { vendor: 'all' });

describe('the repair of one series of several providers', () => {
  test('asks the preferred one by its own spelling, and ranks what comes', async () => {
    const one = spelling('one', (range) =>
      pagesOf(
        [0, 1, 2].map((n) => bar('one', n, 5)),
        range,
      ),
    );
    const two = spelling('two', (range) =>
      pagesOf(
        [0, 1, 2].map((n) => bar('two', n, 7)),
        range,
      ),
    );
    // What the second had sent live.
    const live = rankedRecord({ ...bar('two', 1, 7), symbol: 'A', seq: 9_999 }, 1, 'all');
    const { gap, records } = await repaired(OF_BARS, [one, two], [live]);
    expect(gap).toMatchObject({ state: 'filled', rows: 3 });
    expect(one.provider.asked).toMatchObject([{ symbol: 'A-USD' }]);
    expect(two.provider.asked).toEqual([]);
    expect(records).toHaveLength(3);
    for (const record of records) expect(record).toMatchObject({ vendor: 'all', symbol: 'A', close: 5 });
  });

  test('asks the next one where the first refuses, or lacks what the store has', async () => {
    const two = () =>
      spelling('two', (range) =>
        pagesOf(
          [0, 1, 2].map((n) => bar('two', n, 7)),
          range,
        ),
      );
    const refused = await repaired(OF_BARS, [spelling('one', refuses), two()]);
    expect(refused.gap).toMatchObject({ state: 'filled', rows: 3 });
    const live = rankedRecord({ ...bar('two', 2, 7), symbol: 'A' }, 1, 'all');
    const lacking = spelling('one', (range) =>
      pagesOf(
        [0, 1].map((n) => bar('one', n, 5)),
        range,
      ),
    );
    const both = await repaired(OF_BARS, [lacking, two()], [live]);
    expect(both.gap).toMatchObject({ state: 'filled', rows: 3 });
    const closes = both.records.map((one) => (one as Bar).close);
    expect(closes.sort()).toEqual([5, 5, 7]);
  });

  test('does not double trades, whose ids are those of a vendor', async () => {
    const one = spelling('one', (range) => pagesOf(trades('one', 10, 20, 30), range));
    const two = spelling('two', (range) => pagesOf(trades('two', 10, 20, 30), range));
    const [edge] = trades('two', 50);
    const stored = [rankedRecord({ ...edge!, symbol: 'A' }, 1, 'all')];
    const { gap, records } = await repaired(OF_TRADES, [one, two], stored);
    expect(gap).toMatchObject({ state: 'filled', rows: 4 });
    expect(two.provider.asked).toEqual([]);
    expect(records.map((record) => (record as { id: string }).id).sort()).toEqual(['one10', 'one20', 'one30', 'two50']);
    // Nor where the first has failed with a part of them.
    const half = spelling('one', async function* () {
      yield trades('one', 10);
      throw new Error('down');
    });
    const failed = await repaired(OF_TRADES, [half, spelling('two', (range) => pagesOf(trades('two', 10, 20), range))]);
    expect(failed.gap).toMatchObject({ state: 'open', reason: 'one: down' });
    expect(failed.records).toHaveLength(1);
  });

  test('a gap is empty by the word of those that answered, and says who did not', async () => {
    const none = spelling('two', (range) => pagesOf([], range));
    const { gap } = await repaired(OF_TRADES, [spelling('one', refuses), none]);
    expect(gap).toMatchObject({
      state: 'empty',
      reason: 'two answered that there are no records of this span; one: not in your plan',
    });
  });

  test('stays open where no provider has the symbol', async () => {
    const gap = { ...OF_TRADES, symbol: 'B' };
    const { gap: open } = await repaired(gap, [spelling('one', refuses), spelling('two', refuses)]);
    expect(open).toMatchObject({ state: 'open', reason: 'one does not have B; two does not have B' });
  });
});
