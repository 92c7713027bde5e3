import type { Quote } from '../../../market/quote.js';
import type { Trade } from '../../../market/trade.js';
import { decimal } from '../../decode/decimal.js';
import { wrongField } from '../../decode/wrongField.js';
import type { HistoryRange } from '../../provider.js';
import type { Unreadable } from '../../session.js';
import { lowestPrice, VENDOR } from '../markets.js';
import { cryptoTradeAt } from '../normalise/crypto.js';
import { quoteAt } from '../normalise/quote.js';
import { tradeId } from '../normalise/trade.js';
import { codeText, codeTexts, isAmount, type Raw, versionOf } from '../normalise/values.js';
import { msToNanos, nanosToMs } from './losslessJson.js';
import { type HistorySource, list, tickerIn } from './source.js';

/** Rows in one answer, at most (https://massive.com/docs/rest/stocks/trades-quotes/trades, `limit`). */
const LIMIT = 50_000;

/**
 * Trades of the past, oldest first. Each has the key that the stream gave it: the time of the consolidated feed in whole
 * milliseconds, which is what the stream has, and an id of exchange, number and reporting facility.
 */
export function tradeHistory(source: HistorySource, range: HistoryRange): AsyncIterable<readonly Trade[]> {
  return {
    [Symbol.asyncIterator]: () => {
      const numbers = new Numbers();
      return list<Trade>(source, {
        ...requestOf('trades', source, range),
        row: (row, receivedAt) => tradeOfRow(row, source, range.symbol, numbers, versionOf(receivedAt)),
      })[Symbol.asyncIterator]();
    },
  };
}

/** Quotes of the past, oldest first, with the keys that the stream gave them. */
export function quoteHistory(source: HistorySource, range: HistoryRange): AsyncIterable<readonly Quote[]> {
  const lowest = lowestPrice(source.market);
  return list<Quote>(source, {
    ...requestOf('quotes', source, range),
    row: (row, receivedAt) => {
      const ts = timeOf(row);
      if (Number.isNaN(ts)) return wrongTime(row);
      return quoteAt(
        range.symbol,
        ts,
        lowest,
        row.bid_price,
        row.bid_size,
        row.bid_exchange,
        row.ask_price,
        row.ask_size,
        row.ask_exchange,
        row.sequence_number,
        receivedAt,
      );
    },
  });
}

function requestOf(what: 'trades' | 'quotes', { market }: HistorySource, range: HistoryRange) {
  const query = {
    'timestamp.gte': msToNanos(Math.ceil(range.from)),
    'timestamp.lt': msToNanos(Math.ceil(range.to)),
    order: 'asc',
    sort: 'timestamp',
    limit: LIMIT,
  };
  return { range, first: { path: `/v3/${what}/${tickerIn(market, range.symbol)}`, query } };
}

function tradeOfRow(
  row: Raw,
  { market }: HistorySource,
  symbol: string,
  numbers: Numbers,
  seq: number,
): Trade | Unreadable {
  const ts = timeOf(row);
  if (Number.isNaN(ts)) return wrongTime(row);
  const { price, exchange } = row;
  const size = typeof row.decimal_size === 'string' ? decimal(row.decimal_size) : row.size;
  if (!isAmount(size)) return wrongField('size', 'a size', row.decimal_size ?? row.size);
  if (market === 'crypto') return cryptoTradeAt(symbol, ts, price, size, exchange, row.id, row.conditions, seq);
  const lowest = lowestPrice(market);
  if (typeof price !== 'number' || !(price > lowest && price < Number.POSITIVE_INFINITY)) {
    return wrongField('price', 'a price', price);
  }
  const venue = exchange === undefined ? null : codeText(exchange);
  if (venue === undefined) return wrongField('exchange', 'the number of an exchange', exchange);
  const conditions = codeTexts(row.conditions);
  if (conditions === undefined) return wrongField('conditions', 'a list of conditions', row.conditions);
  // The stream has no other id for options.
  const isOfStream = market === 'options' && row.sequence_number !== undefined;
  const isNumbered = row.id !== undefined || row.sequence_number !== undefined;
  const id = isNumbered
    ? tradeId(venue, isOfStream ? undefined : row.id, row.trf_id, row.sequence_number)
    : numbers.next(ts, `${venue ?? ''}:${price}:${size}`);
  if (id === undefined) return wrongField('id', 'the id of a trade', row.id ?? row.sequence_number);
  return { kind: 'trade', vendor: VENDOR, symbol, ts, price, size, id, venue, side: null, conditions, seq };
}

/** Crypto and forex have no consolidated feed. */
function timeOf(row: Raw): number {
  return nanosToMs(row.sip_timestamp ?? row.participant_timestamp);
}

function wrongTime(row: Raw): Unreadable {
  return wrongField('sip_timestamp', 'a time in nanoseconds', row.sip_timestamp ?? row.participant_timestamp);
}

/**
 * Numbers trades that the vendor does not tell apart, as some answers for options: equal ones of one instant, by their order. The
 * same range gives the same ids.
 */
class Numbers {
  readonly #counts = new Map<string, number>();
  #ts = Number.NaN;

  next(ts: number, content: string): string {
    if (ts !== this.#ts) {
      this.#ts = ts;
      this.#counts.clear();
    }
    const count = (this.#counts.get(content) ?? 0) + 1;
    this.#counts.set(content, count);
    return `${content}#${count}`;
  }
}
