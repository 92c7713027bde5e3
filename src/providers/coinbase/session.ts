import { wholeNumber } from '../decode/decimal.js';
import { rfc3339Ms } from '../decode/rfc3339.js';
import { ConnectionLost, PacingViolation, ProviderSilent } from '../providerErrors.js';
import type { Frame, Hole, ProviderSession, Series, SessionStep } from '../session.js';
import { CandleTracker } from './candleTracker.js';
import { type DataChannel, LIST_OF } from './channels.js';
import { type CoinbaseElement, startMs } from './normalise.js';
import { Subscriptions } from './subscriptions.js';

/** Heartbeats come once a second. */
const SILENT_AFTER_MS = 10_000;

/** A wake-up that is later than this says that the process was busy, and that frames are still to be read. */
const BUSY_MS = 1_000;

type Raw = Readonly<Record<string, unknown>>;

/**
 * The dialogue of one connection to the public market data endpoint. `heartbeats` is subscribed as soon as it is open: it keeps
 * channels open that have no updates, and shows within seconds that the connection is dead.
 *
 * `sequence_num` counts all messages of a connection, whatever their channel. A jump means that messages were lost, and not of which
 * product: it is a hole in every series.
 */
export function coinbaseSession(): ProviderSession {
  return new CoinbaseSession();
}

class CoinbaseSession implements ProviderSession {
  readonly #subscriptions = new Subscriptions();
  readonly #candles = new CandleTracker();
  #sequence = Number.NaN;
  #lastTimestamp: unknown;
  #lastFrameAt = 0;
  #wakeAt = 0;

  opened(now: number): SessionStep {
    this.#lastFrameAt = now;
    this.#wakeAt = now + SILENT_AFTER_MS;
    const send = [JSON.stringify({ type: 'subscribe', channel: 'heartbeats' })];
    return { isReady: true, send, wakeAt: this.#wakeAt };
  }

  subscribe(series: readonly Series[]): SessionStep {
    return this.#subscriptions.add(series);
  }

  unsubscribe(series: readonly Series[]): SessionStep {
    for (const { of, symbol } of series) if (of === 'bar') this.#candles.forget(symbol);
    return this.#subscriptions.remove(series);
  }

  timer(now: number): SessionStep {
    const isBusy = now - this.#wakeAt > BUSY_MS;
    const silentAt = this.#lastFrameAt + SILENT_AFTER_MS;
    if (!isBusy && now >= silentAt) {
      const text = `no message for ${now - this.#lastFrameAt} ms, though heartbeats come every second`;
      return { fail: new ProviderSilent('coinbase', text) };
    }
    this.#wakeAt = isBusy ? now + SILENT_AFTER_MS : silentAt;
    return { wakeAt: this.#wakeAt };
  }

  frame(frame: Frame, now: number): SessionStep {
    this.#lastFrameAt = now;
    if (typeof frame !== 'string') return nonsense('a binary frame', undefined);
    let message: unknown;
    try {
      message = JSON.parse(frame);
    } catch (error) {
      return nonsense('a frame that is not JSON', error);
    }
    if (typeof message !== 'object' || message === null) return nonsense('a frame that is no object', message);
    const raw = message as Raw;
    if (raw.type === 'error') return this.#error(raw);
    if (typeof raw.channel !== 'string') return nonsense('a message without a channel', raw);
    const holes = this.#holes(raw, now);
    const step = this.#message(raw, raw.channel);
    return holes ? { ...step, holes } : step;
  }

  #error({ message }: Raw): SessionStep {
    const words = typeof message === 'string' ? message : 'an error without a message';
    if (/rate limit|too many/i.test(words)) return { fail: new PacingViolation('coinbase', words, { cause: words }) };
    return this.#subscriptions.error(words);
  }

  #message(raw: Raw, channel: string): SessionStep {
    if (channel === 'heartbeats') return {};
    const { timestamp, events } = raw;
    if (channel === 'subscriptions') return this.#subscriptions.answer(events);
    if (channel !== 'candles' && channel !== 'market_trades' && channel !== 'ticker') {
      return { elements: [{ channel, timestamp, id: '', isFinal: false, raw }] };
    }
    const elements: CoinbaseElement[] = [];
    if (!Array.isArray(events)) elements.push({ channel, timestamp, id: '', isFinal: false, raw: events });
    else for (const event of events) this.#event(channel, event, raw, elements);
    return { elements };
  }

  #event(channel: DataChannel, event: unknown, envelope: Raw, elements: CoinbaseElement[]): void {
    const { timestamp } = envelope;
    const list = typeof event === 'object' && event !== null ? (event as Raw)[LIST_OF[channel]] : undefined;
    if (!Array.isArray(list)) {
      elements.push({ channel, timestamp, id: '', isFinal: false, raw: event });
    } else if (channel === 'candles') {
      for (const one of list) this.#note(channel, one, (one as Raw | null)?.start);
      this.#candles.read(list, (raw, isFinal) => elements.push({ channel, timestamp, id: '', isFinal, raw }));
    } else if (channel === 'ticker') {
      for (const raw of list) {
        this.#note(channel, raw, timestamp);
        elements.push({ channel, timestamp, id: tickerId(envelope, elements.length), isFinal: false, raw });
      }
    } else {
      // A snapshot has the newest trade first.
      const isReversed = isNewestFirst(list);
      for (let i = 0; i < list.length; i += 1) {
        const raw: unknown = list[isReversed ? list.length - 1 - i : i];
        this.#note(channel, raw, (raw as Raw | null)?.time);
        elements.push({ channel, timestamp, id: '', isFinal: false, raw });
      }
    }
  }

  /** Remembers when the last record of a series was made. */
  #note(channel: DataChannel, one: unknown, at: unknown): void {
    const product = (one as Raw | null)?.product_id;
    const subscribed = this.#subscriptions.get(channel, product as string);
    if (subscribed) subscribed.last = at;
  }

  /** What the messages that were lost before this one may have carried. */
  #holes({ sequence_num, timestamp }: Raw, now: number): readonly Hole[] | undefined {
    const previous = this.#sequence;
    const before = this.#lastTimestamp;
    this.#lastTimestamp = timestamp;
    // One that was there before leaves the count where it is.
    if (typeof sequence_num !== 'number' || !Number.isSafeInteger(sequence_num) || sequence_num <= previous)
      return undefined;
    this.#sequence = sequence_num;
    if (Number.isNaN(previous) || sequence_num === previous + 1) return undefined;
    const to = timeOr(rfc3339Ms(timestamp), now);
    const holes: Hole[] = [];
    for (const { series, last, isConfirmed } of this.#subscriptions) {
      if (!isConfirmed && last === undefined) continue;
      const lastMs = series.of === 'bar' ? startMs(last) : rfc3339Ms(last);
      holes.push({ series, from: Math.min(timeOr(lastMs, timeOr(rfc3339Ms(before), now)), to), to });
    }
    return holes;
  }
}

/** The vendor numbers messages, and not the tickers in them. Empty if this one has no number. */
function tickerId({ sequence_num }: Raw, place: number): string {
  if (!Number.isSafeInteger(sequence_num)) return '';
  return place === 0 ? String(sequence_num) : `${String(sequence_num)}.${place}`;
}

function isNewestFirst(trades: readonly unknown[]): boolean {
  const first = (trades[0] as Raw | null | undefined)?.trade_id;
  const last = (trades.at(-1) as Raw | null | undefined)?.trade_id;
  return wholeNumber(first) > wholeNumber(last);
}

function timeOr(ms: number, fallback: number): number {
  return Number.isNaN(ms) ? fallback : ms;
}

function nonsense(what: string, cause: unknown): SessionStep {
  return { fail: new ConnectionLost('coinbase', `the server sent ${what}`, { cause }) };
}
