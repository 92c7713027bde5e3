import { describe, expect, it } from 'vitest';
import type { Gap } from '../../../market/gap.js';
import type { OpenReason, RepairOutcome } from '../../../providers/backfill/outcome.js';
import { VendorPatience } from './vendorPatience.js';

const gap = (symbol: string, vendor = 'acme'): Gap => ({
  ...{
    kind: 'gap',
    vendor,
    symbol,
    of: 'bar',
    timeframe: '1m',
    from: 0,
    to: 1,
    cause: 'requested',
    state: 'open',
    seq: 1,
  },
});
const open = (symbol: string, why: OpenReason, reason = 'no'): RepairOutcome => ({
  ...{ state: 'open', gap: gap(symbol), why, reason, isFinal: false, retryAfterMs: 0 },
});
const filled = (symbol: string): RepairOutcome => ({ state: 'filled', gap: gap(symbol), rows: 1 });
const withOutcomes = (...outcomes: readonly RepairOutcome[]) => {
  const patience = new VendorPatience();
  for (const outcome of outcomes) patience.note(outcome);
  return (symbol: string, vendor?: string) => patience.giveUp(gap(symbol, vendor));
};

describe('VendorPatience', () => {
  it('gives up a vendor that failed three times in a row, and no other', () => {
    const giveUp = withOutcomes(open('A', 'failed'), open('B', 'failed'), open('C', 'failed', 'HTTP 503'));
    expect(giveUp('D')).toBe('not asked, because acme failed 3 times in a row: HTTP 503');
    expect(giveUp('D', 'other')).toBeUndefined();
  });

  it('an answer in between ends the row', () => {
    expect(
      withOutcomes(open('A', 'failed'), open('A', 'failed'), filled('B'), open('A', 'failed'))('A'),
    ).toBeUndefined();
    expect(
      withOutcomes(open('A', 'failed'), open('A', 'failed'), open('B', 'refused'), open('A', 'failed'))('A'),
    ).toBeUndefined();
  });

  it('gives up a series that was refused three times, and asks the others', () => {
    const giveUp = withOutcomes(
      open('A', 'refused', 'no A'),
      open('A', 'refused', 'no A'),
      open('A', 'refused', 'no A'),
    );
    expect(giveUp('A')).toBe('not asked, because acme refused A bar 1m 3 times in a row: no A');
    expect(giveUp('B')).toBeUndefined();
  });

  it('gives up a vendor that refuses series after series in the same words', () => {
    const wrongKey = ['A', 'B', 'C'].map((symbol) => open(symbol, 'refused', 'unknown key'));
    expect(withOutcomes(...wrongKey)('D')).toBe('not asked, because acme refused 3 series in a row: unknown key');
    expect(
      withOutcomes(...['A', 'B', 'C'].map((symbol) => open(symbol, 'refused', `no ${symbol}`)))('D'),
    ).toBeUndefined();
    expect(withOutcomes(wrongKey[0]!, wrongKey[1]!, filled('E'), wrongKey[2]!)('D')).toBeUndefined();
  });

  it('is patient with answers that are no proof', () => {
    expect(withOutcomes(...Array.from({ length: 9 }, () => open('A', 'incomplete')))('A')).toBeUndefined();
  });
});
