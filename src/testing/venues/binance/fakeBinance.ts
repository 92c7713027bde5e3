import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { Timer } from '../../../primitives/timer.js';
import type { Frame } from '../../../providers/session.js';
import { noteViolation } from '../requestCount.js';
import type { VenueSocket } from '../venueSocket.js';
import { WebSocketVenue } from '../webSocketVenue.js';
import { answerOf, WEIGHTS } from './binanceAnswers.js';
import { payloadsOf, type TimeScale } from './binanceFrames.js';
import { KlinePush } from './klinePush.js';
import { WeightMeter } from './weightMeter.js';

export interface FakeBinanceConfig {
  /** The address that it listens on: of loopback, or one that other machines can reach. Default `127.0.0.1`. */
  readonly host: string;
  /** How often each connection is pinged, in milliseconds. */
  readonly pingEveryMs: number;
  /** Within what time a ping must be answered, with its payload, in milliseconds. */
  readonly pongWithinMs: number;
  /** How many messages a connection may send per second, pings and pongs among them. */
  readonly messagesPerSecond: number;
  /** How many streams a connection may have. */
  readonly maxStreams: number;
  /** How long a connection may last, in milliseconds. */
  readonly connectionLifeMs: number;
  /** What requests may weigh per minute of the clock. */
  readonly weightPerMinute: number;
  /** For how long whoever asks for more after a 429 is banned, in milliseconds. */
  readonly banMs: number;
  /**
   * Whether updates of forming klines come as the vendor sends them, the newest every 2 s (of `1s` every second), rather than each as
   * it is published. Default false.
   */
  readonly pacesKlines: boolean;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler: SchedulerLike;
}

/** What the venue knows of a connection besides its subscriptions. */
interface Peer {
  readonly pings: Timer;
  readonly pongs: Timer;
  readonly end: Timer;
  readonly klines: KlinePush;
  readonly scale: TimeScale;
  isCombined: boolean;
  /** When the last messages arrived, at most as many as a second allows. */
  readonly arrivals: number[];
  /** The payload of the ping that waits for its pong. */
  awaited: string | undefined;
}

/** A pong that was sent on the clock of a test may still be on its way. */
const GRACE_MS = 50;

/** The code of a close frame for whoever breaks a rule. */
const POLICY_VIOLATION = 1008;

/** A fake of Binance: see {@link startFakeBinance}. */
export class FakeBinance extends WebSocketVenue {
  readonly secret = '';
  readonly #config: FakeBinanceConfig;
  readonly #peers = new Map<VenueSocket, Peer>();
  readonly #meter: WeightMeter;
  readonly #requests: string[] = [];
  #history: readonly MarketEvent[] = [];
  #lastPing = 0;

  constructor(config: FakeBinanceConfig) {
    super(config.scheduler);
    this.#config = config;
    this.#meter = new WeightMeter(config.weightPerMinute, config.banMs);
  }

  /** The requests for history until now: path and query. */
  get requests(): readonly string[] {
    return this.#requests;
  }

  /** What requests for history are answered from, instead of what was given before. */
  remember(records: readonly MarketEvent[]): void {
    this.#history = records;
  }

  /** Goes on as if a new minute had begun, and a ban were over: the weight counts from 0. */
  forgetWeight(): void {
    this.#meter.reset();
  }

  /** Says to every connection that the server is about to shut down, and ends these connections after `graceMs`. */
  shutDown(graceMs: number): void {
    const sockets = [...this.sockets];
    for (const socket of sockets) {
      const data = { e: 'serverShutdown', E: this.scheduler.now() };
      this.deliver(socket, this.#wrap(socket, '!serverShutdown', data));
      this.#peers.get(socket)?.end.set(graceMs);
    }
  }

  announceEnd(): void {
    this.shutDown(3_600_000);
  }

  protected override refusalOf(): string | undefined {
    // What an account is not entitled to elsewhere is a region here.
    return this.rejection === 'entitlement' ? '451 Unavailable For Legal Reasons' : undefined;
  }

  protected override onOpen(socket: VenueSocket): void {
    const { pathname, searchParams } = new URL(socket.path, this.url);
    const isMicroseconds = searchParams.get('timeUnit')?.toUpperCase() === 'MICROSECOND';
    const timer = (fire: () => void) => new Timer(this.scheduler, fire);
    const peer: Peer = {
      pings: timer(() => this.#ping(socket, peer)),
      pongs: timer(() => setTimeout(() => this.#checkPong(socket, peer), GRACE_MS)),
      end: timer(() => socket.close(1001, 'going away')),
      klines: new KlinePush(this.scheduler, (frame) => this.deliver(socket, frame)),
      scale: isMicroseconds ? 1000 : 1,
      isCombined: pathname.startsWith('/stream'),
      arrivals: [],
      awaited: undefined,
    };
    peer.pings.set(this.#config.pingEveryMs);
    peer.end.set(this.#config.connectionLifeMs);
    this.#peers.set(socket, peer);
    this.loggedIn(socket);
    const named = searchParams.get('streams') ?? pathname.slice('/ws/'.length);
    const streams = named.split('/').filter((name) => name.includes('@'));
    if (streams.length === 0) return;
    this.#subscribe(socket, streams);
    this.subscribed(socket);
  }

  protected override onClosed(socket: VenueSocket): void {
    const peer = this.#peers.get(socket);
    for (const timer of peer ? [peer.pings, peer.pongs, peer.end, peer.klines] : []) timer.cancel();
    this.#peers.delete(socket);
  }

  protected override onControlFrame(socket: VenueSocket, type: 'ping' | 'pong', payload: Buffer): void {
    const peer = this.#peers.get(socket);
    if (type === 'pong' && peer?.awaited === payload.toString()) {
      peer.awaited = undefined;
      peer.pongs.cancel();
    }
    this.#isTooMany(socket);
  }

  protected override onMessage(socket: VenueSocket, frame: Frame): void {
    if (this.#isTooMany(socket)) return;
    let request: unknown;
    try {
      request = JSON.parse(frame.toString());
    } catch {
      socket.send(JSON.stringify({ code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' }));
      return;
    }
    const { method, params, id = null } = (request ?? {}) as Readonly<Record<string, unknown>>;
    const answer = this.#answer(socket, method, params);
    if (answer !== undefined) socket.send(JSON.stringify({ ...answer, id }));
    this.subscribed(socket);
  }

  protected encode(records: readonly MarketEvent[], socket: VenueSocket): readonly Frame[] {
    const { scale, klines } = this.#peers.get(socket)!;
    const frames: Frame[] = [];
    for (const record of records) {
      for (const [stream, payload] of payloadsOf(record, scale)) {
        if (!socket.subscriptions.has(stream)) continue;
        const frame = this.#wrap(socket, stream, payload);
        if (record.kind !== 'bar' || !this.#config.pacesKlines) frames.push(frame);
        else klines.push(stream, frame, record.isFinal ?? true, record.timeframe === '1s' ? 1_000 : 2_000);
      }
    }
    return frames;
  }

  protected encodeMalformed(records: readonly MarketEvent[], at: number, socket: VenueSocket): readonly Frame[] {
    const model = records[at] ?? records.at(-1);
    const streams = model ? payloadsOf(model, 1).map(([name]) => name) : [];
    const stream = streams.find((name) => socket.subscriptions.has(name));
    const payload = { e: 'trade', E: 'yesterday', s: 'BTCUSDT', p: 'many', q: null };
    const malformed = stream === undefined ? [] : [this.#wrap(socket, stream, payload)];
    return [...this.encode(records.slice(0, at), socket), ...malformed, ...this.encode(records.slice(at), socket)];
  }

  protected override onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    this.#requests.push(`${url.pathname}${url.search}`);
    if (this.rejection === 'entitlement') {
      response.writeHead(451).end('{"code":0,"msg":"Service unavailable from a restricted location"}');
    } else {
      const { status, used, retryAfterS } = this.#meter.take(WEIGHTS[url.pathname] ?? 1, this.scheduler.now());
      const headers = { 'content-type': 'application/json', 'x-mbx-used-weight-1m': String(used) };
      if (status === 200) {
        const answer = answerOf(url, this.#history);
        response.writeHead(answer.status, headers).end(JSON.stringify(answer.body));
      } else {
        noteViolation(this.violations, `HTTP ${status} at ${this.scheduler.now()}: ${used} of weight in a minute`);
        const msg = status === 418 ? 'Way too much request weight used; IP banned.' : 'Too much request weight used.';
        response.writeHead(status, { ...headers, 'retry-after': String(retryAfterS) });
        response.end(JSON.stringify({ code: -1003, msg }));
      }
    }
    this.changed();
  }

  #answer(socket: VenueSocket, method: unknown, params: unknown): object | undefined {
    const peer = this.#peers.get(socket);
    const names = Array.isArray(params) && params.every((name) => typeof name === 'string') ? params : undefined;
    if (method === 'SUBSCRIBE' && names) return this.#subscribe(socket, names);
    if (method === 'UNSUBSCRIBE' && names) {
      for (const name of names) socket.subscriptions.delete(name);
      return { result: null };
    }
    if (method === 'LIST_SUBSCRIPTIONS') return { result: [...socket.subscriptions] };
    const [property, value] = Array.isArray(params) ? (params as readonly unknown[]) : [];
    if (method === 'GET_PROPERTY' && property === 'combined') return { result: peer?.isCombined };
    if (method === 'SET_PROPERTY' && property === 'combined' && typeof value === 'boolean') {
      if (peer) peer.isCombined = value;
      return { result: null };
    }
    return { error: { code: 2, msg: `Invalid request: unknown variant ${JSON.stringify(method)}` } };
  }

  /** `undefined` leaves the request without an answer. */
  #subscribe(socket: VenueSocket, names: readonly string[]): object | undefined {
    const wanted = names.filter((name) => !socket.subscriptions.has(name));
    if (wanted.some((name) => this.isRefused(symbolOf(name)))) {
      return { error: { code: 2, msg: 'Invalid request: invalid stream' } };
    }
    if (socket.subscriptions.size + wanted.length > this.#config.maxStreams) {
      socket.close(POLICY_VIOLATION, `more than ${this.#config.maxStreams} streams`);
      return undefined;
    }
    const known = wanted.filter((name) => !this.isIgnored(symbolOf(name)));
    for (const name of known) socket.subscriptions.add(name);
    return known.length === wanted.length ? { result: null } : undefined;
  }

  #ping(socket: VenueSocket, peer: Peer): void {
    peer.pings.set(this.#config.pingEveryMs);
    if (peer.awaited !== undefined) return;
    this.#lastPing += 1;
    peer.awaited = String(this.#lastPing);
    peer.pongs.set(this.#config.pongWithinMs);
    socket.ping(peer.awaited);
  }

  #checkPong(socket: VenueSocket, peer: Peer): void {
    if (peer.awaited !== undefined && !socket.isEnded) socket.close(POLICY_VIOLATION, 'Pong timeout');
  }

  #isTooMany(socket: VenueSocket): boolean {
    const { arrivals } = this.#peers.get(socket)!;
    const now = this.scheduler.now();
    arrivals.push(now);
    if (arrivals.length <= this.#config.messagesPerSecond) return false;
    if (now - arrivals.shift()! >= 1_000) return false;
    noteViolation(this.violations, `more than ${this.#config.messagesPerSecond} messages in a second at ${now}`);
    socket.close(POLICY_VIOLATION, 'Too many requests');
    return true;
  }

  #wrap(socket: VenueSocket, stream: string, data: object): string {
    return JSON.stringify(this.#peers.get(socket)?.isCombined ? { stream, data } : data);
  }
}

function symbolOf(stream: string): string {
  return stream.slice(0, stream.indexOf('@')).toUpperCase();
}
