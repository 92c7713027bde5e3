import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import { rfc3339Ms } from '../../../providers/decode/rfc3339.js';
import { noteViolation } from '../requestCount.js';
import type { Published } from './published.js';
import { jsonOf, type WireElement } from './wire.js';

const KINDS = { bars: 'bar', trades: 'trade', quotes: 'quote' } as const;
type Channel = keyof typeof KINDS;

const STOCKS = /^\/v2\/stocks\/([^/]+)\/(bars|trades|quotes)$/;
const CRYPTO = /^\/v1beta3\/crypto\/us\/(bars|trades|quotes)$/;
const TIMEFRAMES: Readonly<Record<string, string>> = { '1Min': 'b', '1Day': 'd' };
const MINUTE_MS = 60_000;
const MAX_ROWS = 10_000;

/**
 * History over HTTP, as https://docs.alpaca.markets/reference/stockbars and its neighbours describe it (read 2026-01): both ends of
 * a span are part of it.
 */
export class RestSide {
  readonly requests = { answered: 0, tooMany: 0 };
  perMinute = 200;
  maxRows = MAX_ROWS;
  readonly #key: string;
  readonly #secret: string;
  readonly #published: Published;
  readonly #scheduler: SchedulerLike;
  /** When the requests of the last minute came. */
  #recent: number[] = [];

  readonly #violations: string[];

  /** `violations` receives what clients have done against the limit. */
  constructor(key: string, secret: string, published: Published, scheduler: SchedulerLike, violations: string[]) {
    this.#violations = violations;
    this.#key = key;
    this.#secret = secret;
    this.#published = published;
    this.#scheduler = scheduler;
  }

  answer({ url = '/', headers }: IncomingMessage, response: ServerResponse): void {
    const now = this.#scheduler.now();
    this.requests.answered += 1;
    this.#recent = this.#recent.filter((at) => at > now - MINUTE_MS);
    const limits = {
      'x-ratelimit-limit': String(this.perMinute),
      'x-ratelimit-reset': String(Math.ceil(((this.#recent[0] ?? now) + MINUTE_MS) / 1_000)),
    };
    const reply = (status: number, body: string) => {
      response.writeHead(status, { 'content-type': 'application/json', ...limits }).end(body);
    };
    const fault = (status: number, message: string) => reply(status, JSON.stringify({ message }));

    if (headers['apca-api-key-id'] !== this.#key || headers['apca-api-secret-key'] !== this.#secret) {
      fault(403, 'forbidden.');
      return;
    }
    if (this.#recent.length >= this.perMinute) {
      this.requests.tooMany += 1;
      noteViolation(this.#violations, `more than ${this.perMinute} requests in a minute at ${now}`);
      fault(429, 'too many requests.');
      return;
    }
    this.#recent.push(now);
    const { pathname, searchParams } = new URL(url, 'http://fake');
    const stocks = STOCKS.exec(pathname);
    const crypto = CRYPTO.exec(pathname);
    const symbol = stocks ? decodeURIComponent(stocks[1]!) : searchParams.get('symbols');
    const channel = (stocks?.[2] ?? crypto?.[1]) as Channel | undefined;
    if (channel === undefined) {
      fault(404, 'endpoint not found.');
      return;
    }
    const span = [searchParams.get('start'), searchParams.get('end')].map(rfc3339Ms);
    if (!symbol || span.some(Number.isNaN)) {
      fault(400, `invalid symbol, start or end: ${symbol}`);
      return;
    }
    const [from = 0, to = 0] = span;
    let rows = [...this.#published.between(KINDS[channel], symbol, from, to)];
    if (channel === 'bars') rows = rows.filter(({ T }) => T === TIMEFRAMES[searchParams.get('timeframe') ?? '']);
    reply(200, this.#page(rows, channel, symbol, searchParams, crypto !== null));
  }

  /** A token names the row that is next. */
  #page(
    rows: readonly WireElement[],
    channel: Channel,
    symbol: string,
    query: URLSearchParams,
    isCrypto: boolean,
  ): string {
    const start = Number(Buffer.from(query.get('page_token') ?? '', 'base64').toString() || 0);
    const limit = Math.min(Number(query.get('limit') ?? 1_000), MAX_ROWS, this.maxRows);
    const page = rows.slice(start, start + limit).map(({ T: _, S: __, ...row }) => jsonOf(row));
    const next = start + limit < rows.length ? Buffer.from(String(start + limit)).toString('base64') : null;
    // Without any row, stocks have null.
    const array = page.length === 0 && !isCrypto ? 'null' : `[${page.join(',')}]`;
    const token = JSON.stringify(next);
    return isCrypto
      ? `{"${channel}":{${page.length === 0 ? '' : `${JSON.stringify(symbol)}:${array}`}},"next_page_token":${token}}`
      : `{"${channel}":${array},"symbol":${JSON.stringify(symbol)},"next_page_token":${token}}`;
  }
}
