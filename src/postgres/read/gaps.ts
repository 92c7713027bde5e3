import type { Observable } from 'rxjs';
import { GAP_STATES, type Gap, type GapState } from '../../market/gap.js';
import { listOf, type OptionsOf, oneOf, readOptions, text } from '../../primitives/options.js';
import type { Pool } from '../pool.js';
import { GAP_COLUMNS, type GapRow, gapOf } from './gapRows.js';
import { selectionOptions } from './pagedSource.js';
import { type Condition, SERIES_OPTIONS, type SeriesSelection, seriesSource } from './seriesSource.js';

export interface GapsConfig extends Omit<SeriesSelection, 'symbol' | 'symbols'> {
  /** The symbol whose gaps are read, spelled as in the table. Default: those of all symbols. */
  readonly symbol?: string;
  /** The symbols whose gaps are read; name `*` for those of a wildcard subscription. Default: those of all symbols. */
  readonly symbols?: readonly string[];
  /** What may have become of the gaps: `['open']` for those that are open. Default: anything. */
  readonly states?: readonly GapState[];
  /** The kind of the records that are missing, such as `trade`. Default: any. */
  readonly of?: string;
  /** The table or view. Default `gaps`. */
  readonly table?: string;
}

const OPTIONS = {
  ...SERIES_OPTIONS,
  states: listOf(oneOf(GAP_STATES), { min: 1 }),
  of: text(),
  ...selectionOptions('gaps', { table: 'gaps', pageSize: 2_000 }),
} satisfies OptionsOf<GapsConfig>;

/**
 * Emits the gaps of a store in the order in which they begin: spans of which records are missing. Reads them in pages, and
 * continues only while the gate downstream is open.
 *
 * ```text
 * pages     [G1 G2 G3]--------[G4 G5]-----
 * gate      open---closed-----open--------
 * output    G1-G2-------------G3-G4-G5|
 * ```
 *
 * **Emits when** a page has arrived and the gate is open: by `from`, and those of one instant in an order that is always
 * the same.
 * **Backpressure**: pauses. The next page is read when the last one is used up and the gate is open; no connection is held
 * while the gate is closed.
 * **Completes when** there are no more gaps before `to`, or the pipeline drains.
 * **Errors when** the store cannot be read: `StoreReadError`, after what was read before.
 * **On unsubscribe** returns the connection to the pool. A connection that waits for an answer is cut; PGlite's only one is
 * returned when the answer has arrived.
 *
 * **Delivery**: each subscription reads from `from` again. Each page is a snapshot of the store when it is read: gaps written
 * behind the position reached so far are not seen.
 *
 * **Gotchas**:
 *
 * - `from` and `to` of the options choose by the instant at which a gap begins.
 * - Closing gaps while they are read is safe: each page is read once.
 * - Without `states` the table is read along its whole length, which is short, unless a source loses its connection all day.
 *
 * @example
 * ```ts
 * import { openStore } from 'sluice/sinks';
 * import { gaps } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * gaps(store.pool, { states: ['open'], of: 'trade' }).subscribe({
 *   next: ({ vendor, symbol, from, to, cause }) => console.log(vendor, symbol, new Date(from), new Date(to), cause),
 *   complete: () => store.close(),
 * });
 * ```
 */
export function gaps(pool: Pool, config: GapsConfig = {}): Observable<Gap> {
  const { states, of, ...selection } = readOptions('gaps', config, OPTIONS);
  const conditions: Condition[] = [];
  // The index by state and time is in order for one state only.
  if (states?.length === 1) conditions.push({ sql: (parameter) => `item.state = ${parameter}`, value: states[0] });
  else if (states) conditions.push({ sql: (parameter) => `item.state = ANY(${parameter}::text[])`, value: states });
  if (of !== undefined) conditions.push({ sql: (parameter) => `item.of_kind = ${parameter}`, value: of });
  return seriesSource<Gap, GapRow>(pool, selection, {
    columns: GAP_COLUMNS,
    time: 'from_ts',
    // The rest of the key.
    tie: 'json_build_array(item.vendor, item.symbol, item.of_kind, item.timeframe, extract(epoch FROM item.to_ts))::text',
    conditions,
    isOneSeries: true,
    recordOf: gapOf,
  });
}
