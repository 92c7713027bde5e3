import { ConnectionLost, type ProviderError, UnknownInstrument } from '../providerErrors.js';
import type { Frame, ProviderSession, Refusal, Series, SessionStep } from '../session.js';
import { type AlpacaFailure, failureOf, VENDOR } from './alpacaErrors.js';
import { type AlpacaChannel, type AlpacaFeed, channelsOf, seriesKey, seriesText } from './channels.js';
import { type AlpacaEncoding, type DecodedFrame, encodeFrame, frameDecoder } from './frames.js';

export interface AlpacaSessionConfig {
  readonly key: string;
  readonly secret: string;
  readonly feed: AlpacaFeed;
  readonly encoding: AlpacaEncoding;
}

/**
 * For the answer to a subscription. Shorter than the stream's `confirmAfterMs`, which takes what is not confirmed for unknown: a
 * vendor that does not answer at all is at fault itself.
 */
export const ANSWER_WITHIN_MS = 8_000;

/** Series per message: a subscription of thousands is several messages, each answered before the next is sent. */
const MAX_SERIES = 1_000;

type Awaited = 'greeting' | 'login' | 'nothing' | 'subscription';

interface Request {
  readonly action: 'subscribe' | 'unsubscribe';
  readonly series: readonly Series[];
}

/** What an element adds to the step of its frame. */
interface Findings {
  readonly elements: unknown[];
  readonly confirmed: Series[];
  readonly refused: Refusal[];
  readonly notices: string[];
  isReady: boolean;
  fail: ProviderError | undefined;
}

/**
 * The dialogue of https://docs.alpaca.markets/docs/streaming-market-data (read 2026-01): `connected`, `auth`, `authenticated`, then
 * subscriptions. One subscription is under way at a time, because its answer does not name it: either the whole current
 * set, or an error. A message with several series that is answered by an error is halved until the series at fault is
 * alone, so that the others are subscribed.
 */
export class AlpacaSession implements ProviderSession {
  readonly #config: AlpacaSessionConfig;
  readonly #decode: (frame: Frame) => DecodedFrame;
  /** What is subscribed or on its way to it. */
  readonly #wanted = new Map<string, Series>();
  /** The first is under way if `#awaited` is a subscription. */
  #requests: Request[] = [];
  #awaited: Awaited = 'greeting';

  constructor(config: AlpacaSessionConfig) {
    this.#config = config;
    this.#decode = frameDecoder(config.encoding);
  }

  /** Alpaca speaks first. */
  opened(): SessionStep {
    return {};
  }

  timer(): SessionStep {
    if (this.#awaited !== 'subscription') return {};
    return { fail: lost(`a subscription was not answered within ${ANSWER_WITHIN_MS / 1_000} s`) };
  }

  subscribe(series: readonly Series[], now: number): SessionStep {
    const refused: Refusal[] = [];
    const added = series.filter((one) => {
      if (channelsOf(one, this.#config.feed).length === 0) {
        refused.push({ series: one, error: this.#notStreamed(one) });
        return false;
      }
      const key = seriesKey(one);
      const isNew = !this.#wanted.has(key);
      if (isNew) this.#wanted.set(key, one);
      return isNew;
    });
    return { ...this.#ask('subscribe', added, now), ...(refused.length > 0 && { refused }) };
  }

  unsubscribe(series: readonly Series[], now: number): SessionStep {
    const removed = series.filter((one) => this.#wanted.delete(seriesKey(one)));
    return this.#ask('unsubscribe', removed, now);
  }

  frame(frame: Frame, now: number): SessionStep {
    const elements = this.#decode(frame);
    if (typeof elements === 'string') return { fail: lost(elements) };
    const found: Findings = {
      elements: [],
      confirmed: [],
      refused: [],
      notices: [],
      isReady: false,
      fail: undefined,
    };
    const requestBefore = this.#requests[0];
    const send: Frame[] = [];
    for (const element of elements) {
      if (!isObject(element)) found.elements.push(element);
      else if (element.T === 'success') this.#success(element, found, send);
      else if (element.T === 'subscription') this.#subscription(element, found);
      else if (element.T === 'error') this.#error(element, found);
      else found.elements.push(element);
      if (found.fail) break;
    }
    if (found.fail === undefined) send.push(...this.#next());
    const hasMoved = this.#requests[0] !== requestBefore;
    return {
      ...(found.elements.length > 0 && { elements: found.elements }),
      ...(send.length > 0 && { send }),
      ...(found.isReady && { isReady: true }),
      ...(found.confirmed.length > 0 && { confirmed: found.confirmed }),
      ...(found.refused.length > 0 && { refused: found.refused }),
      ...(found.notices.length > 0 && { notices: found.notices }),
      ...(found.fail && { fail: found.fail }),
      ...(hasMoved && { wakeAt: this.#awaited === 'nothing' ? Number.POSITIVE_INFINITY : now + ANSWER_WITHIN_MS }),
    };
  }

  #success({ msg }: Element, found: Findings, send: Frame[]): void {
    const { key, secret, encoding } = this.#config;
    if (msg === 'connected' && this.#awaited === 'greeting') {
      this.#awaited = 'login';
      send.push(encodeFrame({ action: 'auth', key, secret }, encoding));
    } else if (msg === 'authenticated' && (this.#awaited === 'login' || this.#awaited === 'greeting')) {
      this.#awaited = 'nothing';
      found.isReady = true;
    }
  }

  /** The answer to the request under way: all that is subscribed now. */
  #subscription(element: Element, found: Findings): void {
    if (this.#awaited !== 'subscription') return;
    const { action, series } = this.#requests.shift()!;
    this.#awaited = 'nothing';
    if (action === 'unsubscribe') return;
    const current = new Map<AlpacaChannel, ReadonlySet<unknown>>();
    for (const one of series) {
      const channel = channelsOf(one, this.#config.feed)[0]!;
      const symbols = current.get(channel) ?? new Set(Array.isArray(element[channel]) ? element[channel] : []);
      current.set(channel, symbols);
      // Unsubscribed since.
      if (!this.#wanted.has(seriesKey(one))) continue;
      if (symbols.has(one.symbol) || symbols.has('*')) found.confirmed.push(one);
      // The stream takes what is not confirmed in time for unknown.
      else this.#wanted.delete(seriesKey(one));
    }
  }

  #error(element: Element, found: Findings): void {
    const failure = failureOf(element);
    const { meaning, text } = failure;
    const isAsked = this.#awaited === 'subscription';
    // Before the login there is nothing that could be refused.
    if (meaning === 'refuse' && !isAsked) {
      if (this.#awaited === 'nothing') found.notices.push(text);
      else found.fail = lost(text, element);
    } else if (meaning === 'refuse' || (meaning === 'end' && isAsked)) {
      this.#refuseRequest(failure, found);
    } else if (meaning !== 'ignore') {
      if (meaning === 'reconnect') found.notices.push(text);
      found.fail = failure.error();
    }
  }

  /** One series of the request under way is at fault, or several. */
  #refuseRequest(failure: AlpacaFailure, found: Findings): void {
    const { action, series } = this.#requests.shift()!;
    this.#awaited = 'nothing';
    if (series.length > 1) {
      const half = Math.ceil(series.length / 2);
      this.#requests.unshift({ action, series: series.slice(0, half) }, { action, series: series.slice(half) });
      return;
    }
    const [only] = series;
    if (action === 'unsubscribe' || only === undefined) {
      found.notices.push(failure.text);
      return;
    }
    this.#refuse(only, failure, found);
    if (failure.code === SYMBOL_LIMIT) this.#refuseChannel(channelsOf(only, this.#config.feed)[0]!, failure, found);
  }

  /** The plan's limit is reached: whatever else waits for this channel would be over it too. */
  #refuseChannel(channel: AlpacaChannel, failure: AlpacaFailure, found: Findings): void {
    const isOver = (one: Series) => channelsOf(one, this.#config.feed)[0] === channel;
    this.#requests = this.#requests.flatMap((request) => {
      if (request.action === 'unsubscribe') return [request];
      for (const one of request.series) if (isOver(one)) this.#refuse(one, failure, found);
      const series = request.series.filter((one) => !isOver(one));
      return series.length > 0 ? [{ ...request, series }] : [];
    });
  }

  #refuse(series: Series, { error }: AlpacaFailure, found: Findings): void {
    if (this.#wanted.delete(seriesKey(series))) found.refused.push({ series, error: error(seriesText(series)) });
  }

  #notStreamed(series: Series): ProviderError {
    const { feed } = this.#config;
    const bars = feed === 'test' ? '1m' : '1m and 1d';
    return new UnknownInstrument(
      VENDOR,
      `the feed ${feed} streams trades, quotes and bars of ${bars}, not ${seriesText(series)}`,
    );
  }

  #ask(action: Request['action'], series: readonly Series[], now: number): SessionStep {
    for (let i = 0; i < series.length; i += MAX_SERIES) {
      this.#requests.push({ action, series: series.slice(i, i + MAX_SERIES) });
    }
    const send = this.#next();
    return send.length > 0 ? { send, wakeAt: now + ANSWER_WITHIN_MS } : {};
  }

  /** The next request, unless one is under way. */
  #next(): readonly Frame[] {
    const request = this.#requests[0];
    if (this.#awaited !== 'nothing' || !request) return [];
    this.#awaited = 'subscription';
    const channels: Partial<Record<AlpacaChannel, string[]>> = {};
    for (const one of request.series) {
      for (const channel of channelsOf(one, this.#config.feed)) {
        channels[channel] = channels[channel] ?? [];
        channels[channel].push(one.symbol);
      }
    }
    return [encodeFrame({ action: request.action, ...channels }, this.#config.encoding)];
  }
}

type Element = Readonly<Record<string, unknown>>;

/** The code of an error for a plan that allows no more symbols. */
const SYMBOL_LIMIT = 405;

function isObject(value: unknown): value is Element {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lost(message: string, cause?: unknown): ConnectionLost {
  return new ConnectionLost(VENDOR, message, cause === undefined ? {} : { cause });
}
