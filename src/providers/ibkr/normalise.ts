import { isNoFigure, LEAST_NO_NUMBER, type OptionFigure } from '../../market/noValue.js';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { Trade } from '../../market/trade.js';
import { type Normalise, Unreadable } from '../session.js';
import { readReport } from './fundamentalReports.js';
import { NAME } from './gatewayErrors.js';
import { gatewayTimeMs } from './times.js';

type Made = MarketEvent | readonly MarketEvent[] | Unreadable;

/** A number that TWS has sent; `NaN` for everything else. The client turns DBL_MAX into nothing, and so `null`. */
function value(raw: unknown): number {
  return typeof raw === 'number' && Math.abs(raw) < LEAST_NO_NUMBER ? raw : Number.NaN;
}

/** A number that may be missing: `null` for that, for `sentinel`, and for what is below `min`. */
function valueOrNull(raw: unknown, sentinel: number, min = Number.NEGATIVE_INFINITY): number | null {
  const number = value(raw);
  return Number.isNaN(number) || number === sentinel || number < min ? null : number;
}

const text = (raw: unknown): string => (typeof raw === 'string' ? raw : '');
const isObject = (raw: unknown): raw is Readonly<Record<string, unknown>> => typeof raw === 'object' && raw !== null;

/** Symbol, timeframe, zone, whether it is final; time, open, high, low, close, volume, count, average. */
function bar([, symbol, timeframe, zone, isFinal, time, ...rest]: readonly unknown[]): Made {
  const ts = gatewayTimeMs(time, text(zone) || undefined);
  if (Number.isNaN(ts)) return new Unreadable(`a bar without a time that can be read: ${JSON.stringify(time)}`);
  const [open, high, low, close] = rest.map(value) as [number, number, number, number];
  if (!(high >= low && open >= low && open <= high && close >= low && close <= high)) {
    return new Unreadable(`a bar whose prices cannot be: ${JSON.stringify(rest.slice(0, 4))}`);
  }
  const trades = valueOrNull(rest[5], -1, 0);
  return {
    kind: 'bar',
    vendor: NAME,
    symbol: symbol as string,
    timeframe: timeframe as string,
    ts,
    open,
    high,
    low,
    close,
    // Bars of bid, ask and midpoint have none: -1.
    volume: valueOrNull(rest[4], -1, 0) ?? 0,
    ...(typeof isFinal === 'boolean' && { isFinal }),
    trades: trades === null ? null : Math.floor(trades),
    vwap: valueOrNull(rest[6], -1),
  };
}

/** Symbol, number in its second, time; price, size, attributes, exchange, conditions. */
function trade([, symbol, number, time, ...rest]: readonly unknown[]): Made {
  const ts = gatewayTimeMs(time);
  if (Number.isNaN(ts)) return new Unreadable(`a trade without a time that can be read: ${JSON.stringify(time)}`);
  const [price, size] = [value(rest[0]), value(rest[1])];
  if (Number.isNaN(price)) return new Unreadable('a trade without a price');
  if (!(size >= 0)) return new Unreadable('a trade without a size');
  return {
    kind: 'trade',
    vendor: NAME,
    symbol: symbol as string,
    ts,
    price,
    size,
    id: String(number),
    venue: text(rest[3]) || null,
    conditions: conditionsOf(rest[4], rest[2]),
  };
}

function conditionsOf(raw: unknown, attributes: unknown): Trade['conditions'] {
  const conditions = text(raw).split(' ').filter(Boolean);
  if (isObject(attributes)) {
    if (attributes.pastLimit === true) conditions.push('pastLimit');
    if (attributes.unreported === true) conditions.push('unreported');
  }
  return conditions.length > 0 ? conditions : null;
}

/** Symbol, number in its second, time; bid, ask, size of the bid, size of the ask. */
function quote([, symbol, number, time, ...rest]: readonly unknown[]): Made {
  const ts = gatewayTimeMs(time);
  if (Number.isNaN(ts)) return new Unreadable(`a quote without a time that can be read: ${JSON.stringify(time)}`);
  const [bid, bidSize] = side(rest[0], rest[2]);
  const [ask, askSize] = side(rest[1], rest[3]);
  if (bid === null && ask === null && !isNobody(rest[0]) && !isNobody(rest[1])) {
    return new Unreadable('a quote without a price');
  }
  return { kind: 'quote', vendor: NAME, symbol: symbol as string, ts, bid, bidSize, ask, askSize, id: String(number) };
}

/** -1, or 0 without a size, is nobody. A price of -1 with a size is one of a spread. */
function side(rawPrice: unknown, rawSize: unknown): readonly [number | null, number | null] {
  const price = value(rawPrice);
  const size = valueOrNull(rawSize, -1, 0);
  const isNone = Number.isNaN(price) || (isNobody(price) && (size === null || size === 0));
  return isNone ? [null, null] : [price, size];
}

const isNobody = (price: unknown): boolean => price === -1 || price === 0;

/** A figure of an option; `null` if TWS does not know it, and for what is below `min`. */
function figure(
  values: Readonly<Record<string, unknown>>,
  name: OptionFigure,
  min = Number.NEGATIVE_INFINITY,
): number | null {
  const number = value(values[name]);
  return Number.isNaN(number) || isNoFigure(name, number) || number < min ? null : number;
}

/** Contract, time of the last change; values. */
function option([, contract, ts, values]: readonly unknown[]): Made {
  if (!isObject(contract) || !isObject(values)) return new Unreadable('an option without a contract');
  const { symbol, expiry, optionType, strike } = contract;
  const delta = figure(values, 'delta');
  return {
    kind: 'option',
    vendor: NAME,
    symbol: symbol as string,
    expiry: expiry as string,
    optionType: optionType as 'C' | 'P',
    strike: strike as number,
    ts: ts as number,
    bid: figure(values, 'bid', 0),
    ask: figure(values, 'ask', 0),
    last: figure(values, 'last', 0),
    iv: figure(values, 'iv', 0),
    delta: delta !== null && Math.abs(delta) <= 1 ? delta : null,
    gamma: figure(values, 'gamma'),
    theta: figure(values, 'theta'),
    vega: figure(values, 'vega'),
    openInterest: figure(values, 'openInterest', 0),
    volume: figure(values, 'volume', 0),
    underlyingPrice: figure(values, 'underlyingPrice'),
  };
}

const HISTORICAL_NEWS_TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,3})?$/;

/** In epoch milliseconds from a stream; `2026-01-05 14:31:00.0`, in UTC, from history. */
function newsTimeMs(time: unknown): number {
  if (typeof time === 'number') return time > 0 && time < 8.64e15 ? time : Number.NaN;
  return HISTORICAL_NEWS_TIME.test(text(time)) ? Date.parse(`${text(time).replace(' ', 'T')}Z`) : Number.NaN;
}

/** Headlines begin with notes for machines: `{A:800015:L:en:K:0.9:C:0.8}`. */
const NEWS_NOTES = /^\{[^}]{0,200}\}!?/;

export interface NormaliseConfig {
  readonly newsUrl: (provider: string, article: string) => string;
}

export function normaliser({ newsUrl }: NormaliseConfig): Normalise {
  /** Symbol, provider, article, time, headline. */
  function news([, symbol, provider, article, time, headline]: readonly unknown[]): Made {
    const publishedAt = newsTimeMs(time);
    if (Number.isNaN(publishedAt))
      return new Unreadable(`news without a time that can be read: ${JSON.stringify(time)}`);
    const title = text(headline).replace(NEWS_NOTES, '').trim();
    if (title === '' || text(article) === '') return new Unreadable('news without a headline or an id');
    const url = newsUrl(text(provider), text(article));
    return { kind: 'news', vendor: NAME, id: text(article), publishedAt, title, url, symbols: [symbol as string] };
  }

  /** Symbol, currency, report. */
  function fundamental([, symbol, currency, report]: readonly unknown[]): Made {
    const figures = readReport(symbol as string, text(currency) || 'unknown', text(report));
    return typeof figures === 'string' ? new Unreadable(figures) : figures;
  }

  return (element) => {
    if (!Array.isArray(element)) return new Unreadable('no element of this provider');
    switch (element[0]) {
      case 'trade':
        return trade(element);
      case 'quote':
        return quote(element);
      case 'bar':
        return bar(element);
      case 'option':
        return option(element);
      case 'news':
        return news(element);
      case 'fundamental':
        return fundamental(element);
      default:
        return new Unreadable(unreadableReason(element));
    }
  };
}

function unreadableReason([, event, words, code]: readonly unknown[]): string {
  if (event === 'error') return `TWS or its client says: ${text(words)} (code ${code})`;
  return `an event that makes no sense: ${text(event)}`;
}
