import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { Timer } from '../../../primitives/timer.js';
import type { Frame } from '../../../providers/session.js';
import type { VenueSocket } from '../venueSocket.js';
import { WebSocketVenue } from '../webSocketVenue.js';
import { type AlpacaErrorCode, ERRORS, type FakeAlpaca, type FakeAlpacaConfig } from './fakeAlpaca.js';
import { Published } from './published.js';
import { RestSide } from './restSide.js';
import { CHANNEL_OF, type Encoding, frameOf, messageOf, type WireElement } from './wire.js';

/** Paths of feeds, and whether they are those of stocks, which have more channels. */
const PATHS = /^\/(v2\/(iex|sip|delayed_sip|test)|v1beta1\/(boats|overnight)|(v1beta3\/crypto\/us))$/;
const STOCK_CHANNELS = ['trades', 'quotes', 'bars', 'updatedBars', 'dailyBars', 'statuses', 'lulds', 'imbalances'];
const CRYPTO_CHANNELS = ['trades', 'quotes', 'bars', 'updatedBars', 'dailyBars', 'orderbooks'];
const SYMBOL = /^(\*|[A-Za-z0-9./_-]{1,24})$/;
const LIMITED = ['trades', 'quotes'];
/** Errors after which Alpaca ends the connection. */
const FINAL: readonly AlpacaErrorCode[] = [402, 404, 406, 407, 408, 409];

type Element = Readonly<Record<string, unknown>>;

/** Alpaca's side of the dialogue, and how it goes wrong. */
export class AlpacaVenue extends WebSocketVenue implements FakeAlpaca {
  readonly key: string;
  readonly secret: string;
  readonly #authTimeoutMs: number;
  readonly #slowGraceMs: number;
  readonly #published = new Published();
  readonly #rest: RestSide;
  readonly #overLimit = new WeakSet<VenueSocket>();
  readonly #slow = new WeakSet<VenueSocket>();
  /** What ends each connection that does not log in, or reads too slowly. */
  readonly #timers = new Map<VenueSocket, Timer>();
  #symbolLimit = Number.POSITIVE_INFINITY;
  #outgoing: readonly Element[] = [];

  constructor({ key, secret, authTimeoutMs, slowGraceMs, scheduler }: Required<FakeAlpacaConfig>) {
    super(scheduler);
    this.key = key;
    this.secret = secret;
    this.#authTimeoutMs = authTimeoutMs;
    this.#slowGraceMs = slowGraceMs;
    this.#rest = new RestSide(key, secret, this.#published, scheduler, this.violations);
  }

  get restUrl(): string {
    return this.url.replace(/^ws/, 'http');
  }

  get requests(): { readonly answered: number; readonly tooMany: number } {
    return this.#rest.requests;
  }

  sendError(code: AlpacaErrorCode): void {
    for (const socket of [...this.sockets]) this.#error(socket, code);
  }

  limitSymbols(limit: number): void {
    this.#symbolLimit = limit;
  }

  limitRequests(perMinute: number): void {
    this.#rest.perMinute = perMinute;
  }

  limitPages(rows: number): void {
    this.#rest.maxRows = rows;
  }

  remember(records: readonly MarketEvent[]): void {
    for (const record of records) this.#published.add(record);
  }

  override publish(records: readonly MarketEvent[]): void {
    this.#outgoing = this.#elements(records);
    super.publish(records);
  }

  override publishMalformed(records: readonly MarketEvent[], at: number): void {
    const elements: Element[] = this.#elements(records);
    const { T, S } = elements[Math.min(at, elements.length - 1)] ?? { T: 't', S: 'AAPL' };
    // Without a time, and with prices as text.
    elements.splice(at, 0, { T, S, i: 1, x: 'V', p: 'n/a', bp: 'n/a', ap: 'n/a', o: 'n/a', v: -1 });
    this.#outgoing = elements;
    super.publishMalformed(records, at);
  }

  protected override refusalOf({ url = '/' }: IncomingMessage): string | undefined {
    return PATHS.test(url) ? undefined : '404 Not Found';
  }

  protected override onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#rest.answer(request, response);
  }

  protected override onOpen(socket: VenueSocket): void {
    this.#send(socket, { T: 'success', msg: 'connected' });
    const { 'apca-api-key-id': key, 'apca-api-secret-key': secret } = socket.headers;
    if (key !== undefined || secret !== undefined) {
      this.#auth(socket, key, secret);
      return;
    }
    this.#endLater(socket, this.#authTimeoutMs, () => this.#error(socket, 404));
  }

  protected override onClosed(socket: VenueSocket): void {
    this.#timers.get(socket)?.cancel();
    this.#timers.delete(socket);
  }

  protected override onMessage(socket: VenueSocket, frame: Frame): void {
    const message = messageOf(frame, encodingOf(socket));
    if (message?.action === 'auth') this.#auth(socket, message.key, message.secret);
    else if (message?.action === 'subscribe' || message?.action === 'unsubscribe') this.#change(socket, message);
    else this.#error(socket, 400);
  }

  /** An account has one connection per feed: the newcomer hears of it when it logs in. */
  protected override onOneTooMany(socket: VenueSocket): void {
    if (socket.isLoggedIn) this.#error(socket, 406);
    else this.#overLimit.add(socket);
  }

  /** The error comes before the end, and is lost where the client does not read at all. */
  protected override onSlow(socket: VenueSocket): void {
    if (this.#slow.has(socket)) return;
    this.#slow.add(socket);
    this.#error(socket, 407);
    this.#endLater(socket, this.#slowGraceMs, () => socket.terminate());
  }

  /** The same elements for every connection: only once are they new. */
  protected override encode(_records: readonly MarketEvent[], socket: VenueSocket): readonly Frame[] {
    const wanted = this.#outgoing.filter(({ T, S }) => {
      const channel = CHANNEL_OF[String(T)];
      return socket.subscriptions.has(`${channel}.${S}`) || socket.subscriptions.has(`${channel}.*`);
    });
    return wanted.length > 0 ? [frameOf(wanted, encodingOf(socket))] : [];
  }

  protected override encodeMalformed(
    records: readonly MarketEvent[],
    _at: number,
    socket: VenueSocket,
  ): readonly Frame[] {
    return this.encode(records, socket);
  }

  #elements(records: readonly MarketEvent[]): WireElement[] {
    return records.map((record) => this.#published.add(record)).filter((one) => one !== undefined);
  }

  #endLater(socket: VenueSocket, ms: number, end: () => void): void {
    const timer = new Timer(this.scheduler, end);
    this.#timers.set(socket, timer);
    timer.set(ms);
  }

  #auth(socket: VenueSocket, key: unknown, secret: unknown): void {
    if (socket.isLoggedIn) {
      this.#error(socket, 403);
      return;
    }
    this.#timers.get(socket)?.cancel();
    if (this.rejection === 'entitlement') this.#error(socket, 409);
    else if (this.rejection === 'credentials' || key !== this.key || secret !== this.secret) this.#error(socket, 402);
    else if (this.#overLimit.has(socket)) this.#error(socket, 406);
    else {
      this.#send(socket, { T: 'success', msg: 'authenticated' });
      this.loggedIn(socket);
    }
  }

  #change(socket: VenueSocket, { action, ...asked }: Readonly<Record<string, unknown>>): void {
    if (!socket.isLoggedIn) {
      this.#error(socket, 401);
      return;
    }
    const channels = channelsOf(socket);
    const names: string[] = [];
    for (const [channel, symbols] of Object.entries(asked)) {
      if (!channels.includes(channel)) {
        this.#error(socket, 410);
        return;
      }
      if (!Array.isArray(symbols) || !symbols.every((one) => this.#isSymbol(one))) {
        this.#error(socket, 400);
        return;
      }
      for (const symbol of symbols) if (!this.isIgnored(symbol)) names.push(`${channel}.${symbol}`);
    }
    const after = new Set(socket.subscriptions);
    for (const name of names) {
      if (action === 'subscribe') after.add(name);
      else after.delete(name);
    }
    const limited = [...after].filter((name) => LIMITED.includes(name.split('.', 1)[0]!));
    if (limited.length > this.#symbolLimit) {
      this.#error(socket, 405);
      return;
    }
    socket.subscriptions.clear();
    for (const name of after) socket.subscriptions.add(name);
    this.#send(socket, { T: 'subscription', ...this.#current(socket) });
    this.subscribed(socket);
  }

  #isSymbol(symbol: unknown): symbol is string {
    return typeof symbol === 'string' && SYMBOL.test(symbol) && !this.isRefused(symbol);
  }

  /** The whole set, in which corrections and cancellations follow the trades. */
  #current(socket: VenueSocket): Record<string, string[]> {
    const of = (channel: string) =>
      [...socket.subscriptions]
        .filter((name) => name.startsWith(`${channel}.`))
        .map((name) => name.slice(channel.length + 1));
    const current = Object.fromEntries(channelsOf(socket).map((channel) => [channel, of(channel)]));
    return isCrypto(socket) ? current : { ...current, corrections: of('trades'), cancelErrors: of('trades') };
  }

  #error(socket: VenueSocket, code: AlpacaErrorCode): void {
    this.#send(socket, { T: 'error', code, msg: ERRORS[code] });
    if (FINAL.includes(code)) socket.close(1000, '');
  }

  #send(socket: VenueSocket, message: Element): void {
    socket.send(frameOf([message], encodingOf(socket)));
  }
}

function encodingOf({ headers }: VenueSocket): Encoding {
  return headers['content-type'] === 'application/msgpack' ? 'msgpack' : 'json';
}

function isCrypto({ path }: VenueSocket): boolean {
  return path.startsWith('/v1beta3/crypto');
}

function channelsOf(socket: VenueSocket): readonly string[] {
  return isCrypto(socket) ? CRYPTO_CHANNELS : STOCK_CHANNELS;
}
