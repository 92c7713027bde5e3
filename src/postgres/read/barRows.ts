import type { Bar } from '../../market/bar.js';
import { isKnown, type Writable } from './rows.js';

/** A row of a table of bars, as the driver gives it. */
export interface BarRow extends Omit<Bar, 'kind' | 'ts' | 'seq' | 'trades'> {
  /** Microseconds since the epoch; the driver returns text rather than risk an inexact number. */
  readonly micros: string;
  readonly seq: string;
  readonly trades?: string | null;
}

/** The columns of a {@link BarRow} besides its time, of a row called `item`. */
export const BAR_COLUMNS =
  'item.vendor, item.symbol, item.timeframe, item.open, item.high, item.low, item.close, item.volume, item.seq';

/** The columns that a table from before they were added lacks, and a view of longer bars. */
export const BAR_DETAILS: Readonly<Record<string, string>> = {
  is_final: 'item.is_final AS "isFinal"',
  is_complete: 'item.is_complete AS "isComplete"',
  trades: 'item.trades',
  vwap: 'item.vwap',
};

export function barOf(row: BarRow): Bar {
  const bar: Writable<Bar> = {
    kind: 'bar',
    vendor: row.vendor,
    symbol: row.symbol,
    timeframe: row.timeframe,
    ts: Number(row.micros) / 1000,
    open: Number(row.open),
    high: Number(row.high),
    low: Number(row.low),
    close: Number(row.close),
    volume: Number(row.volume),
    seq: Number(row.seq),
  };
  if (isKnown(row.isFinal)) bar.isFinal = row.isFinal;
  if (isKnown(row.isComplete)) bar.isComplete = row.isComplete;
  if (isKnown(row.trades)) bar.trades = Number(row.trades);
  if (isKnown(row.vwap)) bar.vwap = Number(row.vwap);
  return bar;
}
