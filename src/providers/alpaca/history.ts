import type { SchedulerLike } from 'rxjs';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { PacingProfile } from '../../policies/pacingProfile.js';
import type { SharedPacer } from '../../policies/sharedPacer.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import type { HistoryRange } from '../provider.js';
import {
  BadCredentials,
  ConnectionLost,
  NotEntitled,
  type ProviderError,
  UnknownInstrument,
} from '../providerErrors.js';
import { pages } from '../rest/pages.js';
import { readRow } from '../rest/readRow.js';
import { type RefusedAnswer, RestClient, type RestRequest } from '../rest/restClient.js';
import { Unreadable } from '../session.js';
import type { ProviderStreamConfig } from '../streamConfig.js';
import { VENDOR } from './alpacaErrors.js';
import type { AlpacaFeed } from './channels.js';
import { parseJson } from './frames.js';
import { historicBar, normalise } from './normalise.js';

export interface AlpacaHistoryConfig {
  readonly key: string;
  readonly secret: string;
  readonly feed: AlpacaFeed;
  readonly restUrl: string;
  readonly pacing: PacingProfile<HistoryRange> | undefined;
  readonly pacer?: SharedPacer<HistoryRange>;
  readonly scheduler: SchedulerLike;
  readonly onRejected?: NonNullable<ProviderStreamConfig['onRejected']>;
}

type History = (range: HistoryRange) => AsyncIterable<readonly MarketEvent[]>;

/** Rows of a page: the most that Alpaca gives. */
const PAGE_ROWS = 10_000;

const CHANNELS = { bar: 'bars', trade: 'trades', quote: 'quotes' } as const;

/** The feeds of history. Delayed data are those of SIP, of which free plans may ask what is older than 15 minutes. */
const HISTORY_FEEDS: Partial<Record<AlpacaFeed, string>> = {
  iex: 'iex',
  sip: 'sip',
  delayed_sip: 'sip',
  boats: 'boats',
  overnight: 'overnight',
};

type Row = Readonly<Record<string, unknown>>;

/**
 * The past, page by page, as https://docs.alpaca.markets/reference/stockbars, …/stocktrades, …/stockquotes and their twins for crypto
 * have it (read 2026-01). Prices are not adjusted. Trades that were cancelled, or corrected by another one, are left out.
 * A row that cannot be read ends the history with a `ConnectionLost`, unless `onRejected` takes it; so does an answer of another shape.
 * Undefined for the test feed, which has no past.
 */
export function alpacaHistory(config: AlpacaHistoryConfig): History | undefined {
  const { key, secret, feed, restUrl, pacing, pacer, scheduler, onRejected } = config;
  if (feed === 'test') return undefined;
  const client = new RestClient({
    name: VENDOR,
    baseUrl: restUrl,
    headers: { 'APCA-API-KEY-ID': key, 'APCA-API-SECRET-KEY': secret },
    pacing,
    pacer,
    secrets: [key, secret],
    parse: parseJson,
    errorOf,
    scheduler,
  });
  return (range) => {
    const { channel, request } = firstRequest(range, feed);
    const about = { client, onRejected, path: request.path };
    return pages({
      client,
      range,
      first: request,
      next: (answer) => {
        const { next_page_token: token } = answer as Row;
        if (token === null || token === undefined || token === '') return undefined;
        if (typeof token !== 'string') throw otherShape(request, 'next_page_token', answer);
        return { ...request, query: { ...request.query, page_token: token } };
      },
      read: (answer) => {
        const receivedAt = scheduler.now();
        const read = (row: unknown) => recordOf(row, range, receivedAt);
        const records = rowsOf(answer, channel, request, feed === 'crypto' ? range.symbol : undefined).map((row) =>
          readRow(row, read, about),
        );
        // Alpaca's spans have their end inside.
        return records.filter((one): one is Dated => one !== undefined && isDated(one) && isWithin(one.ts, range));
      },
    });
  };
}

type Dated = Extract<MarketEvent, { readonly ts: number }>;

function isDated(record: MarketEvent): record is Dated {
  return 'ts' in record;
}

function isWithin(ts: number, { from, to }: HistoryRange): boolean {
  return ts >= from && ts < to;
}

function firstRequest(range: HistoryRange, feed: AlpacaFeed) {
  const { of, symbol, timeframe = '1m', from, to } = range;
  const channel = CHANNELS[of as keyof typeof CHANNELS];
  if (channel === undefined) {
    throw new RangeError(`${VENDOR}: history has of ${Object.keys(CHANNELS).join(', ')}, got ${JSON.stringify(of)}`);
  }
  const query = {
    start: new Date(Math.floor(from)).toISOString(),
    end: new Date(Math.ceil(to)).toISOString(),
    limit: PAGE_ROWS,
    sort: 'asc',
    ...(of === 'bar' && { timeframe: timeframeText(timeframe) }),
  };
  const request: RestRequest =
    feed === 'crypto'
      ? { path: `/v1beta3/crypto/us/${channel}`, query: { ...query, symbols: symbol } }
      : {
          path: `/v2/stocks/${encodeURIComponent(symbol)}/${channel}`,
          query: { ...query, feed: HISTORY_FEEDS[feed], ...(of === 'bar' && { adjustment: 'raw' }) },
        };
  return { channel, request };
}

const UNITS: Readonly<Record<string, readonly [word: string, most: number]>> = {
  m: ['Min', 59],
  h: ['Hour', 23],
  d: ['Day', 1],
  w: ['Week', 1],
};

/** `5m` is `5Min`. */
function timeframeText(timeframe: string): string {
  timeframeMs(timeframe);
  const count = Number.parseInt(timeframe, 10);
  const [word, most] = UNITS[timeframe.at(-1)!] ?? ['', 0];
  if (count > most) {
    throw new RangeError(
      `${VENDOR}: timeframe must be one of 1m to 59m, 1h to 23h, 1d, 1w, got ${JSON.stringify(timeframe)}`,
    );
  }
  return `${count}${word}`;
}

/**
 * Of stocks, an array or null; of crypto, an object of arrays, in which `symbol` is absent where there is nothing. Anything else is no
 * answer: taken for an empty one, it would close a gap that is still there.
 */
function rowsOf(
  answer: unknown,
  channel: string,
  request: RestRequest,
  symbol: string | undefined,
): readonly unknown[] {
  const rows = (answer as Row | null)?.[channel];
  if (rows === null) return [];
  const isObject = typeof rows === 'object' && !Array.isArray(rows);
  const own = symbol === undefined ? rows : isObject ? ((rows as Row)[symbol] ?? []) : undefined;
  if (!Array.isArray(own)) throw otherShape(request, channel, answer);
  return own;
}

function otherShape({ path }: RestRequest, member: string, answer: unknown): ProviderError {
  const expected = member === 'next_page_token' ? 'text or null' : 'a list of rows';
  return new ConnectionLost(VENDOR, `GET ${path}: ${member} of the answer is not ${expected}`, { cause: answer });
}

const NO_LONGER_VALID: readonly unknown[] = ['canceled', 'incorrect'];

function recordOf(
  row: unknown,
  { of, symbol, timeframe = '1m' }: HistoryRange,
  receivedAt: number,
): MarketEvent | Unreadable | undefined {
  if (typeof row !== 'object' || row === null) return new Unreadable('a row is not an object');
  const fields = { ...(row as Row), S: symbol };
  if (of === 'bar') return historicBar(fields, timeframe, receivedAt);
  if (NO_LONGER_VALID.includes((row as Row).u)) return undefined;
  const record = normalise({ ...fields, T: of === 'trade' ? 't' : 'q' }, receivedAt);
  return Array.isArray(record) ? undefined : (record as MarketEvent | Unreadable);
}

/** Alpaca answers 403 to a wrong key as to a plan that lacks the data: only its words differ. */
function errorOf({ status, body }: RefusedAnswer): ProviderError | undefined {
  const words = wordsOf(body);
  if (status === 403 && /^forbidden\.?$/i.test(words)) {
    return new BadCredentials(VENDOR, `the key or the secret is wrong (403: ${words})`, { cause: words });
  }
  if (status === 403)
    return new NotEntitled(VENDOR, `the plan does not include these data (403: ${words})`, { cause: words });
  if ((status === 400 || status === 422) && /symbol/i.test(words)) {
    return new UnknownInstrument(VENDOR, `Alpaca does not know the symbol (${status}: ${words})`, { cause: words });
  }
  return undefined;
}

const MAX_WORDS = 300;

function wordsOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    if (typeof message === 'string') return message.slice(0, MAX_WORDS);
  } catch {
    // Not JSON: its own words.
  }
  return body.trim().slice(0, MAX_WORDS);
}
