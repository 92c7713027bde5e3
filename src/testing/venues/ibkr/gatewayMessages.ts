import type { MarketEvent } from '../../../market/recordKinds.js';
import type { ContractRequest } from './gatewayRequest.js';
import type { Instrument } from './instruments.js';
import type { WireField } from './wire.js';

export type Message = readonly WireField[];

/** Bars by our timeframe, as requests name their size. */
const BAR_SIZES: Readonly<Record<string, string>> = { s: 'secs', m: 'mins', h: 'hours', d: 'days', w: 'weeks' };

/** `1m` for `1 min`. */
export function timeframeOf(barSize: string): string {
  const [count = '', unit = ''] = barSize.split(' ');
  const letter = Object.keys(BAR_SIZES).find((one) => BAR_SIZES[one]!.startsWith(unit.replace(/s$/, '')));
  return `${count}${letter}`;
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);

/** The time of a bar: epoch seconds, or the day of bars that are a day or longer, whatever the format asked for. */
export const barTime = (ts: number, timeframe: string): WireField =>
  /[dw]$/.test(timeframe) ? new Date(ts).toISOString().slice(0, 10).replaceAll('-', '') : seconds(ts);

export const errorMessage = (id: number, code: number, text: string): Message => [4, 2, id, code, text, ''];

/** The messages that a record is to a request that is subscribed to it; none if it is of another kind, or of another contract. */
export function messagesOf(record: MarketEvent, request: ContractRequest, instrument: Instrument): readonly Message[] {
  const { is, id, args } = request;
  if (record.kind === 'option')
    return is === 'marketData' && isOption(record, instrument) ? optionMessages(id, record) : [];
  if (record.kind === 'news') {
    const isAsked = is === 'marketData' && /292/.test(args[1] ?? '');
    const isAbout = record.symbols.some((symbol) => instrument.names.has(symbol));
    return isAsked && isAbout ? [[84, id, Math.floor(record.publishedAt), 'FAKE', record.id, record.title, '']] : [];
  }
  if (!('symbol' in record) || !instrument.names.has(record.symbol)) return [];
  switch (record.kind) {
    case 'bar': {
      const { open, high, low, close, volume, vwap, trades, ts, timeframe } = record;
      if (is === 'bars' && timeframe === '5s') {
        return [[50, 3, id, seconds(ts), open, high, low, close, volume, vwap ?? -1, trades ?? -1]];
      }
      if (is !== 'history' || args[7] !== '1' || timeframeOf(args[2] ?? '') !== timeframe) return [];
      return [[90, id, trades ?? -1, barTime(ts, timeframe), open, close, high, low, vwap ?? -1, volume]];
    }
    case 'trade': {
      const type = args[0] === 'Last' ? 1 : 2;
      const { price, size, venue, conditions } = record;
      if (is !== 'ticks' || !/Last$/.test(args[0] ?? '')) return [];
      return [[99, id, type, seconds(record.ts), price, size, 0, venue, conditions?.join(' ')]];
    }
    case 'quote': {
      const { bid, ask, bidSize, askSize } = record;
      if (is !== 'ticks' || args[0] !== 'BidAsk') return [];
      return [[99, id, 3, seconds(record.ts), bid ?? 0, ask ?? 0, bidSize ?? 0, askSize ?? 0, 0]];
    }
    default:
      return [];
  }
}

function isOption(record: MarketEvent & { readonly kind: 'option' }, instrument: Instrument): boolean {
  const { symbol, lastTradeDate, right, strike } = instrument;
  const isSame = record.symbol === symbol && record.strike === strike && record.optionType === right;
  return isSame && record.expiry.replaceAll('-', '') === lastTradeDate;
}

function optionMessages(id: number, option: MarketEvent & { readonly kind: 'option' }): readonly Message[] {
  const { bid, ask, last, iv, delta, gamma, vega, theta, underlyingPrice, volume, openInterest, optionType } = option;
  return [
    [1, 6, id, 1, bid ?? -1, 10, 0],
    [1, 6, id, 2, ask ?? -1, 12, 0],
    [1, 6, id, 4, last ?? -1, 1, 0],
    [2, 6, id, 8, volume ?? -1],
    [2, 6, id, optionType === 'C' ? 27 : 28, openInterest ?? -1],
    [21, id, 13, 0, iv ?? -1, delta ?? -2, last ?? -1, -1, gamma ?? -2, vega ?? -2, theta ?? -2, underlyingPrice ?? -1],
  ];
}

/** A message of the same kind that no gateway would send: its prices are words. */
export function malformed([kind, ...fields]: Message): Message {
  // Behind the ids and the time stand the prices.
  const at: Readonly<Record<string, number>> = { 50: 3, 90: 3, 99: 3, 84: 1, 21: 3, 1: 3, 2: 3 };
  return [kind, ...fields.map((field, index) => (index >= (at[String(kind)] ?? 0) ? 'no number' : field))];
}
