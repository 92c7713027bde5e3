import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SchedulerLike } from 'rxjs';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { Timer } from '../../../primitives/timer.js';
import type { Frame } from '../../../providers/session.js';
import type { VenueSocket } from '../venueSocket.js';
import { WebSocketVenue } from '../webSocketVenue.js';
import {
  clusterName,
  clusterOf,
  frameOf,
  isAllowed,
  POLICY_VIOLATION,
  partsOf,
  readMessage,
  statusOf,
  WORDS,
} from './dialogue.js';
import { RestSide } from './restSide.js';
import { CHANNELS, channelOf, elementOf, isCluster, MALFORMED, type WireElement } from './wire.js';

/** How {@link startFakeMassive} behaves. */
export interface FakeMassiveConfig {
  /** The address that it listens on: of loopback, or one that other machines can reach. Default `127.0.0.1`. */
  readonly host?: string;
  /** The key that it accepts. Default `fake-massive-key-0000`. */
  readonly key?: string;
  /** How long a client may take to log in, in milliseconds. Default 10,000. */
  readonly authTimeoutMs?: number;
  /** Acknowledgements in one frame, at most. Integer of at least 1, default 100. */
  readonly acksPerFrame?: number;
  /** Whether each slot that is refused has an error of its own (default), or a request has one. */
  readonly errors?: 'perSlot' | 'perRequest';
  /** When the newer of too many connections is told so: after its login (default), or after its first subscription. */
  readonly quotaAfter?: 'login' | 'subscription';
  /** The status of answers over REST: `OK` (default), or `DELAYED` as for plans without real-time data. */
  readonly status?: 'OK' | 'DELAYED';
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** Massive on loopback: see `startFakeMassive`. */
export class FakeMassive extends WebSocketVenue {
  readonly secret: string;
  readonly #config: Required<FakeMassiveConfig>;
  readonly #rest: RestSide;
  readonly #logins = new Map<VenueSocket, Timer>();
  /** Connections that are one too many, and do not know it yet. */
  readonly #excess = new Set<VenueSocket>();
  readonly #refusedSlots = new Set<string>();
  #malformed = 0;

  constructor(config: Required<FakeMassiveConfig>) {
    super(config.scheduler);
    this.#config = config;
    this.secret = config.key;
    this.#rest = new RestSide({
      key: config.key,
      status: config.status,
      violations: this.violations,
      now: () => this.scheduler.now(),
      isEntitled: (path) => {
        return this.rejection !== 'entitlement' && !path.split('/').some((part) => this.isRefused(part));
      },
    });
  }

  /** Where its REST API listens, as the `restUrl` of the provider takes it. */
  get restUrl(): string {
    return this.url.replace(/^ws/, 'http');
  }

  /** The requests for history until now, as path and query, without the key. */
  get requests(): readonly string[] {
    return this.#rest.requests;
  }

  /** How many requests for history were let through until now, and how many answered with 429. */
  get requestCounts(): { readonly answered: number; readonly tooMany: number } {
    return this.#rest.counts;
  }

  /** At most so many requests for history in any minute. Default 5, that of free plans. */
  limitRequests(perMinute: number): void {
    this.#rest.limit = perMinute;
  }

  /** The rows of a page of history, at most. Default: as many as the vendor allows. */
  limitPages(rows: number): void {
    this.#rest.maxRows = rows;
  }

  /** The origin that the address of the next page has. Default: its own. */
  misleadPages(origin: string | undefined): void {
    this.#rest.nextOrigin = origin;
  }

  /**
   * Keeps records for those who ask for history, without sending them: bars of any timeframe, trades, quotes, option snapshots, news and
   * fundamentals. Published records are kept too; at least the last 100,000 of both are.
   */
  remember(records: readonly MarketEvent[]): void {
    this.#rest.remember(records);
  }

  /** Refuses a subscription to one slot, such as `T.AAPL`; {@link refuseSymbol} refuses all channels of a symbol. */
  refuseSlot(slot: string): void {
    this.#refusedSlots.add(slot);
  }

  /** Sends a status to every connection, such as `max_connections`; nothing follows from it. */
  sendStatus(status: string, message: string): void {
    this.send(frameOf([statusOf(status, message)]));
  }

  /** Ends every connection without a close frame, as the vendor often does; what was sent arrives. */
  drop(): void {
    for (const socket of this.sockets) socket.drop();
  }

  override publish(records: readonly MarketEvent[]): void {
    this.#rest.remember(records);
    super.publish(records);
  }

  override publishMalformed(records: readonly MarketEvent[], at: number): void {
    this.#rest.remember(records);
    super.publishMalformed(records, at);
  }

  override async close(): Promise<void> {
    for (const timer of this.#logins.values()) timer.cancel();
    await super.close();
  }

  protected override refusalOf({ url = '/' }: IncomingMessage): string | undefined {
    return isCluster(clusterName(url)) ? undefined : '404 Not Found';
  }

  protected override onOpen(socket: VenueSocket): void {
    socket.send(frameOf([statusOf('connected', WORDS.connected)]));
    const timer = new Timer(this.scheduler, () => {
      socket.send(frameOf([statusOf('auth_timeout', WORDS.noLogin)]));
      socket.drop();
    });
    timer.set(this.#config.authTimeoutMs);
    this.#logins.set(socket, timer);
  }

  protected override onClosed(socket: VenueSocket): void {
    this.#logins.get(socket)?.cancel();
    this.#logins.delete(socket);
    this.#excess.delete(socket);
  }

  protected override onMessage(socket: VenueSocket, frame: Frame): void {
    const { action, params } = readMessage(frame);
    if (action === 'auth') this.#login(socket, params);
    else if (!socket.isLoggedIn || params === undefined) this.#refuse(socket, WORDS.nonsense);
    else if (action === 'subscribe') this.#subscribe(socket, params.split(','));
    else if (action === 'unsubscribe') this.#unsubscribe(socket, params.split(','));
    else this.#refuse(socket, WORDS.nonsense);
  }

  protected override onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#rest.answer(request, response, this.restUrl);
  }

  protected override encode(records: readonly MarketEvent[], socket: VenueSocket): readonly Frame[] {
    const elements = this.#elementsFor(socket, records);
    return elements.length === 0 ? [] : [frameOf(elements)];
  }

  protected override encodeMalformed(
    records: readonly MarketEvent[],
    at: number,
    socket: VenueSocket,
  ): readonly Frame[] {
    const before = this.#elementsFor(socket, records.slice(0, at));
    const after = this.#elementsFor(socket, records.slice(at));
    if (!socket.isLoggedIn) return [];
    const malformed = MALFORMED[this.#malformed % MALFORMED.length]!;
    this.#malformed += 1;
    return [frameOf([...before, malformed, ...after])];
  }

  /** The older of too many connections is evicted; the newer one is let in first, as the vendor does. */
  protected override onOneTooMany(socket: VenueSocket): void {
    if (socket.isLoggedIn) this.#evict(socket);
    else this.#excess.add(socket);
  }

  #login(socket: VenueSocket, key: string | undefined): void {
    this.#logins.get(socket)?.cancel();
    const { rejection } = this;
    if (rejection !== undefined || key !== this.#config.key) {
      const words = rejection === 'entitlement' ? WORDS.wrongPlan : WORDS.wrongKey;
      socket.send(frameOf([statusOf('auth_failed', words)]));
      socket.drop();
      return;
    }
    socket.send(frameOf([statusOf('auth_success', WORDS.loggedIn)]));
    if (this.#excess.has(socket) && this.#config.quotaAfter === 'login') this.#evict(socket);
    this.loggedIn(socket);
  }

  #evict(socket: VenueSocket): void {
    socket.send(frameOf([statusOf('max_connections', WORDS.tooMany)]));
    socket.close(POLICY_VIOLATION, 'max_connections');
  }

  #subscribe(socket: VenueSocket, slots: readonly string[]): void {
    const cluster = clusterOf(socket);
    const acks: WireElement[] = [];
    let refusals = 0;
    for (const slot of slots) {
      const { channel, ticker } = partsOf(slot);
      // Neither an unknown channel nor what is held already has an answer.
      if (!CHANNELS[cluster].includes(channel) || ticker === '' || socket.subscriptions.has(slot)) continue;
      if (this.isIgnored(ticker)) continue;
      if (this.isRefused(ticker) || this.#refusedSlots.has(slot) || !isAllowed(socket, cluster, channel, ticker)) {
        refusals += 1;
        if (refusals === 1 || this.#config.errors === 'perSlot') acks.push(statusOf('error', WORDS.refused));
        continue;
      }
      socket.subscriptions.add(slot);
      acks.push(statusOf('success', `subscribed to: ${slot}`));
    }
    this.#answer(socket, acks);
    if (this.#excess.has(socket)) this.#evict(socket);
    this.subscribed(socket);
  }

  #unsubscribe(socket: VenueSocket, slots: readonly string[]): void {
    const held = slots.filter((slot) => socket.subscriptions.delete(slot));
    this.#answer(
      socket,
      held.map((slot) => statusOf('success', `unsubscribed to: ${slot}`)),
    );
    this.changed();
  }

  #answer(socket: VenueSocket, statuses: readonly WireElement[]): void {
    const { acksPerFrame } = this.#config;
    for (let at = 0; at < statuses.length; at += acksPerFrame) {
      socket.send(frameOf(statuses.slice(at, at + acksPerFrame)));
    }
  }

  #refuse(socket: VenueSocket, words: string): void {
    socket.send(frameOf([statusOf('error', words)]));
  }

  #elementsFor(socket: VenueSocket, records: readonly MarketEvent[]): readonly WireElement[] {
    const cluster = clusterOf(socket);
    const { subscriptions } = socket;
    const elements: WireElement[] = [];
    for (const record of records) {
      const channel = channelOf(record, cluster);
      if (channel === undefined || !('symbol' in record)) continue;
      if (!subscriptions.has(`${channel}.${record.symbol}`) && !subscriptions.has(`${channel}.*`)) continue;
      elements.push(elementOf(record, channel, cluster));
    }
    return elements;
  }
}
