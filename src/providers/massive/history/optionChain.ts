import type { OptionSnapshot } from '../../../market/optionSnapshot.js';
import { number, type OptionsOf, oneOf, readOptions, text } from '../../../primitives/options.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { isPrice, type Raw, versionOf } from '../normalise/values.js';
import { calendarDate, isCalendarDate } from './dates.js';
import { nanosToMs } from './losslessJson.js';
import { type HistorySource, list, tickerIn } from './source.js';

/** Which contracts of a chain. */
export interface MassiveChainQuery {
  /** The ticker of the underlying: `AAPL`, `I:SPX`. */
  readonly symbol: string;
  /** The first and the last date of expiry, both included: `2026-12-18`. Default: all. */
  readonly expiryFrom?: string;
  readonly expiryTo?: string;
  /** The lowest and the highest strike, both included. Default: all. */
  readonly strikeFrom?: number;
  readonly strikeTo?: number;
  /** Calls or puts only. Default: both. */
  readonly optionType?: 'C' | 'P';
}

const QUERY = {
  symbol: text().required(),
  expiryFrom: calendarDate(),
  expiryTo: calendarDate(),
  strikeFrom: number({ min: 0 }),
  strikeTo: number({ min: 0 }),
  optionType: oneOf(['C', 'P']),
} satisfies OptionsOf<MassiveChainQuery>;

/** Rows in one answer, at most (https://massive.com/docs/rest/options/snapshots/option-chain-snapshot). */
const LIMIT = 250;

const TYPES: Readonly<Record<string, 'C' | 'P' | undefined>> = { call: 'C', put: 'P' };

/**
 * A chain as it is now: contracts ordered by their tickers. What the vendor leaves out, as the greeks of contracts that are deep in
 * the money, is `null`, and so is a bid or an ask of 0. `symbol` is the root of the contract where that is another than the underlying. Contracts that are neither a call nor a put make no record.
 */
export function optionChain(source: HistorySource, query: MassiveChainQuery): AsyncIterable<readonly OptionSnapshot[]> {
  const read = readOptions('massive: optionChain', query, QUERY);
  const { symbol, expiryFrom, expiryTo, strikeFrom, strikeTo, optionType } = read;
  const now = source.now();
  return list<OptionSnapshot>(source, {
    range: { of: 'option', symbol, from: now, to: now },
    first: {
      path: `/v3/snapshot/options/${tickerIn(source.market, symbol)}`,
      query: {
        'expiration_date.gte': expiryFrom,
        'expiration_date.lte': expiryTo,
        'strike_price.gte': strikeFrom,
        'strike_price.lte': strikeTo,
        contract_type: optionType === 'C' ? 'call' : optionType === 'P' ? 'put' : undefined,
        order: 'asc',
        sort: 'ticker',
        limit: LIMIT,
      },
    },
    row: (row, receivedAt) => snapshotOf(row, symbol, receivedAt),
  });
}

/** A contract as the vendor spells it: root, expiry, call or put, strike (https://massive.com/docs/rest/options/contracts). */
const CONTRACT = /^O:(.+)\d{6}[CP]\d{8}$/;

/**
 * The symbol of a contract: its underlying as it was asked for, unless the contract has another root. `SPXW` and `SPX`, or `AAPL1`
 * after a split, are other contracts with the same expiry and strike. Roots have no dots: those on `BRK.B` have `BRKB`.
 */
function symbolOf(ticker: unknown, underlying: string): string {
  const root = typeof ticker === 'string' ? CONTRACT.exec(ticker)?.[1] : undefined;
  const plain = underlying.replace(/^I:/, '').replaceAll('.', '');
  return root === undefined || root === plain ? underlying : root;
}

function snapshotOf(row: Raw, asked: string, receivedAt: number): OptionSnapshot | readonly [] | Unreadable {
  const details = member(row, 'details');
  const quote = member(row, 'last_quote');
  const trade = member(row, 'last_trade');
  const greeks = member(row, 'greeks');
  const day = member(row, 'day');
  const underlying = member(row, 'underlying_asset');
  const { contract_type: type, expiration_date: expiry, strike_price: strike } = details;
  if (type === 'other') return [];
  const optionType = typeof type === 'string' ? TYPES[type] : undefined;
  if (optionType !== 'C' && optionType !== 'P') return wrongField('details.contract_type', '"call" or "put"', type);
  if (!isCalendarDate(expiry)) return wrongField('details.expiration_date', 'a date', expiry);
  if (!isPrice(strike) || strike <= 0) return wrongField('details.strike_price', 'a price', strike);
  const symbol = symbolOf(details.ticker, asked);
  if (!isSymbolText(symbol)) return wrongField('symbol', 'a ticker', symbol);
  const ts = timeOf(quote.last_updated, trade.sip_timestamp, day.last_updated, receivedAt);
  if (Number.isNaN(ts)) return wrongField('last_quote.last_updated', 'a time in nanoseconds', quote.last_updated);
  const delta = figure(greeks.delta);
  return {
    kind: 'option',
    vendor: VENDOR,
    symbol,
    expiry,
    optionType,
    strike,
    ts,
    bid: price(quote.bid),
    ask: price(quote.ask),
    last: price(trade.price),
    iv: atLeastZero(row.implied_volatility),
    delta: delta !== null && Math.abs(delta) <= 1 ? delta : null,
    gamma: figure(greeks.gamma),
    theta: figure(greeks.theta),
    vega: figure(greeks.vega),
    openInterest: atLeastZero(row.open_interest),
    volume: atLeastZero(day.volume),
    underlyingPrice: figure(underlying.price ?? underlying.value),
    seq: versionOf(receivedAt),
  };
}

const NOTHING: Raw = {};

function member(row: Raw, name: string): Raw {
  const value = row[name];
  return typeof value === 'object' && value !== null ? (value as Raw) : NOTHING;
}

/** When the vendor saw it last: the quote, else the trade, else the day; plans without these get the time of receipt. */
function timeOf(quote: unknown, trade: unknown, day: unknown, receivedAt: number): number {
  const stated = quote ?? trade ?? day;
  return stated === undefined ? receivedAt : nanosToMs(stated);
}

function figure(value: unknown): number | null {
  return isPrice(value) ? value : null;
}

function atLeastZero(value: unknown): number | null {
  return isPrice(value) && value >= 0 ? value : null;
}

function price(value: unknown): number | null {
  return isPrice(value) && value > 0 ? value : null;
}
