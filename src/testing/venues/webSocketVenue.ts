import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { SchedulerLike } from 'rxjs';
import { type WebSocket, WebSocketServer } from 'ws';
import type { MarketEvent } from '../../market/recordKinds.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import type { Frame } from '../../providers/session.js';
import type { FakeVenue } from './fakeVenue.js';
import { addressOf, listenAt } from './venueAddress.js';
import { VenueSocket } from './venueSocket.js';

interface Waiter {
  readonly isSo: () => boolean;
  readonly resolve: () => void;
}

/**
 * What fake venues that speak WebSocket share: a server on loopback, its connections, and the ways in which it misbehaves. A
 * venue adds its protocol.
 */
export abstract class WebSocketVenue implements FakeVenue {
  abstract readonly secret: string;
  readonly violations: string[] = [];
  /** The clock and timers of the venue. */
  protected readonly scheduler: SchedulerLike;
  readonly #server: Server;
  readonly #wss = new WebSocketServer({ noServer: true, autoPong: false, perMessageDeflate: false });
  readonly #sockets = new Set<VenueSocket>();
  readonly #accepted: number[] = [];
  readonly #ignored = new Set<string>();
  readonly #refused = new Set<string>();
  #waiters: Waiter[] = [];
  #logins = 0;
  #kicks = 0;
  #isRefusing = false;
  #isMute = false;
  #rejection: 'credentials' | 'entitlement' | undefined;
  #limit = Number.POSITIVE_INFINITY;
  #yields: 'older' | 'newer' = 'newer';
  #maxWaitingBytes = Number.POSITIVE_INFINITY;

  constructor(scheduler: SchedulerLike = eventLoopScheduler) {
    this.scheduler = scheduler;
    this.#server = createServer((request, response) => this.onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
  }

  get url(): string {
    return addressOf('ws', this.#server);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get accepted(): readonly number[] {
    return this.#accepted;
  }

  get logins(): number {
    return this.#logins;
  }

  get subscriptions(): readonly string[] {
    return [...new Set([...this.#sockets].flatMap(({ subscriptions }) => [...subscriptions]))];
  }

  /** How many subscriptions the open connections have, each counted for itself. */
  get subscribedInAll(): number {
    return [...this.#sockets].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0);
  }

  until(isSo: (venue: FakeVenue) => boolean): Promise<void> {
    if (isSo(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isSo: () => isSo(this), resolve }));
  }

  publish(records: readonly MarketEvent[]): void {
    for (const socket of this.#sockets) for (const frame of this.encode(records, socket)) this.deliver(socket, frame);
  }

  publishTo(place: number, records: readonly MarketEvent[]): void {
    const socket = [...this.#sockets][place];
    if (!socket) throw new RangeError(`there is no connection ${place}`);
    for (const frame of this.encode(records, socket)) this.deliver(socket, frame);
  }

  publishMalformed(records: readonly MarketEvent[], at: number): void {
    for (const socket of this.#sockets) {
      for (const frame of this.encodeMalformed(records, at, socket)) this.deliver(socket, frame);
    }
  }

  send(frame: Frame): void {
    for (const socket of this.#sockets) this.deliver(socket, frame);
  }

  reset(): void {
    for (const socket of this.#sockets) socket.reset();
  }

  kickAfterLogin(times: number): void {
    this.#kicks = times;
  }

  refuse(on: boolean): void {
    this.#isRefusing = on;
  }

  mute(on: boolean): void {
    this.#isMute = on;
    // What is mute stays so: a half-open connection does not come back.
    if (on) for (const socket of this.#sockets) socket.isMute = true;
  }

  rejectLogins(why: 'credentials' | 'entitlement' | undefined): void {
    this.#rejection = why;
  }

  limitConnections(limit: number, yields: 'older' | 'newer'): void {
    this.#limit = limit;
    this.#yields = yields;
  }

  ignoreSymbol(symbol: string): void {
    this.#ignored.add(symbol);
  }

  refuseSymbol(symbol: string): void {
    this.#refused.add(symbol);
  }

  limitBuffer(bytes: number): void {
    this.#maxWaitingBytes = bytes;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Opens the port. */
  listen(host = '127.0.0.1'): Promise<void> {
    return listenAt(this.#server, host);
  }

  /** A connection is open. */
  protected onOpen(_socket: VenueSocket): void {}

  /** A message arrived. */
  protected abstract onMessage(socket: VenueSocket, frame: Frame): void;

  /** A ping or a pong arrived. */
  protected onControlFrame(_socket: VenueSocket, _type: 'ping' | 'pong', _payload: Buffer): void {}

  protected onClosed(_socket: VenueSocket): void {}

  /** An HTTP request that asks for no WebSocket. */
  protected onRequest(_request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(404).end();
  }

  /** An answer to the handshake other than its success: a status line. */
  protected refusalOf(_request: IncomingMessage): string | undefined {
    return undefined;
  }

  /** The frames for a connection, of those records that it is subscribed to. */
  protected abstract encode(records: readonly MarketEvent[], socket: VenueSocket): readonly Frame[];

  /** The same, with something before the record at this place that the vendor would never send. */
  protected abstract encodeMalformed(
    records: readonly MarketEvent[],
    at: number,
    socket: VenueSocket,
  ): readonly Frame[];

  protected get sockets(): Iterable<VenueSocket> {
    return this.#sockets;
  }

  protected get rejection(): 'credentials' | 'entitlement' | undefined {
    return this.#rejection;
  }

  protected isIgnored(symbol: string): boolean {
    return this.#ignored.has(symbol);
  }

  protected isRefused(symbol: string): boolean {
    return this.#refused.has(symbol);
  }

  /** A login succeeded; where the vendor has none, a connection is open. */
  protected loggedIn(socket: VenueSocket): void {
    socket.isLoggedIn = true;
    this.#logins += 1;
    this.changed();
  }

  /** The subscriptions of a connection changed. */
  protected subscribed(socket: VenueSocket): void {
    if (this.#kicks > 0 && socket.subscriptions.size > 0 && !socket.isEnded) {
      this.#kicks -= 1;
      socket.terminate();
    }
    this.changed();
  }

  protected deliver(socket: VenueSocket, frame: Frame): void {
    socket.send(frame);
    if (socket.waitingBytes > this.#maxWaitingBytes) this.onSlow(socket);
  }

  /** A client reads too slowly. */
  protected onSlow(socket: VenueSocket): void {
    socket.terminate();
  }

  /** Something changed that `until()` may wait for. */
  protected changed(): void {
    const now = this.#waiters.filter(({ isSo }) => isSo());
    this.#waiters = this.#waiters.filter((waiter) => !now.includes(waiter));
    for (const { resolve } of now) resolve();
  }

  #upgrade(request: IncomingMessage, tcp: Socket, head: Buffer): void {
    tcp.on('error', () => undefined);
    if (this.#isRefusing) {
      tcp.resetAndDestroy();
      return;
    }
    const refusal = this.refusalOf(request);
    if (refusal !== undefined) {
      tcp.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#wss.handleUpgrade(request, tcp, head, (ws) => this.#open(ws, tcp, request));
  }

  #open(ws: WebSocket, tcp: Socket, request: IncomingMessage): void {
    const socket = new VenueSocket(ws, tcp, request, this.scheduler.now(), this.#isMute);
    this.#accepted.push(socket.acceptedAt);
    this.#sockets.add(socket);
    ws.on('error', () => undefined);
    ws.on('close', () => {
      this.#sockets.delete(socket);
      this.onClosed(socket);
      this.changed();
    });
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      if (!socket.isMute) this.onMessage(socket, isBinary ? data : data.toString());
    });
    ws.on('ping', (payload: Buffer) => {
      if (socket.isMute) return;
      ws.pong(payload);
      this.onControlFrame(socket, 'ping', payload);
    });
    ws.on('pong', (payload: Buffer) => {
      if (!socket.isMute) this.onControlFrame(socket, 'pong', payload);
    });
    this.onOpen(socket);
    this.#keepLimit(socket);
    this.changed();
  }

  #keepLimit(newest: VenueSocket): void {
    if (this.#sockets.size <= this.#limit) return;
    const [oldest = newest] = this.#sockets;
    this.onOneTooMany(this.#yields === 'newer' ? newest : oldest);
  }

  /** A connection yields, as the account has too many. */
  protected onOneTooMany(socket: VenueSocket): void {
    socket.close(1008, 'too many connections');
  }
}
