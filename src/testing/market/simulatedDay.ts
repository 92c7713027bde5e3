import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { type DaySettings, readDayConfig, type SessionSpan, type SimulatedDayConfig, type Span } from './dayConfig.js';
import type { SimulatedEvent } from './simulatedEvent.js';
import { type Due, SimulatedSymbol } from './simulatedSymbol.js';

/** A day of a market. Each iteration tells it anew, from its start. */
export interface SimulatedDay extends Iterable<SimulatedEvent> {
  readonly symbols: readonly string[];
  readonly crypto: readonly string[];
  /** From midnight to midnight in New York, or from `from` on, in Unix epoch milliseconds. Bars of its end are told after it. */
  readonly span: Span;
  /** Without a gap between them. */
  readonly sessions: readonly SessionSpan[];
  readonly halt: (Span & { readonly symbol: string }) | undefined;
  readonly burst: (Span & { readonly times: number }) | undefined;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** Nothing is told later than this after it happened. */
const MAX_DELAY_SECONDS = 32;

/**
 * A generated trading day: what a vendor would tell of it, in the order in which it would be told. It depends on the config
 * alone, on every machine. It is made while it is read, second by second, and holds the trades of about two minutes per symbol.
 *
 * - Equities trade in New York's sessions (pre 04:00, regular 09:30, post 16:00 to 20:00), crypto round the clock.
 * - Prices are cents that walk around a mean; trades are at the bid or the ask. A symbol's prices do not depend on which others
 *   there are.
 * - Bars of a minute are told 0.1 to 0.6 s after it, and again 30 s after it if a trade came late or was corrected since. The last
 *   version of a bar agrees with the last versions of its trades. A minute without trades has no bar.
 * - A correction has the key of the trade and a higher `seq`. Crypto has neither corrections nor late trades. For each symbol, the `seq` of its trades, of its quotes and of its
 *   bars count from 1 without a gap, in the order in which they are told.
 * - In the halt, the symbol has neither trades nor quotes. In the burst, every symbol has `times` as many as otherwise.
 *
 * Throws a `RangeError` that quotes an option that is wrong.
 *
 * @example
 * ```ts
 * import { simulatedDay } from 'sluice/testing';
 *
 * const day = simulatedDay({ seed: 7, symbols: ['AAPL'], crypto: [], from: '09:30' });
 * for (const event of day) {
 *   if (event.what === 'bar') console.log(event.record);
 *   if (event.at > day.span.from + 300_000) break;
 * }
 * ```
 */
export function simulatedDay(config: SimulatedDayConfig = {}): SimulatedDay {
  const settings = readDayConfig(config);
  return {
    symbols: settings.symbols,
    crypto: settings.crypto,
    span: settings.day,
    sessions: settings.sessions,
    halt: settings.halt,
    burst: settings.burst,
    [Symbol.iterator]: () => tell(settings),
  };
}

function* tell(settings: DaySettings): Generator<SimulatedEvent, undefined> {
  const { day, tradesPerMinute } = settings;
  const perSecond = tradesPerMinute / 60;
  const queue = new SecondsQueue();
  const symbols = symbolsOf(settings, queue);
  const end = Math.ceil(day.to / SECOND_MS) * SECOND_MS;
  for (let second = day.from; second < end + MAX_DELAY_SECONDS * SECOND_MS; second += SECOND_MS) {
    for (const status of statusesIn(settings, second)) queue.push(status);
    const isMinute = second % MINUTE_MS === 0 && second > day.from && second <= end;
    const times = burstAt(settings, second);
    const rate = rateAt(settings, second);
    for (const symbol of symbols) {
      if (isMinute) symbol.endMinute(second);
      const trades = perSecond * times * (symbol.isCrypto ? 1 : rate);
      if (second < end && trades > 0) symbol.draw(second, trades);
    }
    for (const due of queue.take(second)) {
      const event = due.tell();
      if (event) yield event;
    }
  }
  return undefined;
}

function symbolsOf(settings: DaySettings, queue: SecondsQueue): SimulatedSymbol[] {
  const seed = Xoshiro128.fromSeed(settings.seed).uint32();
  const push = (due: Due) => queue.push(due);
  return [...settings.symbols, ...settings.crypto].map((name, i) => {
    const isCrypto = i >= settings.symbols.length;
    const halt = settings.halt?.symbol === name ? settings.halt : undefined;
    // Exchanges of crypto number their trades and correct none.
    const faults = isCrypto ? { late: 0, corrected: 0 } : {};
    return new SimulatedSymbol({ ...settings, ...faults, name, isCrypto, halt }, seed, push);
  });
}

function rateAt({ sessions }: DaySettings, at: number): number {
  return sessions.find((one) => at >= one.from && at < one.to)?.rate ?? 0;
}

function burstAt({ burst }: DaySettings, at: number): number {
  return burst && at >= burst.from && at < burst.to ? burst.times : 1;
}

/** The status messages that are due in the second from `second` on. */
function statusesIn({ sessions, halt, day }: DaySettings, second: number): Due[] {
  const isIn = (at: number) => at >= second && at < second + SECOND_MS;
  const sessionAt = (at: number) => sessions.find((one) => at >= one.from && at < one.to)?.session ?? 'closed';
  const found: SimulatedEvent[] = [];
  for (const { session, from } of sessions) if (isIn(from)) found.push({ what: 'session', at: from, session });
  if (halt && halt.from >= day.from) {
    const { symbol, from, to } = halt;
    if (isIn(from)) found.push({ what: 'halt', at: from, session: sessionAt(from), symbol });
    if (isIn(to)) found.push({ what: 'resume', at: to, session: sessionAt(to), symbol });
  }
  return found.map((event) => ({ at: event.at, tell: () => event }));
}

/** What is due, by its second. */
class SecondsQueue {
  readonly #seconds: Due[][] = Array.from({ length: MAX_DELAY_SECONDS * 2 }, () => []);

  push(due: Due): void {
    this.#slot(due.at).push(due);
  }

  /** All of a second, in the order in which it is due. */
  take(second: number): readonly Due[] {
    const index = this.#index(second);
    const all = this.#seconds[index]!;
    this.#seconds[index] = [];
    return all.sort((one, other) => one.at - other.at);
  }

  #slot(at: number): Due[] {
    return this.#seconds[this.#index(at)]!;
  }

  #index(at: number): number {
    return Math.floor(at / SECOND_MS) % this.#seconds.length;
  }
}
