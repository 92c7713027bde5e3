import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { Timer } from '../../../primitives/timer.js';
import type { Frame } from '../../../providers/session.js';
import { noteViolation, RequestCount } from '../requestCount.js';
import type { VenueSocket } from '../venueSocket.js';
import { WebSocketVenue } from '../webSocketVenue.js';
import { answerOf } from './coinbaseAnswers.js';
import { type CoinbaseItem, itemOf, LISTS, timeText } from './coinbaseFrames.js';

export interface FakeCoinbaseConfig {
  /** The address that it listens on: of loopback, or one that other machines can reach. Default `127.0.0.1`. */
  readonly host: string;
  /** Within what time a connection must subscribe to something, in milliseconds. */
  readonly subscribeWithinMs: number;
  /** How often heartbeats come, in milliseconds. */
  readonly heartbeatEveryMs: number;
  /** After what silence a connection without heartbeats is ended, in milliseconds. */
  readonly silentAfterMs: number;
  /** How many messages a connection may send per second. */
  readonly messagesPerSecond: number;
  /** How many requests for history an address may make per second: those beyond are answered with 429. */
  readonly requestsPerSecond: number;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler: SchedulerLike;
}

/** What the venue knows of a connection besides its subscriptions. */
interface Peer {
  readonly deadline: Timer;
  readonly beats: Timer;
  readonly arrivals: number[];
  sequence: number;
  sentAt: number;
  heartbeats: number;
}

const POLICY_VIOLATION = 1008;
const TOO_MANY = { status: 429, body: { error: 'RATE_LIMIT_EXCEEDED', message: 'too many requests' } };

/** How many candles, and how many trades, a snapshot has of each product. */
const SNAPSHOT_SIZE = 100;

/** A fake of Coinbase: see {@link startFakeCoinbase}. */
export class FakeCoinbase extends WebSocketVenue {
  readonly secret = '';
  readonly #config: FakeCoinbaseConfig;
  readonly #peers = new Map<VenueSocket, Peer>();
  readonly #requests: string[] = [];
  readonly #count: RequestCount;
  #history: readonly MarketEvent[] = [];
  #toLose = 0;

  constructor(config: FakeCoinbaseConfig) {
    super(config.scheduler);
    this.#config = config;
    this.#count = new RequestCount(config.requestsPerSecond, 1_000);
  }

  /** The requests for history until now: path and query. */
  get requests(): readonly string[] {
    return this.#requests;
  }

  /** What snapshots and answers have, instead of what was given before. */
  remember(records: readonly MarketEvent[]): void {
    this.#history = records;
  }

  /** The next messages are numbered, and do not arrive. */
  loseMessages(count: number): void {
    this.#toLose = count;
  }

  protected override onOpen(socket: VenueSocket): void {
    const { subscribeWithinMs, heartbeatEveryMs } = this.#config;
    const peer: Peer = {
      deadline: new Timer(this.scheduler, () => {
        if (socket.subscriptions.size === 0) socket.close(POLICY_VIOLATION, 'no subscription within 5 seconds');
      }),
      beats: new Timer(this.scheduler, () => this.#beat(socket, peer)),
      arrivals: [],
      sequence: 0,
      sentAt: this.scheduler.now(),
      heartbeats: 0,
    };
    peer.deadline.set(subscribeWithinMs);
    peer.beats.set(heartbeatEveryMs);
    this.#peers.set(socket, peer);
    this.loggedIn(socket);
  }

  protected override onClosed(socket: VenueSocket): void {
    this.#peers.get(socket)?.deadline.cancel();
    this.#peers.get(socket)?.beats.cancel();
    this.#peers.delete(socket);
  }

  protected override onMessage(socket: VenueSocket, frame: Frame): void {
    if (this.#isTooMany(socket)) return;
    let request: unknown;
    try {
      request = JSON.parse(frame.toString());
    } catch {
      socket.send(error('malformed JSON'));
      return;
    }
    const { type, channel, product_ids = [] } = (request ?? {}) as Readonly<Record<string, unknown>>;
    const isData = typeof channel === 'string' && LISTS[channel] !== undefined;
    const products = Array.isArray(product_ids) ? product_ids.map(String) : [];
    if (type !== 'subscribe' && type !== 'unsubscribe') socket.send(error(`unknown type ${JSON.stringify(type)}`));
    // A channel that the vendor does not know is said to be a private one.
    else if (!isData && channel !== 'heartbeats') socket.send(error('authentication failure'));
    else if (isData && products.length === 0) socket.send(error('channel requires product_ids'));
    else if (type === 'subscribe') this.#subscribe(socket, channel, products);
    else this.#unsubscribe(socket, channel, products);
    this.subscribed(socket);
  }

  protected encode(records: readonly MarketEvent[], socket: VenueSocket): readonly Frame[] {
    return this.#encodeItems(records.map(itemOf), socket);
  }

  protected encodeMalformed(records: readonly MarketEvent[], at: number, socket: VenueSocket): readonly Frame[] {
    const items = records.map(itemOf);
    const model = items[at] ?? items.at(-1);
    const { channel = '', product = '' } = model ?? {};
    const data = { trade_id: null, product_id: product, price: 'many', size: '', start: 'soon', best_bid: 'none' };
    items.splice(at, 0, { channel, product, at: model?.at ?? 0, data });
    return this.#encodeItems(items, socket);
  }

  /** One message for as many in a row as one envelope can hold. */
  #encodeItems(items: readonly (CoinbaseItem | undefined)[], socket: VenueSocket): readonly Frame[] {
    const frames: Frame[] = [];
    let open: CoinbaseItem[] = [];
    const flush = () => {
      const last = open.at(-1);
      if (last) frames.push(...this.#message(socket, last.channel, last.at, [eventOf('update', last.channel, open)]));
      open = [];
    };
    for (const item of items) {
      if (!item || !socket.subscriptions.has(slotOf(item.channel, item.product))) continue;
      const [first] = open;
      const fits = first?.channel === item.channel && (first.channel === 'market_trades' || first.at === item.at);
      if (first && !fits) flush();
      open.push(item);
    }
    flush();
    return frames;
  }

  protected override onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.#requests.push(`${url.pathname}${url.search}`);
    const now = this.scheduler.now();
    const isTooMany = this.#count.isFull(now);
    if (isTooMany)
      noteViolation(this.violations, `more than ${this.#config.requestsPerSecond} requests in a second at ${now}`);
    else this.#count.add(now);
    const { status, body } = isTooMany ? TOO_MANY : answerOf(url, this.#history);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    this.changed();
  }

  #subscribe(socket: VenueSocket, channel: string, products: readonly string[]): void {
    const isAnswered = !products.some((product) => this.isIgnored(product));
    if (channel === 'heartbeats') socket.subscriptions.add(channel);
    for (const asked of products) {
      // It leaves out a product that it does not know, without a word.
      if (this.isIgnored(asked) || this.isRefused(asked)) continue;
      const product = publicProduct(asked);
      socket.subscriptions.add(slotOf(channel, product));
      this.#snapshot(socket, channel, product);
    }
    if (isAnswered) this.#confirm(socket);
  }

  #unsubscribe(socket: VenueSocket, channel: string, products: readonly string[]): void {
    if (channel === 'heartbeats') socket.subscriptions.delete(channel);
    for (const product of products) socket.subscriptions.delete(slotOf(channel, publicProduct(product)));
    this.#confirm(socket);
  }

  /** The newest come first. */
  #snapshot(socket: VenueSocket, channel: string, product: string): void {
    const items = this.#history
      .flatMap((record) => itemOf(record) ?? [])
      .filter((item) => item.channel === channel && item.product === product)
      .sort((a, b) => b.at - a.at)
      .slice(0, channel === 'ticker' ? 1 : SNAPSHOT_SIZE);
    const [newest] = items;
    if (!newest) return;
    for (const frame of this.#message(socket, channel, newest.at, [eventOf('snapshot', channel, items)])) {
      this.deliver(socket, frame);
    }
  }

  /** Lists all that is subscribed. */
  #confirm(socket: VenueSocket): void {
    const subscriptions: Record<string, string[]> = {};
    for (const slot of socket.subscriptions) {
      const [channel = '', product = channel] = slot.split('.');
      subscriptions[channel] = [...(subscriptions[channel] ?? []), product];
    }
    for (const frame of this.#message(socket, 'subscriptions', this.scheduler.now(), [{ subscriptions }]))
      socket.send(frame);
  }

  #beat(socket: VenueSocket, peer: Peer): void {
    const at = this.scheduler.now();
    peer.beats.set(this.#config.heartbeatEveryMs);
    if (socket.subscriptions.has('heartbeats')) {
      peer.heartbeats += 1;
      const now = new Date(at).toISOString();
      const current_time = `${now.slice(0, 10)} ${now.slice(11, 23)} +0000 UTC m=+${peer.heartbeats}.1`;
      const events = [{ current_time, heartbeat_counter: peer.heartbeats }];
      for (const frame of this.#message(socket, 'heartbeats', at, events)) socket.send(frame);
    } else if (at - peer.sentAt >= this.#config.silentAfterMs) {
      socket.close(1001, 'no updates');
    }
  }

  /** Empty for a message that is lost on its way. */
  #message(socket: VenueSocket, channel: string, at: number, events: readonly object[]): readonly Frame[] {
    const peer = this.#peers.get(socket);
    if (!peer) return [];
    const sequence_num = peer.sequence;
    peer.sequence += 1;
    if (this.#toLose > 0) {
      this.#toLose -= 1;
      return [];
    }
    peer.sentAt = this.scheduler.now();
    return [JSON.stringify({ channel, timestamp: timeText(at), sequence_num, events })];
  }

  #isTooMany(socket: VenueSocket): boolean {
    const { arrivals } = this.#peers.get(socket)!;
    const now = this.scheduler.now();
    arrivals.push(now);
    if (arrivals.length <= this.#config.messagesPerSecond) return false;
    if (now - arrivals.shift()! >= 1_000) return false;
    noteViolation(this.violations, `more than ${this.#config.messagesPerSecond} messages in a second at ${now}`);
    socket.send(error('rate limit exceeded'));
    socket.close(POLICY_VIOLATION, 'rate limit exceeded');
    return true;
  }
}

/** Most products in USDC have no market of their own on the public channels: they are those in USD. */
function publicProduct(product: string): string {
  const isOwnMarket = product === 'USDT-USDC' || product === 'EURC-USDC';
  return product.endsWith('-USDC') && !isOwnMarket ? product.replace(/-USDC$/, '-USD') : product;
}

function slotOf(channel: string, product: string): string {
  return `${channel}.${product}`;
}

function eventOf(type: 'snapshot' | 'update', channel: string, items: readonly CoinbaseItem[]): object {
  return { type, [LISTS[channel] ?? '']: items.map(({ data }) => data) };
}

function error(message: string): string {
  return JSON.stringify({ type: 'error', message });
}
