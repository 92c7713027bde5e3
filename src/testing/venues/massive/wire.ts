import type { Bar } from '../../../market/bar.js';
import type { Quote } from '../../../market/quote.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import { plainDecimal } from '../plainDecimal.js';

export type WireElement = Readonly<Record<string, unknown>>;

/** A cluster of Massive, as the path of its WebSocket. */
export type Cluster = 'stocks' | 'options' | 'indices' | 'forex' | 'crypto' | 'futures';

/** The channels of each cluster (https://massive.com/docs/websocket, read 2026-11): subscribing to any other is not answered. */
export const CHANNELS: Readonly<Record<Cluster, readonly string[]>> = {
  stocks: ['T', 'Q', 'A', 'AM', 'LULD', 'NOI', 'FMV'],
  options: ['T', 'Q', 'A', 'AM', 'FMV'],
  indices: ['V', 'A', 'AM'],
  forex: ['C', 'CA', 'CAS', 'FMV'],
  crypto: ['XT', 'XQ', 'XA', 'XAS', 'FMV'],
  futures: ['T', 'Q', 'A', 'AM'],
};

export function isCluster(name: string): name is Cluster {
  return Object.hasOwn(CHANNELS, name);
}

/** The channel that carries a record on a cluster; `undefined` where none does. */
export function channelOf(record: MarketEvent, cluster: Cluster): string | undefined {
  const isCrypto = cluster === 'crypto';
  const isForex = cluster === 'forex';
  if (record.kind === 'trade') return isCrypto ? 'XT' : isForex || cluster === 'indices' ? undefined : 'T';
  if (record.kind === 'quote') return isCrypto ? 'XQ' : isForex ? 'C' : cluster === 'indices' ? undefined : 'Q';
  if (record.kind !== 'bar') return undefined;
  if (record.timeframe === '1m') return isCrypto ? 'XA' : isForex ? 'CA' : 'AM';
  if (record.timeframe === '1s') return isCrypto ? 'XAS' : isForex ? 'CAS' : 'A';
  return undefined;
}

/** A record as an element of a frame. */
export function elementOf(record: MarketEvent, ev: string, cluster: Cluster): WireElement {
  if (record.kind === 'trade') return tradeElement(record, ev, cluster);
  if (record.kind === 'quote') return quoteElement(record, ev, cluster);
  return barElement(record as Bar, ev, cluster);
}

/** What the vendor numbers: the parts of an id such as `4:71675577320245:202`, or `q1061`. */
export interface TradeNumbers {
  readonly exchange: number | undefined;
  readonly id: string | undefined;
  readonly facility: number | undefined;
  readonly sequence: number;
}

export function numbersOf({ id, venue, seq }: Trade): TradeNumbers {
  const sequence = /^q(\d+)$/.exec(id);
  if (sequence) {
    return { exchange: exchangeOf(venue), id: undefined, facility: undefined, sequence: Number(sequence[1]) };
  }
  const [, exchange, own, facility] = /^(\d{1,4}):(.+?)(?::(\d+))?$/.exec(id) ?? [];
  return {
    exchange: exchange === undefined ? exchangeOf(venue) : Number(exchange),
    id: own ?? id,
    facility: facility === undefined ? undefined : Number(facility),
    sequence: sequenceOf(id, seq),
  };
}

/** The vendor numbers exchanges: letters, as in generated days, become numbers. */
export function exchangeOf(venue: string | null | undefined): number | undefined {
  if (venue === null || venue === undefined || venue === '') return undefined;
  return /^\d{1,4}$/.test(venue) ? Number(venue) : venue.charCodeAt(0) & 0x3f;
}

/** A number that stands for the id of a record. */
export function sequenceOf(id: string, seq: number | undefined): number {
  if (/^\d{1,15}$/.test(id)) return Number(id);
  if (seq !== undefined) return seq;
  let hash = 7;
  for (let at = 0; at < id.length; at += 1) hash = (hash * 31 + id.charCodeAt(at)) % 2_147_483_647;
  return hash;
}

export function codesOf(conditions: readonly string[] | null | undefined): readonly number[] | undefined {
  return conditions?.map((code) => (/^\d{1,4}$/.test(code) ? Number(code) : code.charCodeAt(0) & 0x3f));
}

export function sideCodes(side: Trade['side']): readonly number[] {
  if (side === 'sell') return [1];
  return side === 'buy' ? [2] : [0];
}

function tradeElement(record: Trade, ev: string, cluster: Cluster): WireElement {
  const { symbol, price, size, ts, conditions, side } = record;
  const { exchange, id, facility, sequence } = numbersOf(record);
  const t = Math.floor(ts);
  if (cluster === 'crypto') {
    return { ev, pair: symbol, p: price, s: size, x: exchange, i: id ?? String(sequence), c: sideCodes(side), t, r: t };
  }
  const fraction = Number.isInteger(size) ? {} : { ds: plainDecimal(size) };
  const common = { x: exchange, p: price, s: Math.floor(size), ...fraction, c: codesOf(conditions), t, q: sequence };
  if (cluster === 'options') return { ev, sym: symbol, ...common };
  return { ev, sym: symbol, i: id, ...common, z: 3, pt: t, trfi: facility };
}

function quoteElement(record: Quote, ev: string, cluster: Cluster): WireElement {
  const { symbol, bid, bidSize, ask, askSize, bidVenue, askVenue, id, seq } = record;
  const t = Math.floor(record.ts);
  const x = exchangeOf(bidVenue ?? askVenue);
  if (cluster === 'forex') return { ev, p: symbol, x, a: ask ?? undefined, b: bid ?? undefined, t };
  const sides = { bp: bid ?? 0, bs: bidSize ?? 0, ap: ask ?? 0, as: askSize ?? 0 };
  if (cluster === 'crypto') return { ev, pair: symbol, ...sides, x, t, r: t };
  const venues = { bx: exchangeOf(bidVenue), ax: exchangeOf(askVenue) };
  const element = { ev, sym: symbol, ...sides, ...venues, t, q: sequenceOf(id, seq) };
  if (cluster === 'futures') return { ...element, bt: t, at: t };
  return cluster === 'options' ? element : { ...element, c: 1, i: [604], z: 3 };
}

function barElement(record: Bar, ev: string, cluster: Cluster): WireElement {
  const { symbol, timeframe, open: o, high: h, low: l, close: c, volume, vwap, trades } = record;
  const s = Math.floor(record.ts);
  const e = s + (timeframe === '1s' ? 1_000 : 60_000);
  const prices = { o, h, l, c, s, e };
  const vw = vwap ?? undefined;
  if (cluster === 'indices') return { ev, sym: symbol, op: o, ...prices };
  if (cluster === 'forex') return { ev, pair: symbol, ...prices, v: volume };
  if (cluster === 'crypto') return { ev, pair: symbol, ...prices, v: volume, vw, z: 1 };
  if (cluster === 'futures') return { ev, sym: symbol, ...prices, v: volume, dv: volume * c, n: trades ?? 0 };
  const isWhole = Number.isInteger(volume);
  const fraction = isWhole ? {} : { dv: plainDecimal(volume), dav: plainDecimal(volume) };
  const z = trades ? Math.round(volume / trades) : 1;
  return {
    ev,
    sym: symbol,
    v: Math.floor(volume),
    av: Math.floor(volume),
    op: o,
    vw,
    ...prices,
    a: vw,
    z,
    ...fraction,
  };
}

/** Elements that the vendor would never send, one after the other. */
export const MALFORMED: readonly WireElement[] = [
  { ev: 'T', sym: 'AAPL', p: 'nonsense', s: 100, t: 1_767_623_412_083 },
  { ev: 'ZZ', sym: 'AAPL' },
  { ev: 'AM', sym: 'AAPL', o: 1, h: 0, l: 2, c: 1, v: 1, s: 1_767_623_400_000 },
  { ev: 'Q', sym: 'AAPL', bp: '227', t: null },
];
