import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MarketEvent, RECORD_KINDS } from '../../../market/recordKinds.js';
import { noteViolation } from '../requestCount.js';
import { questionOf, withNanos } from './answers.js';
import type { WireElement } from './wire.js';

export interface RestSideConfig {
  readonly key: string;
  readonly status: 'OK' | 'DELAYED';
  readonly now: () => number;
  readonly isEntitled: (path: string) => boolean;
  /** What clients have done against the limit. */
  readonly violations: string[];
}

/** Records that are kept for those who ask for history: beyond it, the oldest are forgotten. */
const MAX_REMEMBERED = 200_000;
const MINUTE_MS = 60_000;

const WORDS = {
  unknownKey: 'Unknown API Key',
  tooMany: "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue.",
  notEntitled: 'You are not entitled to this data. Please upgrade your plan.',
};

/** The REST API of the fake: the words and the shapes of the vendor's answers. */
export class RestSide {
  readonly #config: RestSideConfig;
  readonly #requests: string[] = [];
  /** When the requests of the last minute came that were answered. */
  #window: number[] = [];
  #records: MarketEvent[] = [];
  /** Where the last version of each record is. */
  #places = new Map<string, number>();
  #answered = 0;
  #tooMany = 0;
  limit = 5;
  maxRows = Number.POSITIVE_INFINITY;
  nextOrigin: string | undefined;

  constructor(config: RestSideConfig) {
    this.#config = config;
  }

  get requests(): readonly string[] {
    return this.#requests;
  }

  get counts(): { readonly answered: number; readonly tooMany: number } {
    return { answered: this.#answered, tooMany: this.#tooMany };
  }

  remember(records: readonly MarketEvent[]): void {
    for (const record of records) this.#keep(record);
    if (this.#records.length <= MAX_REMEMBERED) return;
    const kept = this.#records.slice(-MAX_REMEMBERED / 2);
    this.#records = [];
    this.#places = new Map();
    for (const record of kept) this.#keep(record);
  }

  /** The past has one row of a record: its last version. */
  #keep(record: MarketEvent): void {
    const key = `${record.kind} ${RECORD_KINDS[record.kind].key(record as never)}`;
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#places.set(key, this.#records.length);
      this.#records.push(record);
    } else {
      this.#records[place] = record;
    }
  }

  answer(request: IncomingMessage, response: ServerResponse, origin: string): void {
    const url = new URL(request.url ?? '/', origin);
    const id = String(this.#answered + this.#tooMany + 1);
    const say = (status: number, body: WireElement) => {
      const text = withNanos({ ...body, request_id: id });
      response.writeHead(status, { 'content-type': 'application/json' }).end(text);
    };
    const given = request.headers.authorization?.replace(/^Bearer /, '') ?? url.searchParams.get('apiKey');
    url.searchParams.delete('apiKey');
    this.#requests.push(url.pathname + url.search);
    if (given !== this.#config.key) {
      say(401, { status: 'ERROR', error: WORDS.unknownKey });
    } else if (this.#isOneTooMany()) {
      say(429, { status: 'ERROR', error: WORDS.tooMany });
    } else if (!this.#config.isEntitled(decodeURIComponent(url.pathname))) {
      say(403, { status: 'NOT_AUTHORIZED', message: WORDS.notEntitled });
    } else {
      const page = this.#page(url);
      if (page) say(200, page);
      else say(404, { status: 'NOT_FOUND', message: 'Data not found.' });
    }
  }

  #isOneTooMany(): boolean {
    const now = this.#config.now();
    this.#window = this.#window.filter((at) => at > now - MINUTE_MS);
    if (this.#window.length >= this.limit) {
      this.#tooMany += 1;
      noteViolation(this.#config.violations, `more than ${this.limit} requests in a minute at ${now}`);
      return true;
    }
    this.#window.push(now);
    this.#answered += 1;
    return false;
  }

  /** A cursor has the question and where to go on, as the vendor's have. */
  #page(url: URL): WireElement | undefined {
    const cursor = url.searchParams.get('cursor');
    const { search, skip } = cursor === null ? { search: url.search, skip: 0 } : readCursor(cursor);
    const asked = new URL(url.pathname + search, url);
    const question = questionOf(asked);
    if (!question) return undefined;
    const { weight, extra, maxRows } = question;
    const limit = Math.min(Number(asked.searchParams.get('limit') ?? maxRows), maxRows);
    const size = Math.max(1, Math.min(Math.floor(limit / weight), this.maxRows));
    const all = question.rows(this.#records);
    const results = all.slice(skip, skip + size);
    const next = new URL(url.pathname, this.nextOrigin ?? url.origin);
    next.searchParams.set('cursor', writeCursor({ search, skip: skip + size }));
    return {
      ...extra,
      status: this.#config.status,
      resultsCount: results.length,
      // Where there is nothing, the vendor leaves the list out.
      ...(results.length > 0 && { results }),
      ...(skip + size < all.length && { next_url: next.href }),
    };
  }
}

interface Cursor {
  readonly search: string;
  readonly skip: number;
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function readCursor(text: string): Cursor {
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as Cursor;
}
