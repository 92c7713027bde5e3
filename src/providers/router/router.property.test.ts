import { describe, expect, test } from 'vitest';
import { playRouter } from '../../../test/support/toyMarket.js';

const SEEDS = Array.from({ length: 16 }, (_, i) => i + 1);

describe.each(['failover', 'partition'] as const)('%s of providers that come and go', (strategy) => {
  test.each(SEEDS)('loses nothing silently, repeats nothing and keeps the order (seed %i)', (seed) => {
    const { events, delivered, gaps, switches, account, began } = playRouter({ strategy, seed });
    const wanting = events.filter(
      ({ symbol, ts }) =>
        ts > (began.get(symbol) ?? 0) &&
        !delivered.some((record) => record.symbol === symbol && record.ts === ts) &&
        !gaps.some((gap) => gap.symbol === symbol && gap.from <= ts && ts <= gap.to),
    );
    expect(wanting).toEqual([]);
    const last = new Map<string, number>();
    for (const { vendor, symbol, ts } of delivered) {
      const series = `${vendor} ${symbol}`;
      expect(ts, series).toBeGreaterThan(last.get(series) ?? -1);
      last.set(series, ts);
    }
    expect(account.conservation).toBe(0);
    expect(account.delivered).toBe(delivered.length + gaps.length);
    if (strategy === 'failover') {
      let active = 'x';
      for (const { from, to } of switches) {
        expect([from, to]).toEqual([active, expect.not.stringMatching(`^${active}$`)]);
        active = to;
      }
    }
  });
});

test('the scripts of these tests make switches of every kind, and duplicates', () => {
  const runs = SEEDS.map((seed) => playRouter({ strategy: 'failover', seed }));
  const reasons = new Set(runs.flatMap(({ switches }) => switches.map(({ reason }) => reason)));
  expect([...reasons].sort()).toEqual(['ended', 'failing', 'preferred', 'silent']);
  expect(runs.some(({ account }) => (account.dropped.duplicate ?? 0) > 0)).toBe(true);
});
