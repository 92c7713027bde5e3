import type { Observable } from 'rxjs';
import type { Quote } from '../../market/quote.js';
import { type OptionsOf, readOptions } from '../../primitives/options.js';
import type { Pool } from '../pool.js';
import { selectionOptions } from './pagedSource.js';
import { isKnown, type Writable } from './rows.js';
import { SERIES_OPTIONS, type SeriesSelection, seriesSource } from './seriesSource.js';

export interface QuotesConfig extends SeriesSelection {
  /** The table or view. Default `quotes`. */
  readonly table?: string;
}

const OPTIONS = {
  ...SERIES_OPTIONS,
  ...selectionOptions('quotes', { table: 'quotes', pageSize: 2_000 }),
} satisfies OptionsOf<QuotesConfig>;

interface QuoteRow extends Omit<Quote, 'kind' | 'ts' | 'seq'> {
  readonly micros: string;
  readonly seq: string;
}

/**
 * Emits the quotes of a store in the order of their time. Reads them in pages, and continues only while the gate downstream is
 * open.
 *
 * ```text
 * pages     [A1 B1 A2]--------[B2 A3]-----
 * gate      open---closed-----open--------
 * output    A1-B1-------------A2-B2-A3|
 * ```
 *
 * **Emits when** a page has arrived and the gate is open: by `ts`, then by vendor, then by symbol in the order
 * of `symbols`, then by id in the order of the database.
 * **Backpressure**: pauses. The next page is read when the last one is used up and the gate is open; no connection is held
 * while the gate is closed.
 * **Completes when** there are no more quotes before `to`, or the pipeline drains.
 * **Errors when** the store cannot be read: `StoreReadError`, after what was read before.
 * **On unsubscribe** returns the connection to the pool. A connection that waits for an answer is cut; PGlite's only one is
 * returned when the answer has arrived.
 *
 * **Delivery**: each subscription reads from `from` again. Each page is a snapshot of the store when it is read: quotes written
 * behind the position reached so far are not seen.
 *
 * **Gotchas**:
 *
 * - `ts` is exact to the microsecond.
 * - What the store has no value for is left out, but for a side of the market that is absent, which is `null`.
 * - With `retry()` all quotes come again, unless `defer()` moves `from` forward to the last one received. Then those of that instant come
 *   again, which a sink does not mind.
 *
 * @example
 * ```ts
 * import { openStore } from 'sluice/sinks';
 * import { quotes } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * quotes(store.pool, { symbol: 'AAPL', from: Date.UTC(2026, 0, 5, 14, 30), to: Date.UTC(2026, 0, 5, 14, 31) }).subscribe({
 *   next: ({ ts, bid, ask }) => console.log(new Date(ts), bid, ask),
 *   complete: () => store.close(),
 * });
 * ```
 */
export function quotes(pool: Pool, config: QuotesConfig): Observable<Quote> {
  return seriesSource<Quote, QuoteRow>(pool, readOptions('quotes', config, OPTIONS), {
    columns:
      'item.vendor, item.symbol, item.id, item.bid, item.bid_size AS "bidSize", item.ask, item.ask_size AS "askSize", ' +
      'item.bid_venue AS "bidVenue", item.ask_venue AS "askVenue", item.seq',
    time: 'ts',
    tie: 'item.id',
    conditions: [],
    recordOf: quoteOf,
  });
}

function quoteOf(row: QuoteRow): Quote {
  const quote: Writable<Quote> = {
    kind: 'quote',
    vendor: row.vendor,
    symbol: row.symbol,
    ts: Number(row.micros) / 1000,
    bid: numberOf(row.bid),
    bidSize: numberOf(row.bidSize),
    ask: numberOf(row.ask),
    askSize: numberOf(row.askSize),
    id: row.id,
    seq: Number(row.seq),
  };
  if (isKnown(row.bidVenue)) quote.bidVenue = row.bidVenue;
  if (isKnown(row.askVenue)) quote.askVenue = row.askVenue;
  return quote;
}

function numberOf(value: number | null): number | null {
  return value === null ? null : Number(value);
}
