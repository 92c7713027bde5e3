import type { AddressInfo, Server, Socket } from 'node:net';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Frame } from '../../../providers/session.js';
import type { FakeVenue } from '../fakeVenue.js';
import { addressOf } from '../venueAddress.js';
import type { FakeGateway, FakeGatewayOptions } from './fakeGateway.js';
import { GatewayDesk, isOfThePast } from './gatewayDesk.js';
import { errorMessage, type Message, malformed, messagesOf } from './gatewayMessages.js';
import { GatewayPeer, type PeerHost } from './gatewayPeer.js';
import type { GatewayRequest } from './gatewayRequest.js';
import { PacingRules } from './pacingRules.js';
import { encodeMessage, type WireField } from './wire.js';

interface Waiter {
  readonly isSo: () => boolean;
  readonly resolve: () => void;
}

const FARMS: readonly Message[] = [
  errorMessage(-1, 2104, 'Market data farm connection is OK:usfarm'),
  errorMessage(-1, 2106, 'HMDS data farm connection is OK:ushmds'),
  errorMessage(-1, 2158, 'Sec-def data farm connection is OK:secdefnj'),
];
const BROKEN_FARM = errorMessage(-1, 2103, 'Market data farm connection is broken:usfarm');

export class Gateway implements FakeGateway, PeerHost {
  readonly secret = '';
  readonly accepted: number[] = [];
  readonly requests: Record<string, number> = {};
  maxWaitingBytes = Number.POSITIVE_INFINITY;
  logins = 0;
  readonly #server: Server;
  readonly #options: FakeGatewayOptions;
  readonly #peers = new Set<GatewayPeer>();
  readonly #desk: GatewayDesk;
  readonly #rules = new PacingRules();
  mostOpen = 0;
  #waiters: Waiter[] = [];
  #kicks = 0;
  #isRefusing = false;
  #isMute = false;
  #isLost = false;
  #limit = Number.POSITIVE_INFINITY;
  #yields: 'older' | 'newer' = 'newer';

  constructor(server: Server, options: FakeGatewayOptions) {
    this.#server = server;
    this.#options = options;
    this.#desk = new GatewayDesk(this.#now);
    server.on('connection', (socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return addressOf('tcp', this.#server);
  }

  get splitEvery(): number {
    return this.#options.splitEvery ?? Number.POSITIVE_INFINITY;
  }

  get connections(): number {
    return this.#peers.size;
  }

  get clientIds(): readonly number[] {
    return [...this.#peers].map(({ clientId }) => clientId);
  }

  get subscriptions(): readonly string[] {
    return [
      ...new Set([...this.#peers].flatMap(({ held }) => [...held.values()].map((one) => this.#desk.nameOf(one)))),
    ];
  }

  until(isSo: (venue: FakeVenue) => boolean): Promise<void> {
    if (isSo(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isSo: () => isSo(this), resolve }));
  }

  publish(records: readonly MarketEvent[]): void {
    this.#publish(records, (messages) => messages);
  }

  publishMalformed(records: readonly MarketEvent[], at: number): void {
    this.#publish(records, (messages) => {
      const model = messages[Math.min(at, messages.length - 1)];
      return model ? [...messages.slice(0, at), malformed(model), ...messages.slice(at)] : messages;
    });
  }

  send(frame: Frame): void {
    const bytes = typeof frame === 'string' ? Buffer.from(frame) : frame;
    for (const peer of this.#peers) peer.sendBytes(bytes);
  }

  sendFields(fields: readonly WireField[]): void {
    for (const peer of this.#peers) peer.send(fields);
  }

  reset(): void {
    for (const peer of this.#peers) peer.reset();
  }

  kickAfterLogin(times: number): void {
    this.#kicks = times;
  }

  refuse(on: boolean): void {
    this.#isRefusing = on;
  }

  mute(on: boolean): void {
    this.#isMute = on;
    if (on) for (const peer of this.#peers) peer.isMute = true;
  }

  rejectLogins(why: 'credentials' | 'entitlement' | undefined): void {
    this.#desk.rejection = why;
  }

  limitConnections(limit: number, yields: 'older' | 'newer'): void {
    this.#limit = limit;
    this.#yields = yields;
  }

  ignoreSymbol(symbol: string): void {
    this.#desk.ignored.add(symbol);
  }

  refuseSymbol(symbol: string): void {
    this.#desk.refused.add(symbol);
  }

  limitBuffer(bytes: number): void {
    this.maxWaitingBytes = bytes;
  }

  setHistory(records: readonly MarketEvent[]): void {
    this.#desk.history.set(records);
  }

  error(code: number, text: string, symbol?: string): void {
    if (symbol === undefined) {
      this.sendFields(errorMessage(-1, code, text));
      return;
    }
    for (const peer of this.#peers) {
      for (const { request, instrument } of [...peer.held.values()]) {
        if (instrument.names.has(symbol)) peer.send(errorMessage(request.id, code, text));
      }
    }
  }

  failNext(kind: string, code: number, text: string, times = 1): void {
    this.#desk.failNext(kind, code, text, times);
  }

  loseServers(): void {
    this.#isLost = true;
    this.error(1100, 'Connectivity between IB and Trader Workstation has been lost.');
  }

  restore(areSubscriptionsKept: boolean): void {
    this.#isLost = false;
    const kept = 'Connectivity between IB and Trader Workstation has been restored - data';
    if (!areSubscriptionsKept) for (const { held } of this.#peers) held.clear();
    this.error(areSubscriptionsKept ? 1102 : 1101, `${kept} ${areSubscriptionsKept ? 'maintained' : 'lost'}.`);
    this.#changed();
  }

  makeAmbiguous(symbol: string, contracts: number): void {
    this.#desk.ambiguous.set(symbol, contracts);
  }

  marketDataType(type: 1 | 2 | 3 | 4): void {
    for (const peer of this.#peers) {
      for (const { request } of peer.held.values())
        if (request.is === 'marketData') peer.send([58, 1, request.id, type]);
    }
  }

  get violations(): readonly string[] {
    return this.#rules.violations;
  }

  holdHistory(on: boolean): void {
    this.#desk.hold(on);
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  greeted(peer: GatewayPeer): void {
    const time = new Date(this.#now()).toISOString().slice(0, 19).replaceAll('-', '').replace('T', ' ');
    peer.send([this.#options.serverVersion ?? 176, `${time} UTC`]);
  }

  asked(peer: GatewayPeer, request: GatewayRequest): void {
    this.requests[request.is] = (this.requests[request.is] ?? 0) + 1;
    const refusal = this.#refusalOf(peer, request);
    if (refusal) peer.send(refusal);
    else if (request.is === 'start') this.#logIn(peer, request.clientId);
    else if (request.is === 'time') peer.send([49, 1, Math.floor(this.#now() / 1_000)]);
    else if (request.is === 'ids') peer.send([9, 1, 1]);
    else if (request.is === 'newsProviders') peer.send([85, 1, 'FAKE', 'News of a fake gateway']);
    else if (request.is === 'cancel') this.#desk.cancel(peer, request.id);
    else if ('contract' in request && !this.#isLost) {
      this.#desk.answer(peer, request);
      if (this.#kicks > 0 && peer.held.size > 0 && !peer.isKicked) {
        this.#kicks -= 1;
        peer.isKicked = true;
        peer.end();
      }
    }
    this.#changed();
  }

  gone(peer: GatewayPeer): void {
    this.#peers.delete(peer);
    this.#rules.left(peer);
    this.#desk.left(peer);
    this.#changed();
  }

  readonly #now = (): number => this.#options.now?.() ?? Date.now();

  #accept(socket: Socket): void {
    if (this.#isRefusing) {
      socket.on('error', () => {});
      socket.resetAndDestroy();
      return;
    }
    this.accepted.push(this.#now());
    const peer = new GatewayPeer(socket, this);
    peer.isMute = this.#isMute;
    this.#peers.add(peer);
    this.#changed();
  }

  /** The error that TWS answers with, where the request is against the limits. */
  #refusalOf(peer: GatewayPeer, request: GatewayRequest): Message | undefined {
    const now = this.#now();
    const tooFast = this.#rules.message(peer, now);
    const { open } = this.#desk;
    const refusal = tooFast ?? ('contract' in request ? this.#rules.request(request, open, now) : undefined);
    if (!refusal && isOfThePast(request)) this.mostOpen = Math.max(this.mostOpen, open + 1);
    if (!refusal || this.#options.enforcesPacing === false) return undefined;
    return errorMessage('contract' in request && !tooFast ? request.id : -1, refusal.code, refusal.text);
  }

  #logIn(peer: GatewayPeer, clientId: number): void {
    const others = [...this.#peers].filter((other) => other !== peer && other.isLoggedIn);
    const isTaken = others.some((other) => other.clientId === clientId);
    const isOneTooMany = others.length >= this.#limit;
    if (isTaken || (isOneTooMany && this.#yields === 'newer')) {
      peer.send(
        errorMessage(-1, 326, 'Unable to connect as the client id is already in use. Retry with a unique client id.'),
      );
      peer.end();
      return;
    }
    if (isOneTooMany) others[0]?.end();
    peer.clientId = clientId;
    peer.send([15, 1, 'DU0000000']);
    if (this.#options.withholdsOrderId) return;
    peer.isLoggedIn = true;
    this.logins += 1;
    peer.send([9, 1, 1]);
    const { farms = 'ok' } = this.#options;
    const notices = farms === 'ok' ? FARMS : farms === 'broken' ? [BROKEN_FARM, ...FARMS.slice(1)] : [];
    for (const notice of notices) peer.send(notice);
  }

  #publish(records: readonly MarketEvent[], change: (messages: readonly Message[]) => readonly Message[]): void {
    if (this.#isLost) return;
    for (const peer of this.#peers) {
      const held = [...peer.held.values()];
      const messages = records.flatMap((record) =>
        held.flatMap(({ request, instrument }) => messagesOf(record, request, instrument)),
      );
      if (messages.length > 0) peer.sendBytes(Buffer.concat(change(messages).map(encodeMessage)));
    }
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.isSo()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }
}
