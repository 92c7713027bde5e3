import { messageOf } from '../../primitives/messageOf.js';
import type { Frame, ProviderSession, Refusal, Series, SessionStep } from '../session.js';
import { Doubts } from './doubts.js';
import { loginRefused, lost, subscriptionRefused, tooManyConnections } from './failures.js';
import { type Findings, nothingFound, stepOf } from './findings.js';
import { MARKETS, type MassiveMarket } from './markets.js';
import { isBarEvent, VERSION, type VersionedRaw } from './normalise/bar.js';
import { versionOf } from './normalise/values.js';
import { messageTo, SubscribeRequest } from './request.js';
import {
  channelOf,
  MAX_OPTION_QUOTES,
  normalSlot,
  slotOf,
  symbolProblem,
  tooManyOptionQuotes,
  unknownSymbol,
} from './slots.js';

export interface MassiveSessionConfig {
  readonly key: string;
  readonly market: MassiveMarket;
  /** How long the stream waits for a confirmation, in milliseconds: the session is done with a request well before. */
  readonly confirmAfterMs: number;
}

/** Slots per message: an acknowledgement of each takes some 70 bytes, and all may come in one frame. */
export const MAX_SLOTS = 500;

/**
 * The dialogue of https://massive.com/docs/websocket/quickstart (read 2026-11): `connected`, `auth`, `auth_success`, then subscriptions.
 *
 * Each slot is acknowledged by its name, but a refusal names none. So one subscription is under way at a time, of one
 * channel: once all others are acknowledged, what is left was refused. Where that cannot be told, because one error stands for
 * several slots, the rest is asked again in halves; where a request was given up before, each slot alone. An acknowledgement counts
 * whenever it comes, also of what was refused. What is subscribed is never asked again, because that is not answered.
 */
export class MassiveSession implements ProviderSession {
  readonly #config: MassiveSessionConfig;
  /** What is subscribed or on its way to it. */
  readonly #wanted = new Map<string, Series>();
  /** What was taken for refused, by its slot. */
  readonly #refused = new Map<string, Series>();
  readonly #doubts = new Doubts();
  #queue: SubscribeRequest[] = [];
  #current: SubscribeRequest | undefined;
  #optionQuotes = 0;
  #isReady = false;
  /** The version that the last bar was given. */
  #version = 0;

  constructor(config: MassiveSessionConfig) {
    this.#config = config;
  }

  /** The vendor speaks first. */
  opened(): SessionStep {
    return {};
  }

  subscribe(series: readonly Series[], now: number): SessionStep {
    const refused: Refusal[] = [];
    const byChannel = new Map<string, string[]>();
    for (const one of series) {
      const slot = this.#admit(one, refused);
      if (slot === undefined) continue;
      const channel = channelOf(slot);
      const slots = byChannel.get(channel);
      if (slots) slots.push(slot);
      else byChannel.set(channel, [slot]);
    }
    for (const slots of byChannel.values()) {
      for (let at = 0; at < slots.length; at += MAX_SLOTS) {
        this.#queue.push(new SubscribeRequest(slots.slice(at, at + MAX_SLOTS)));
      }
    }
    return { ...(this.#current === undefined && this.#next(now)), ...(refused.length > 0 && { refused }) };
  }

  unsubscribe(series: readonly Series[]): SessionStep {
    const unasked = new Set(this.#queue.flatMap(({ open }) => open));
    const removed: string[] = [];
    for (const one of series) {
      const slot = slotOf(this.#config.market, one);
      if (slot === undefined) continue;
      this.#refused.delete(slot);
      if (!this.#forget(slot)) continue;
      this.#doubts.drop(slot);
      this.#unqueue(slot);
      if (!unasked.has(slot)) removed.push(slot);
    }
    const send: Frame[] = [];
    for (let at = 0; at < removed.length; at += MAX_SLOTS) {
      send.push(messageTo('unsubscribe', removed.slice(at, at + MAX_SLOTS)));
    }
    return { send };
  }

  frame(frame: Frame, now: number): SessionStep {
    if (typeof frame !== 'string') return { fail: lost('a binary frame came, and the vendor sends text only') };
    let elements: unknown;
    try {
      elements = JSON.parse(frame);
    } catch (error) {
      return { fail: lost(`a frame is not JSON: ${messageOf(error)}`) };
    }
    if (!Array.isArray(elements)) return { fail: lost('a frame is not an array') };
    let statuses = 0;
    for (let at = 0; at < elements.length; at += 1) {
      const element = elements[at] as VersionedRaw | null;
      if (typeof element !== 'object' || element === null) continue;
      const ev = element.ev;
      if (ev === 'status') statuses += 1;
      else if (isBarEvent(ev)) element[VERSION] = this.#nextVersion(now);
    }
    return statuses === 0 ? { elements } : this.#withStatuses(elements, now);
  }

  timer(now: number): SessionStep {
    const request = this.#current;
    if (!request) return {};
    this.#current = undefined;
    const refused: Refusal[] = [];
    if (request.hasErrors) this.#settle(request, refused);
    else this.#doubts.gaveUp(request.open);
    // That nothing is confirmed is said as well: what waits in the queue could not be answered yet.
    const more = this.#queue.length > 0 || refused.length > 0;
    return { ...this.#next(now), ...(more && { confirmed: [] }), ...(refused.length > 0 && { refused }) };
  }

  #withStatuses(elements: readonly unknown[], now: number): SessionStep {
    const found = nothingFound();
    for (const element of elements) {
      if ((element as VersionedRaw | null)?.ev !== 'status') {
        found.elements.push(element);
        continue;
      }
      this.#status(element as VersionedRaw, found);
      if (found.fail) break;
    }
    if (found.fail) return stepOf(found);
    const request = this.#current;
    // In doubt, only an acknowledgement is an answer for certain.
    const isOver = request && (this.#doubts.isRaised ? request.open.length === 0 : request.isAnswered);
    if (request && !isOver) return { ...stepOf(found), wakeAt: request.wakeAt(now, this.#config.confirmAfterMs) };
    this.#current = undefined;
    if (request) this.#settle(request, found.refused);
    return { ...stepOf(found), ...((request || this.#queue.length > 0) && this.#next(now)) };
  }

  #status(element: VersionedRaw, found: Findings): void {
    const words = typeof element.message === 'string' ? element.message : '';
    switch (element.status) {
      case 'connected':
        if (!this.#isReady) found.send.push(JSON.stringify({ action: 'auth', params: this.#config.key }));
        break;
      case 'auth_success':
        this.#isReady = true;
        found.isReady = true;
        break;
      case 'auth_failed':
        found.fail = loginRefused(words);
        break;
      case 'auth_timeout':
        found.fail = lost(`the login did not reach the vendor in time: ${words}`, words);
        break;
      case 'max_connections':
        found.fail = tooManyConnections(words);
        break;
      case 'success':
        this.#acknowledged(words, found);
        break;
      case 'error':
        if (this.#current) this.#current.refuse(words);
        else this.#lateError(words, found);
        break;
      default:
        found.notices.push(
          `${typeof element.status === 'string' ? element.status : 'a status without a name'}: ${words}`,
        );
    }
  }

  #acknowledged(words: string, found: Findings): void {
    if (!words.startsWith(SUBSCRIBED)) return;
    const slot = normalSlot(this.#config.market, words.slice(SUBSCRIBED.length));
    this.#doubts.acknowledged(slot);
    // What is held and asked again is not answered.
    if (!this.#current?.acknowledge(slot)) this.#unqueue(slot);
    this.#reinstate(slot);
    const series = this.#wanted.get(slot);
    if (series) found.confirmed.push(series);
  }

  /** An error while nothing is asked: of a request that was given up, if there is one. */
  #lateError(words: string, found: Findings): void {
    const { suspect } = this.#doubts;
    if (suspect !== undefined) this.#refuse(suspect, words, found.refused);
    else if (this.#askAlone([]).length === 0) found.notices.push(`error: ${words}`);
  }

  /** The answers to a request are in, or overdue after an error: what is open was refused, or has to be asked again to know. */
  #settle(request: SubscribeRequest, refused: Refusal[]): void {
    const { open, words } = request;
    if (this.#doubts.isRaised) {
      const again = this.#askAlone(open);
      for (const slot of open) if (!again.includes(slot)) this.#refuse(slot, words, refused);
      return;
    }
    if (open.length > 1 && !request.isAnswered && request.hasAcknowledged) {
      const half = Math.ceil(open.length / 2);
      this.#queue.unshift(new SubscribeRequest(open.slice(0, half)), new SubscribeRequest(open.slice(half)));
      return;
    }
    for (const slot of open) this.#refuse(slot, words, refused);
  }

  /** Asks again, each alone, what is in doubt and what is open; returns what that is. */
  #askAlone(open: readonly string[]): readonly string[] {
    const slots = this.#doubts.settle(open).filter((slot) => this.#wanted.has(slot));
    this.#queue.unshift(...slots.map((slot) => new SubscribeRequest([slot])));
    return slots;
  }

  #refuse(slot: string, words: string, refused: Refusal[]): void {
    const series = this.#wanted.get(slot);
    if (!series) return;
    this.#forget(slot);
    this.#doubts.drop(slot);
    this.#refused.set(slot, series);
    refused.push({ series, error: subscriptionRefused(slot, words) });
  }

  /** Sends the next request, if one waits. */
  #next(now: number): SessionStep {
    const request = this.#queue.shift();
    this.#current = request;
    if (!request) return { wakeAt: Number.POSITIVE_INFINITY };
    return { send: [messageTo('subscribe', request.open)], wakeAt: request.wakeAt(now, this.#config.confirmAfterMs) };
  }

  /** The slot of a series that is to be asked; `undefined` if it is refused, or asked already. */
  #admit(one: Series, refused: Refusal[]): string | undefined {
    const { market } = this.#config;
    const slot = slotOf(market, one);
    const kinds = MARKETS[market].kinds.join(', ');
    const problem =
      slot === undefined ? `the market ${market} has ${kinds}, and bars of 1m and 1s` : symbolProblem(market, one);
    if (slot === undefined || problem !== undefined) {
      refused.push({ series: one, error: unknownSymbol(one, problem ?? '') });
      return undefined;
    }
    if (this.#wanted.has(slot)) return undefined;
    if (this.#isOptionQuote(one)) {
      if (this.#optionQuotes >= MAX_OPTION_QUOTES) {
        refused.push({ series: one, error: tooManyOptionQuotes() });
        return undefined;
      }
      this.#optionQuotes += 1;
    }
    this.#wanted.set(slot, one);
    this.#refused.delete(slot);
    return slot;
  }

  /** What was taken for refused is held after all. */
  #reinstate(slot: string): void {
    const series = this.#refused.get(slot);
    if (!series || !this.#refused.delete(slot)) return;
    if (this.#isOptionQuote(series)) this.#optionQuotes += 1;
    this.#wanted.set(slot, series);
  }

  #unqueue(slot: string): void {
    for (const request of this.#queue) request.drop(slot);
    this.#queue = this.#queue.filter(({ open }) => open.length > 0);
  }

  #forget(slot: string): boolean {
    const series = this.#wanted.get(slot);
    if (!series) return false;
    if (this.#isOptionQuote(series)) this.#optionQuotes -= 1;
    return this.#wanted.delete(slot);
  }

  #isOptionQuote({ of }: Series): boolean {
    return of === 'quote' && this.#config.market === 'options';
  }

  /** Rises with each bar, also within one frame and one millisecond. */
  #nextVersion(now: number): number {
    this.#version = Math.max(this.#version + 1, versionOf(now));
    return this.#version;
  }
}

const SUBSCRIBED = 'subscribed to: ';
