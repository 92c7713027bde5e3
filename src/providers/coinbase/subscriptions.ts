import { UnknownInstrument } from '../providerErrors.js';
import type { Frame, Refusal, Series, SessionStep } from '../session.js';
import { CHANNEL_OF, DATA_CHANNELS, type DataChannel, problemOf } from './channels.js';
import { publicProduct } from './products.js';

/** Products in one request. The vendor names no limit; a frame of this many stays below 4 KiB. */
const PRODUCTS_PER_REQUEST = 100;

interface Request {
  readonly channel: DataChannel;
  readonly products: readonly string[];
}

/** A series that is subscribed or asked for, and when its last record was made, as the vendor wrote it. */
export interface Subscribed {
  readonly series: Series;
  isConfirmed: boolean;
  last: unknown;
}

type Raw = Readonly<Record<string, unknown>>;

/**
 * What is subscribed over one connection. A request is for one channel. Each is answered with the whole list of what is
 * subscribed; a product that the vendor does not know is left out of it without a word. An error names no request: it
 * belongs to the oldest that has no answer.
 */
export class Subscriptions {
  readonly #products: Readonly<Record<DataChannel, Map<string, Subscribed>>> = {
    candles: new Map(),
    market_trades: new Map(),
    ticker: new Map(),
  };
  /** Without an answer, the oldest first. */
  #requests: Request[] = [];

  get(channel: DataChannel, product: string): Subscribed | undefined {
    return this.#products[channel].get(product);
  }

  *[Symbol.iterator](): Iterator<Subscribed> {
    for (const channel of DATA_CHANNELS) yield* this.#products[channel].values();
  }

  add(series: readonly Series[]): SessionStep {
    const refused: Refusal[] = [];
    const added: Record<DataChannel, string[]> = { candles: [], market_trades: [], ticker: [] };
    for (const one of series) {
      const problem = problemOf(one);
      const channel = CHANNEL_OF[one.of];
      if (problem !== undefined || channel === undefined) {
        refused.push({ series: one, error: new UnknownInstrument('coinbase', `${problem}`) });
      } else if (!this.#products[channel].has(one.symbol)) {
        this.#products[channel].set(one.symbol, { series: one, isConfirmed: false, last: undefined });
        added[channel].push(one.symbol);
      }
    }
    return { send: DATA_CHANNELS.flatMap((channel) => this.#ask(channel, added[channel])), refused };
  }

  remove(series: readonly Series[]): SessionStep {
    const removed: Record<DataChannel, string[]> = { candles: [], market_trades: [], ticker: [] };
    for (const { of, symbol } of series) {
      const channel = CHANNEL_OF[of];
      if (channel && this.#products[channel].delete(symbol)) removed[channel].push(symbol);
    }
    this.#requests = this.#requests.filter((request) => this.#wanted(request).length > 0);
    const send = DATA_CHANNELS.flatMap((channel) =>
      chunks(removed[channel]).map((some) => JSON.stringify({ type: 'unsubscribe', channel, product_ids: some })),
    );
    return { send };
  }

  /** Takes the `events` of a message of the channel `subscriptions`. */
  answer(events: unknown): SessionStep {
    const listed = listedIn(events);
    const confirmed: Series[] = [];
    const refused: Refusal[] = [];
    this.#requests = this.#requests.filter((request) => {
      const { channel } = request;
      const list = listed[channel];
      const isListed = (product: string) => list.has(product) || list.has(publicProduct(product));
      // An answer that lists none of its products may be that of an earlier request.
      if (!request.products.some(isListed)) return true;
      for (const [product, subscribed] of this.#wanted(request)) {
        subscribed.isConfirmed = isListed(product);
        if (subscribed.isConfirmed) confirmed.push(subscribed.series);
        else refused.push(this.#refuse(subscribed.series, 'it is missing in the list of subscriptions', events));
      }
      return false;
    });
    return { confirmed, refused };
  }

  /** Takes the vendor's words. Without a request they are a notice. */
  error(words: string): SessionStep {
    const request = this.#requests.shift();
    if (!request) return { notices: [`error: ${words}`] };
    const wanted = this.#wanted(request);
    if (wanted.length <= 1) return { refused: wanted.map(([, { series }]) => this.#refuse(series, words, words)) };
    // One of them may be at fault: halves are asked again, until it stands alone.
    const products = wanted.map(([product]) => product);
    const half = Math.ceil(products.length / 2);
    const { channel } = request;
    return { send: [...this.#ask(channel, products.slice(0, half)), ...this.#ask(channel, products.slice(half))] };
  }

  #wanted({ channel, products }: Request): readonly (readonly [string, Subscribed])[] {
    return products.flatMap((product) => {
      const subscribed = this.#products[channel].get(product);
      return subscribed ? [[product, subscribed] as const] : [];
    });
  }

  #refuse(series: Series, words: string, cause: unknown): Refusal {
    const channel = CHANNEL_OF[series.of]!;
    this.#products[channel].delete(series.symbol);
    return { series, error: new UnknownInstrument('coinbase', `${channel} of ${series.symbol}: ${words}`, { cause }) };
  }

  #ask(channel: DataChannel, products: readonly string[]): readonly Frame[] {
    return chunks(products).map((some) => {
      this.#requests.push({ channel, products: some });
      return JSON.stringify({ type: 'subscribe', channel, product_ids: some });
    });
  }
}

/** `[{ subscriptions: { ticker: ['BTC-USD'], heartbeats: ['heartbeats'] } }]`. */
function listedIn(events: unknown): Readonly<Record<DataChannel, ReadonlySet<unknown>>> {
  const listed = { candles: new Set(), market_trades: new Set(), ticker: new Set() };
  for (const event of Array.isArray(events) ? events : []) {
    const subscriptions = (event as Raw | null)?.subscriptions;
    if (typeof subscriptions !== 'object' || subscriptions === null) continue;
    for (const channel of DATA_CHANNELS) {
      const products = (subscriptions as Raw)[channel];
      for (const product of Array.isArray(products) ? products : []) listed[channel].add(product);
    }
  }
  return listed;
}

function chunks(products: readonly string[]): string[][] {
  const all: string[][] = [];
  for (let from = 0; from < products.length; from += PRODUCTS_PER_REQUEST) {
    all.push(products.slice(from, from + PRODUCTS_PER_REQUEST));
  }
  return all;
}
