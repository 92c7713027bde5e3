import type { Bar } from '../../market/bar.js';

/** A row of a table of bars, as the driver gives it. */
export interface BarRow extends Omit<Bar, 'kind' | 'ts' | 'seq'> {
  /** Microseconds since the epoch; the driver returns text rather than risk an inexact number. */
  readonly micros: string;
  readonly seq: string;
}

/** The columns of a {@link BarRow}, of a table or view called `bar`. */
export const BAR_COLUMNS =
  'bar.vendor, bar.symbol, bar.timeframe, (extract(epoch FROM bar.ts) * 1000000)::int8 AS micros, ' +
  'bar.open, bar.high, bar.low, bar.close, bar.volume, bar.seq';

/** Microseconds to an instant: an interval keeps every microsecond, a number of seconds would not. */
export const instantOf = (micros: string) => `(timestamptz 'epoch' + interval '1 microsecond' * ${micros})`;

/** A bar cannot start at an infinite instant. */
export const IS_FINITE = "bar.ts > '-infinity' AND bar.ts < 'infinity'";

export function barOf(row: BarRow): Bar {
  return {
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
}

/** The vendors of a table, with one index look-up for each: `DISTINCT` would read the whole table. */
export function vendorsQuery(table: string): string {
  return `WITH RECURSIVE known (vendor) AS (
    (SELECT vendor FROM ${table} ORDER BY vendor LIMIT 1)
    UNION ALL
    SELECT (SELECT bar.vendor FROM ${table} AS bar WHERE bar.vendor > known.vendor ORDER BY bar.vendor LIMIT 1)
      FROM known WHERE known.vendor IS NOT NULL)
  SELECT vendor FROM known WHERE vendor IS NOT NULL`;
}
