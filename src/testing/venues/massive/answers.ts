import type { Bar } from '../../../market/bar.js';
import type { Fundamentals } from '../../../market/fundamentals.js';
import type { NewsItem } from '../../../market/newsItem.js';
import type { OptionSnapshot } from '../../../market/optionSnapshot.js';
import type { Quote } from '../../../market/quote.js';
import type { MarketEvent, RecordOf } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import { codesOf, exchangeOf, numbersOf, sequenceOf, sideCodes, type WireElement } from './wire.js';

/** What a request for history asks, whose path this server knows. */
export interface Question {
  readonly rows: (records: readonly MarketEvent[]) => readonly WireElement[];
  /** Rows in one answer, at most, and unless the request says less. */
  readonly maxRows: number;
  /** For how many of its limit one row counts: bars are counted in minutes or days. */
  readonly weight: number;
  /** What the answer has besides. */
  readonly extra: WireElement;
}

/** Marks a number that JavaScript cannot write: {@link withNanos} takes the quotes off. */
const NANOS = '@ns';

/** The text of an answer, with times in nanoseconds as numbers of 19 digits. */
export function withNanos(answer: WireElement): string {
  return JSON.stringify(answer).replace(/"@ns(\d+)"/g, '$1');
}

/** A time as the vendor has it: finer than the stream's milliseconds. */
function nanos(ms: number): string {
  return `${NANOS}${BigInt(Math.round(ms * 1_000))}${String((Math.floor(ms) * 7_919) % 1_000).padStart(3, '0')}`;
}

const BASE_SPANS: Readonly<Record<string, string>> = { second: 's', minute: 'm', hour: 'h', day: 'd', week: 'w' };

/** Reads a path; `undefined` for one that the vendor does not have. */
export function questionOf(url: URL): Question | undefined {
  const path = decodeURIComponent(url.pathname);
  const query = url.searchParams;
  const bars = /^\/v2\/aggs\/ticker\/([^/]+)\/range\/(\d+)\/(second|minute|hour|day|week)\/(\d+)\/(\d+)$/.exec(path);
  if (bars) return barsQuestion(bars as unknown as readonly string[]);
  const ticks = /^\/v3\/(trades|quotes)\/([^/]+)$/.exec(path);
  if (ticks) return ticksQuestion(ticks[1] === 'trades' ? 'trade' : 'quote', ticks[2]!, query);
  const chain = /^\/v3\/snapshot\/options\/([^/]+)$/.exec(path);
  if (chain) return chainQuestion(chain[1]!, query);
  if (path === '/v2/reference/news') return newsQuestion(query);
  if (path === '/vX/reference/financials') return legacyQuestion(query);
  const statement = /^\/stocks\/financials\/v1\/(income-statement|balance-sheet|cash-flow-statement|ratio)s$/.exec(
    path,
  );
  if (statement) return statementQuestion(statement[1]!, query);
  return undefined;
}

/** `X:BTCUSD` is `BTC-USD` on the stream. */
function isTicker(ticker: string): (symbol: string) => boolean {
  const bare = ticker.replace(/^[XC]:/, '');
  return (symbol) => symbol === ticker || (bare !== ticker && symbol.replace(/[-/]/, '') === bare);
}

function ofKind<K extends MarketEvent['kind']>(records: readonly MarketEvent[], kind: K): readonly RecordOf<K>[] {
  return records.filter((record): record is RecordOf<K> => record.kind === kind);
}

function barsQuestion([, ticker = '', multiplier = '1', span = 'minute', from, to]: readonly string[]): Question {
  const isAsked = isTicker(ticker);
  const timeframe = `${multiplier}${BASE_SPANS[span]}`;
  const rows = (records: readonly MarketEvent[]) =>
    ofKind(records, 'bar')
      .filter((bar) => isAsked(bar.symbol) && bar.timeframe === timeframe)
      .filter(({ ts }) => ts >= Number(from) && ts <= Number(to))
      .sort((a, b) => a.ts - b.ts)
      .map(barRow);
  const weight = Number(multiplier) * (span === 'hour' ? 60 : span === 'week' ? 7 : 1);
  return { rows, maxRows: 50_000, weight, extra: { ticker, adjusted: true } };
}

function barRow({ open: o, high: h, low: l, close: c, volume: v, vwap, trades, ts: t }: Bar): WireElement {
  return { v, vw: vwap ?? undefined, o, c, h, l, t, n: trades ?? undefined };
}

function ticksQuestion(kind: 'trade' | 'quote', ticker: string, query: URLSearchParams): Question {
  const isAsked = isTicker(ticker);
  const from = Number(query.get('timestamp.gte') ?? 0) / 1e6;
  const to = Number(query.get('timestamp.lt') ?? Number.POSITIVE_INFINITY) / 1e6;
  const rows = (records: readonly MarketEvent[]) =>
    [...ofKind(records, kind)]
      .filter(({ symbol, ts }) => isAsked(symbol) && ts >= from && ts < to)
      .sort((a, b) => a.ts - b.ts)
      .map((record) => (record.kind === 'trade' ? tradeRow(record, ticker) : quoteRow(record)));
  return { rows, maxRows: 50_000, weight: 1, extra: {} };
}

function tradeRow(record: Trade, ticker: string): WireElement {
  const { price, size, ts, conditions, side } = record;
  const { exchange, id, facility, sequence } = numbersOf(record);
  const common = { exchange, price, size, participant_timestamp: nanos(ts) };
  if (ticker.startsWith('X:')) return { ...common, conditions: sideCodes(side), id: id ?? String(sequence) };
  const row = { ...common, conditions: codesOf(conditions), sequence_number: sequence, sip_timestamp: nanos(ts) };
  return ticker.startsWith('O:') ? row : { ...row, id, tape: 3, trf_id: facility };
}

function quoteRow({ bid, bidSize, ask, askSize, bidVenue, askVenue, ts, id, seq, symbol }: Quote): WireElement {
  const isForex = symbol.includes('/');
  const exchanges = { ask_exchange: exchangeOf(askVenue), bid_exchange: exchangeOf(bidVenue) };
  const prices = { ask_price: ask ?? undefined, bid_price: bid ?? undefined };
  if (isForex) return { ...exchanges, ...prices, participant_timestamp: nanos(ts) };
  const sizes = { ask_size: askSize ?? undefined, bid_size: bidSize ?? undefined };
  return { ...exchanges, ...prices, ...sizes, sequence_number: sequenceOf(id, seq), sip_timestamp: nanos(ts) };
}

function chainQuestion(underlying: string, query: URLSearchParams): Question {
  const bound = (name: string, fallback: number) => Number(query.get(name) ?? fallback);
  const type = query.get('contract_type');
  const expiryFrom = query.get('expiration_date.gte') ?? '';
  const expiryTo = query.get('expiration_date.lte') ?? '9999';
  const rows = (records: readonly MarketEvent[]) =>
    ofKind(records, 'option')
      .filter(({ symbol, expiry }) => symbol === underlying && expiry >= expiryFrom && expiry <= expiryTo)
      .filter(({ strike }) => strike >= bound('strike_price.gte', 0) && strike <= bound('strike_price.lte', 1e12))
      .filter(({ optionType }) => type === null || (type === 'call') === (optionType === 'C'))
      .sort((a, b) => (contractOf(a) < contractOf(b) ? -1 : 1))
      .map(chainRow);
  return { rows, maxRows: 250, weight: 1, extra: {} };
}

function contractOf({ symbol, expiry, optionType, strike }: OptionSnapshot): string {
  const price = String(Math.round(strike * 1_000)).padStart(8, '0');
  return `O:${symbol}${expiry.slice(2).replaceAll('-', '')}${optionType}${price}`;
}

function chainRow(record: OptionSnapshot): WireElement {
  const { symbol, expiry, optionType, strike, ts, delta, gamma, theta, vega } = record;
  // The vendor leaves out all greeks or none.
  const greeks = delta === null || delta === undefined ? {} : { greeks: { delta, gamma, theta, vega } };
  return {
    day: { volume: record.volume ?? undefined, last_updated: nanos(ts) },
    details: {
      contract_type: optionType === 'C' ? 'call' : 'put',
      exercise_style: 'american',
      expiration_date: expiry,
      shares_per_contract: 100,
      strike_price: strike,
      ticker: contractOf(record),
    },
    ...greeks,
    implied_volatility: record.iv ?? undefined,
    last_quote: { ask: record.ask ?? 0, bid: record.bid ?? 0, last_updated: nanos(ts), timeframe: 'REAL-TIME' },
    ...(record.last && { last_trade: { price: record.last, sip_timestamp: nanos(ts), timeframe: 'REAL-TIME' } }),
    open_interest: record.openInterest ?? undefined,
    underlying_asset: { ticker: symbol, price: record.underlyingPrice ?? undefined, timeframe: 'REAL-TIME' },
  };
}

function newsQuestion(query: URLSearchParams): Question {
  const ticker = query.get('ticker');
  const from = Date.parse(query.get('published_utc.gte') ?? '1970-01-01');
  const to = Date.parse(query.get('published_utc.lt') ?? '9999-01-01');
  const rows = (records: readonly MarketEvent[]) =>
    [...ofKind(records, 'news')]
      .filter(({ symbols, publishedAt }) => {
        return (ticker === null || symbols.includes(ticker)) && publishedAt >= from && publishedAt < to;
      })
      .sort((a, b) => a.publishedAt - b.publishedAt)
      .map(newsRow);
  return { rows, maxRows: 1_000, weight: 1, extra: {} };
}

function newsRow({ id, title, url, publishedAt, symbols, sentiment }: NewsItem): WireElement {
  const word = sentiment === null || sentiment === undefined ? undefined : WORDS[Math.sign(sentiment) + 1];
  const insights = symbols.map((ticker) => ({ ticker, sentiment: word, sentiment_reasoning: 'Generated.' }));
  return {
    id,
    title,
    author: 'Sluice',
    article_url: url,
    published_utc: new Date(publishedAt).toISOString(),
    publisher: { name: 'Sluice', homepage_url: 'https://example.com' },
    tickers: symbols,
    ...(word !== undefined && { insights }),
  };
}

const WORDS = ['negative', 'neutral', 'positive'];

/** Figures of one company by period, in the order of the first of each. */
function periodsOf(records: readonly MarketEvent[], query: URLSearchParams): readonly (readonly Fundamentals[])[] {
  const ticker = query.get('ticker') ?? query.get('tickers');
  const given = query.get('timeframe');
  const timeframe = given === 'trailing_twelve_months' ? 'ttm' : given;
  const from = query.get('period_end.gte') ?? query.get('period_of_report_date.gte') ?? '';
  const to = query.get('period_end.lte') ?? query.get('period_of_report_date.lte') ?? '9999';
  const periods = new Map<string, Fundamentals[]>();
  for (const record of ofKind(records, 'fundamental')) {
    if (record.symbol !== ticker || record.periodEnd < from || record.periodEnd > to) continue;
    if (timeframe !== null && record.timeframe !== timeframe) continue;
    const key = `${record.periodEnd} ${record.timeframe}`;
    const period = periods.get(key);
    if (period) period.push(record);
    else periods.set(key, [record]);
  }
  return [...periods].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, period]) => period);
}

/** `income_statement.revenue`; a metric without a statement belongs to the income statement. */
function fieldOf({ metric }: Fundamentals): readonly [string, string] {
  const dot = metric.indexOf('.');
  return dot < 0 ? ['income_statement', metric] : [metric.slice(0, dot), metric.slice(dot + 1)];
}

function legacyQuestion(query: URLSearchParams): Question {
  const rows = (records: readonly MarketEvent[]) =>
    periodsOf(records, query).map((period) => {
      const { symbol, periodEnd, timeframe, filingDate } = period[0]!;
      const financials: Record<string, Record<string, WireElement>> = {};
      period.forEach((record, at) => {
        const [statement, field] = fieldOf(record);
        const fields = financials[statement] ?? {};
        fields[field] = { value: record.value, unit: record.unit, label: field, order: (at + 1) * 100 };
        financials[statement] = fields;
      });
      const dates = { start_date: periodEnd, end_date: periodEnd, filing_date: filingDate ?? undefined };
      return { tickers: [symbol], company_name: symbol, cik: '0000000000', timeframe, ...dates, financials };
    });
  return { rows, maxRows: 100, weight: 1, extra: {} };
}

function statementQuestion(endpoint: string, query: URLSearchParams): Question {
  const isRatios = endpoint === 'ratio';
  const asked = isRatios ? 'ratios' : endpoint.replaceAll('-', '_');
  const rows = (records: readonly MarketEvent[]) =>
    periodsOf(records, query).flatMap((period) => {
      const figures = period.map((record) => [...fieldOf(record), record.value] as const);
      const own = figures.filter(([statement]) => statement === asked);
      if (own.length === 0) return [];
      const { symbol, periodEnd, timeframe, filingDate } = period[0]!;
      const fields = Object.fromEntries(own.map(([, field, value]) => [field, value]));
      const flat = timeframe === 'ttm' ? 'trailing_twelve_months' : timeframe;
      const [year = 0, month = 1] = periodEnd.split('-').map(Number);
      const about = {
        tickers: [symbol],
        period_end: periodEnd,
        timeframe: flat,
        filing_date: filingDate ?? undefined,
        fiscal_year: year,
        fiscal_quarter: Math.ceil(month / 3),
      };
      return [isRatios ? { ticker: symbol, date: periodEnd, ...fields } : { cik: '0000000000', ...about, ...fields }];
    });
  return { rows, maxRows: 50_000, weight: 1, extra: {} };
}
