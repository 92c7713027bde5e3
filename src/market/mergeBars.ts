import type { Bar } from './bar.js';

/**
 * Merges two successive pieces of a bar: the start and the open of the older, the close of the newer, the extremes, the volume
 * and the trades of both, and their average price weighted by volume. Whether the bar is final, the newer says; it is complete if
 * both are. What one of the two does not know, the merged bar does not know.
 *
 * Use it for pieces that each report what was traded since the last one, such as the per-second bars of a minute or the
 * increments of a provider. It is not for revisions: a revision restates the whole bar, so adding the volumes would count
 * trades twice.
 */
export function mergeBars(older: Bar, newer: Bar): Bar {
  const merged: Bar = {
    ...older,
    ...newer,
    ts: older.ts,
    open: older.open,
    high: Math.max(older.high, newer.high),
    low: Math.min(older.low, newer.low),
    volume: older.volume + newer.volume,
  };
  return hasDetails(merged) ? withDetails(merged, older, newer) : merged;
}

function hasDetails({ isFinal, isComplete, trades, vwap }: Bar): boolean {
  return isFinal !== undefined || isComplete !== undefined || trades !== undefined || vwap !== undefined;
}

function withDetails(
  { isFinal: _, isComplete: __, trades: ___, vwap: ____, ...known }: Bar,
  older: Bar,
  newer: Bar,
): Bar {
  const isComplete =
    older.isComplete === false || newer.isComplete === false ? false : older.isComplete && newer.isComplete;
  const trades = both(older.trades, newer.trades, (a, b) => a + b);
  const vwap = both(older.vwap, newer.vwap, (a, b) => (a * older.volume + b * newer.volume) / known.volume);
  return {
    ...known,
    ...(newer.isFinal === undefined ? {} : { isFinal: newer.isFinal }),
    ...(isComplete === undefined ? {} : { isComplete }),
    ...(trades === undefined ? {} : { trades }),
    ...(vwap === undefined || known.volume === 0 ? {} : { vwap }),
  };
}

/** Undefined unless both are known. */
function both(
  older: number | null | undefined,
  newer: number | null | undefined,
  merge: (older: number, newer: number) => number,
): number | undefined {
  return typeof older === 'number' && typeof newer === 'number' ? merge(older, newer) : undefined;
}
