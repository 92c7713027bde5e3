import type { Gap } from '../../market/gap.js';
import { isKnown, type Writable } from './rows.js';

/** What is selected of a row of gaps, called `item`, besides `micros`: when it begins, in microseconds. */
export const GAP_COLUMNS =
  'item.vendor, item.symbol, item.of_kind AS of, item.timeframe, (extract(epoch FROM item.to_ts) * 1000000)::int8 AS "toMicros", ' +
  'item.cause, item.state, item.rows, item.reason, item.seq';

export interface GapRow extends Omit<Gap, 'kind' | 'from' | 'to' | 'rows' | 'seq'> {
  readonly micros: string;
  readonly toMicros: string;
  readonly rows: string | null;
  readonly seq: string;
}

export function gapOf(row: GapRow): Gap {
  const gap: Writable<Gap> = {
    kind: 'gap',
    vendor: row.vendor,
    symbol: row.symbol,
    of: row.of,
    from: Number(row.micros) / 1000,
    to: Number(row.toMicros) / 1000,
    cause: row.cause,
    state: row.state,
    seq: Number(row.seq),
  };
  if (isKnown(row.timeframe) && row.timeframe !== '') gap.timeframe = row.timeframe;
  if (isKnown(row.rows)) gap.rows = Number(row.rows);
  if (isKnown(row.reason)) gap.reason = row.reason;
  return gap;
}
