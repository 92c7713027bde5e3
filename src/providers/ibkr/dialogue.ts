import type { SharedPacer } from '../../policies/sharedPacer.js';
import { ConnectionLost, ProviderSilent } from '../providerErrors.js';
import type { Frame } from '../session.js';
import { ContractBook, type Entry } from './contractBook.js';
import type { IbkrContract } from './contracts.js';
import { FarmWatch } from './farmWatch.js';
import { call, type GatewayEvent, readEvent } from './frames.js';
import { codeRow, type Farm, type Fate } from './gatewayCodes.js';
import { gatewayError, NAME, refusedByGateway } from './gatewayErrors.js';
import { Outbox } from './outbox.js';
import { FREE, type IbkrRequestCost } from './pacing.js';
import type { StepBuilder } from './stepBuilder.js';

export interface DialogueConfig {
  /** How long TWS may take from the opening to the next order id, in milliseconds. */
  readonly loginTimeoutMs: number;
  /** How long to wait for the farms to be connected. */
  readonly farmTimeoutMs: number;
  /** 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  readonly marketDataType: 1 | 2 | 3 | 4;
  readonly contracts: Readonly<Record<string, IbkrContract>>;
  /** The limits of requests, where connections share them. Default: those of this connection alone. */
  readonly requests?: SharedPacer<IbkrRequestCost>;
}

/** What is done over a dialogue: live series, or requests for history. */
export interface DialogueHandler {
  /** TWS takes requests. */
  ready(now: number): void;
  /** What became of a lookup. */
  settled(symbol: string, entry: Entry, now: number): void;
  /** An event that is not of the dialogue itself. Returns false if it makes no sense. */
  event(event: GatewayEvent, now: number): boolean;
  /** An error that names a request. */
  requestFailed(id: number, code: number, text: string, fate: Fate | undefined, now: number): void;
  /** TWS has its servers back; `isKept` says whether it has kept the subscriptions. */
  restored(isKept: boolean, now: number): void;
  /** A market data farm is connected again. */
  farmRestored(now: number): void;
  /** TWS has answered a beat, and so has read whatever was sent before it. */
  beatHeard(number: number): void;
  /** Does what is due, and says when to wake it next. */
  check(now: number): void;
}

/** How often TWS is asked for the time, as a sign of life. */
export const HEARTBEAT_MS = 10_000;
/** A connection on which nothing comes for so long is half-open. */
export const SILENCE_MS = 25_000;
/** After "more than 50 messages a second". */
export const RATE_COOLDOWN_MS = 2_000;
/** A lookup that is not answered within this time is made once more. */
export const LOOKUP_TIMEOUT_MS = 6_000;

/** After these the connection is of no more use. */
const ENDING: ReadonlySet<Fate | undefined> = new Set(['lost', 'clientId', 'competing', 'version', 'portReset']);

/** One connection to TWS up to its end: login, farms, signs of life, lookups of contracts, and what errors mean. No socket, no clock. */
export class Dialogue {
  readonly out: StepBuilder;
  readonly outbox: Outbox;
  readonly #config: DialogueConfig;
  readonly #handler: DialogueHandler;
  readonly #book: ContractBook;
  readonly #farms = new FarmWatch();
  readonly #lookups = new Map<number, { readonly dueAt: number; readonly isSecond: boolean }>();
  #phase: 'login' | 'farms' | 'ready' = 'login';
  #phaseEndsAt = Number.POSITIVE_INFINITY;
  #heardAt = 0;
  #nextBeatAt = Number.POSITIVE_INFINITY;
  #lastId = 0;
  /** Since when TWS is without the servers of IBKR; `Infinity` while it has them. */
  #lostAt = Number.POSITIVE_INFINITY;
  #beatsSent = 0;
  #beatsHeard = 0;

  constructor(config: DialogueConfig, out: StepBuilder, handler: DialogueHandler) {
    this.#config = config;
    this.#handler = handler;
    this.out = out;
    this.outbox = new Outbox(out, config.requests);
    this.#book = new ContractBook(config.contracts);
  }

  get lastId(): number {
    return this.#lastId;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Asks TWS for the time, and returns the number of that question: TWS answers in order. */
  beat(now: number): number {
    this.outbox.urgent(call('reqCurrentTime'));
    this.#beatsSent += 1;
    this.#nextBeatAt = now + HEARTBEAT_MS;
    return this.#beatsSent;
  }

  /** Up to when what IBKR has sent would have come. */
  get upUntil(): number {
    return Math.min(this.#heardAt, this.#lostAt);
  }

  opened(now: number): void {
    this.#heardAt = now;
    // The client logs in by itself.
    this.outbox.sentOutside(now);
    this.#phaseEndsAt = now + this.#config.loginTimeoutMs;
    this.out.wake(this.#phaseEndsAt);
  }

  frame(frame: Frame, now: number): void {
    this.#heardAt = now;
    const event = readEvent(frame);
    if (event) this.#event(event, now);
    else this.out.fail(new ConnectionLost(NAME, 'a frame that is not the JSON text of an event'));
    this.outbox.flush(now);
  }

  timer(now: number): void {
    this.out.woken();
    if (now >= this.#phaseEndsAt) this.#endPhase(now);
    if (now >= this.#heardAt + SILENCE_MS) {
      this.out.fail(new ProviderSilent(NAME, `TWS has sent nothing for ${now - this.#heardAt} ms, not even the time`));
      return;
    }
    if (now >= this.#nextBeatAt) this.beat(now);
    this.#checkLookups(now);
    this.#handler.check(now);
    this.outbox.flush(now);
    this.out.wake(Math.min(this.#phaseEndsAt, this.#nextBeatAt, this.#heardAt + SILENCE_MS));
  }

  /** Finds the contract of a symbol. An answer that is not known yet comes by `settled`. */
  lookUp(symbol: string, now: number): Entry {
    const known = this.#book.get(symbol);
    if (known) return known;
    const contract = this.#book.contractOf(symbol);
    if (!contract) return { is: 'refused', error: this.#book.refuse(symbol) };
    return this.#ask(symbol, contract, now, now, false);
  }

  #event(event: GatewayEvent, now: number): void {
    const [name, first, second, third] = event;
    if (name === 'error') this.#error(String(first), Number(second), Number(third), event[4], now);
    else if (name === 'nextValidId') this.#began(now);
    else if (name === 'contractDetails') {
      if (!this.#book.found(Number(first), second)) this.out.element(['unreadable', ...event]);
    } else if (name === 'contractDetailsEnd') this.#settle(Number(first), now);
    else if (name === 'currentTime') {
      this.#beatsHeard = Math.min(this.#beatsHeard + 1, this.#beatsSent);
      this.#handler.beatHeard(this.#beatsHeard);
    } else if (!this.#handler.event(event, now)) this.out.element(['unreadable', ...event]);
  }

  #began(now: number): void {
    if (this.#phase !== 'login') return;
    this.#phase = 'farms';
    this.#phaseEndsAt = now + this.#config.farmTimeoutMs;
    this.#nextBeatAt = now + HEARTBEAT_MS;
    this.out.wake(Math.min(this.#phaseEndsAt, this.#nextBeatAt));
    if (this.#farms.isComplete) this.#endPhase(now);
  }

  /** The login took too long, or the farms are connected, or took too long. */
  #endPhase(now: number): void {
    this.#phaseEndsAt = Number.POSITIVE_INFINITY;
    if (this.#phase === 'login') {
      this.out.fail(refusedByGateway('TWS took the connection and did not begin the session: no next order id'));
      return;
    }
    this.#phase = 'ready';
    const { missing } = this.#farms;
    if (missing.length > 0)
      this.out.notice(`not heard of after ${this.#config.farmTimeoutMs} ms: farms of ${missing.join(', ')}`);
    const type = this.#config.marketDataType;
    if (type !== 1) this.outbox.urgent(call('reqMarketDataType', type));
    this.out.ready();
    this.#handler.ready(now);
  }

  #error(text: string, code: number, id: number, nextClientId: unknown, now: number): void {
    const row = codeRow(code, text);
    const fate = row?.fate;
    if (fate === 'ignore') return;
    if (fate === 'unreadable') {
      this.out.element(['unreadable', 'error', text, code, id]);
    } else if (ENDING.has(fate)) {
      const isOtherClient = fate === 'clientId' && typeof nextClientId === 'number';
      this.out.fail(isOtherClient ? nextClient(text, nextClientId) : gatewayError(code, text));
    } else if (row?.farm) {
      this.#farm(fate!, row.farm, text, now);
    } else if (fate === 'dataLost' || fate === 'dataKept') {
      this.#notice(text, code);
      this.#lostAt = Number.POSITIVE_INFINITY;
      if (fate === 'dataLost') this.#askAgain(now);
      this.#handler.restored(fate === 'dataKept', now);
    } else if (fate === 'warn' || fate === 'serversLost' || code === 100 || id < 0 || this.#phase !== 'ready') {
      if (fate === 'serversLost') this.#lostAt = Math.min(this.#lostAt, now);
      if (code === 100) this.outbox.pause(now + RATE_COOLDOWN_MS);
      this.#notice(text, code);
    } else if (this.#book.symbolOf(id) === undefined) {
      this.#handler.requestFailed(id, code, text, fate, now);
    } else {
      this.#lookupFailed(id, code, text, now);
    }
  }

  #notice(text: string, code: number): void {
    this.out.notice(`${text.trim()} (code ${code})`);
  }

  #farm(fate: Fate, farm: Farm, text: string, now: number): void {
    if (fate === 'farmBroken') {
      this.#farms.broken(farm, text);
      this.out.notice(text.trim());
      return;
    }
    if (this.#farms.connected(farm, text)) {
      this.out.notice(text.trim());
      if (farm === 'market') this.#handler.farmRestored(now);
    }
    if (this.#phase === 'farms' && this.#farms.isComplete) this.#endPhase(now);
  }

  #ask(symbol: string, contract: IbkrContract, now: number, notBefore: number, isSecond: boolean): Entry {
    const id = this.nextId();
    this.#book.ask(symbol, contract, id);
    this.outbox.request({
      id,
      frame: call('reqContractDetails', id, contract),
      cost: FREE,
      notBefore,
      onSent: (sentAt) => {
        this.#lookups.set(id, { dueAt: sentAt + LOOKUP_TIMEOUT_MS, isSecond });
        this.out.wake(sentAt + LOOKUP_TIMEOUT_MS);
      },
    });
    this.outbox.flush(now);
    return this.#book.get(symbol)!;
  }

  #settle(id: number, now: number): void {
    this.#lookups.delete(id);
    const settled = this.#book.settle(id);
    if (settled) this.#handler.settled(settled.symbol, settled.entry, now);
  }

  #lookupFailed(id: number, code: number, text: string, now: number): void {
    this.#lookups.delete(id);
    const symbol = this.#book.symbolOf(id)!;
    const error = gatewayError(code, text, symbol);
    this.#book.fail(id, error);
    if (error.retryable && error.retryAfterMs !== undefined) {
      this.out.notice(error.message);
      this.#ask(symbol, this.#book.contractOf(symbol)!, now, now + error.retryAfterMs, false);
    } else {
      this.#handler.settled(symbol, { is: 'refused', error }, now);
    }
  }

  #checkLookups(now: number): void {
    for (const [id, { dueAt, isSecond }] of [...this.#lookups]) {
      if (now < dueAt) {
        this.out.wake(dueAt);
        continue;
      }
      this.#lookups.delete(id);
      const error = new ConnectionLost(NAME, `TWS did not answer the lookup of ${this.#book.symbolOf(id)}`);
      const symbol = this.#book.fail(id, error);
      if (symbol === undefined) continue;
      if (isSecond) this.#handler.settled(symbol, { is: 'refused', error }, now);
      else this.#ask(symbol, this.#book.contractOf(symbol)!, now, now, true);
    }
  }

  /** Lookups that TWS has lost. */
  #askAgain(now: number): void {
    for (const id of this.#book.asked) {
      if (!this.#lookups.delete(id)) continue;
      const symbol = this.#book.fail(id, new ConnectionLost(NAME, 'lost'))!;
      this.#ask(symbol, this.#book.contractOf(symbol)!, now, now, false);
    }
  }
}

function nextClient(text: string, next: number): ConnectionLost {
  const words = `${text.trim()} (code 326): the next attempt is made as client ${next}`;
  return new ConnectionLost(NAME, words, { retryAfterMs: 0 });
}
