import type { Quote } from '../../market/quote.js';
import type { Trade } from '../../market/trade.js';
import { hashKey } from '../../primitives/hashKey.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { barOf, MinuteBook } from './minuteBook.js';
import type { SimulatedBar, SimulatedEvent, SimulatedQuote, SimulatedTrade } from './simulatedEvent.js';

const MINUTE_MS = 60_000;
const SECOND_MICROS = 1_000_000;
const CENTS = 100;
/** Amounts of crypto are multiples of a ten-thousandth. */
const LOTS = 10_000;
const VENUES = ['Q', 'P', 'Z', 'V', 'D'] as const;

/** A bar is told this long after the end of its minute, and its revision, if there is any, this long. */
const BAR_AFTER_MS = 100;
const REVISION_AFTER_MS = 30_000;
const BAR_WITHIN_MS = 500;
const LATE_AFTER_MS = 2_000;
const LATE_WITHIN_MS = 18_000;
const CORRECTED_AFTER_MS = 1_000;
const CORRECTED_WITHIN_MS = 19_000;
const LATENCY_MICROS = 40_000;

/** Something that is told at a time which is known already. What it says is known when it is told, if it says anything. */
export interface Due {
  readonly at: number;
  tell(): SimulatedEvent | undefined;
}

export interface SymbolSettings {
  readonly name: string;
  readonly vendor: string;
  readonly isCrypto: boolean;
  readonly quotesPerTrade: number;
  readonly late: number;
  readonly corrected: number;
  /** Trading stops from `from` on, before `to`. */
  readonly halt: { readonly from: number; readonly to: number } | undefined;
}

/** One symbol of a day: its prices, and the minutes whose bars may still change. */
export class SimulatedSymbol {
  readonly isCrypto: boolean;
  readonly #settings: SymbolSettings;
  readonly #random: Xoshiro128;
  readonly #push: (due: Due) => void;
  /** In cents. */
  readonly #anchor: number;
  #bid: number;
  #ask: number;
  #trades = 0;
  #tradeSeq = 0;
  #quoteSeq = 0;
  #barSeq = 0;
  /** Oldest first. */
  #minutes: MinuteBook[] = [];

  constructor(settings: SymbolSettings, seed: number, push: (due: Due) => void) {
    const { name, isCrypto } = settings;
    this.#settings = settings;
    this.isCrypto = isCrypto;
    this.#push = push;
    // Of its own, so that its day does not depend on the other symbols.
    this.#random = Xoshiro128.fromSeed(seed + hashKey(name) * 0x10_0000);
    this.#anchor = CENTS * (isCrypto ? 1_000 + this.#random.below(99_000) : 10 + this.#random.below(490));
    this.#bid = this.#anchor;
    this.#ask = this.#anchor + 1;
  }

  /** Draws what happens in the second from `second` on, at `perSecond` trades. */
  draw(second: number, perSecond: number): void {
    const random = this.#random;
    // From half the rate to one and a half.
    const trades = this.#whole(perSecond * (0.5 + random.unit()));
    const quotes = this.#whole(trades * this.#settings.quotesPerTrade);
    const all = trades + quotes;
    const { halt } = this.#settings;
    for (let i = 0; i < all; i++) {
      const micros = second * 1_000 + Math.floor(((i + random.unit()) * SECOND_MICROS) / all);
      const isTrade = Math.floor(((i + 1) * trades) / all) > Math.floor((i * trades) / all);
      const ts = micros / 1_000;
      if (halt && ts >= halt.from && ts < halt.to) continue;
      if (isTrade) this.#drawTrade(micros);
      else this.#drawQuote(micros);
    }
  }

  /** Plans the events about the minute that ended at `end`: its bar, and later the revision. */
  endMinute(end: number): void {
    for (const after of [BAR_AFTER_MS, REVISION_AFTER_MS]) {
      const at = end + after + this.#random.below(BAR_WITHIN_MS);
      this.#push({ at, tell: () => this.#tellBar(end - MINUTE_MS, at, after === REVISION_AFTER_MS) });
    }
  }

  #whole(expected: number): number {
    const floor = Math.floor(expected);
    return floor + (this.#random.unit() < expected - floor ? 1 : 0);
  }

  #drawQuote(micros: number): void {
    const random = this.#random;
    const anchor = this.#anchor;
    const step = Math.max(1, anchor >> 13);
    const mid = this.#bid + step * (random.below(3) - 1);
    // Drawn back to where it began, so that no price runs away.
    const bid = Math.max(1, mid > anchor * 1.1 ? mid - step : mid < anchor * 0.9 ? mid + step : mid);
    const ask = bid + 1 + random.below(3);
    this.#bid = bid;
    this.#ask = ask;
    const sizes = [this.#size(true), this.#size(true)] as const;
    const venues = [random.below(VENUES.length), random.below(VENUES.length)] as const;
    const at = this.#toldAt(micros);
    this.#push({ at, tell: () => this.#tellQuote(at, micros / 1_000, bid, ask, sizes, venues) });
  }

  #drawTrade(micros: number): void {
    const random = this.#random;
    const side = random.below(2) === 0 ? 'buy' : 'sell';
    const price = side === 'buy' ? this.#ask : this.#bid;
    const size = this.#size(false);
    const venue = random.below(VENUES.length);
    const isLate = random.unit() < this.#settings.late;
    const isCorrected = random.unit() < this.#settings.corrected;
    const at = this.#toldAt(micros) + (isLate ? LATE_AFTER_MS + random.below(LATE_WITHIN_MS) : 0);
    this.#push({
      at,
      tell: () => this.#tellTrade(at, micros / 1_000, price, size, side, venue, isCorrected && !isLate),
    });
  }

  /** After the microsecond in which it happened. */
  #toldAt(micros: number): number {
    return (micros + 1_000 + this.#random.below(LATENCY_MICROS)) / 1_000;
  }

  #size(isQuoted: boolean): number {
    const random = this.#random;
    if (this.#settings.isCrypto) return (1 + random.below(5 * LOTS)) / LOTS;
    const isOdd = !isQuoted && random.below(3) === 0;
    return isOdd ? 1 + random.below(99) : 100 * (1 + random.below(20));
  }

  #tellQuote(
    at: number,
    ts: number,
    bid: number,
    ask: number,
    [bidSize, askSize]: readonly [number, number],
    [bidVenue, askVenue]: readonly [number, number],
  ): SimulatedQuote {
    const { name, vendor, isCrypto } = this.#settings;
    this.#quoteSeq += 1;
    const record: Quote = {
      kind: 'quote',
      vendor,
      symbol: name,
      ts,
      bid: bid / CENTS,
      bidSize,
      ask: ask / CENTS,
      askSize,
      id: String(this.#quoteSeq),
      ...(isCrypto ? {} : { bidVenue: VENUES[bidVenue]!, askVenue: VENUES[askVenue]! }),
      seq: this.#quoteSeq,
    };
    return { what: 'quote', at, record };
  }

  #tellTrade(
    at: number,
    ts: number,
    price: number,
    size: number,
    side: 'buy' | 'sell',
    venue: number,
    isCorrected: boolean,
  ): SimulatedTrade {
    const { name, vendor, isCrypto } = this.#settings;
    this.#trades += 1;
    const record: Trade = {
      kind: 'trade',
      vendor,
      symbol: name,
      ts,
      price: price / CENTS,
      size,
      id: String(this.#trades),
      ...(isCrypto ? { side } : { venue: VENUES[venue]!, conditions: size < 100 ? ['@', 'I'] : ['@'] }),
      seq: this.#nextTradeSeq(),
    };
    this.#minuteOf(ts).add(record);
    if (isCorrected) this.#correctLater(record, at);
    return { what: 'trade', at, record };
  }

  #correctLater(original: Trade, toldAt: number): void {
    const random = this.#random;
    const at = toldAt + CORRECTED_AFTER_MS + random.below(CORRECTED_WITHIN_MS);
    const cents = Math.max(
      1,
      Math.round(original.price * CENTS) + (random.below(2) === 0 ? -1 : 1) * (1 + random.below(50)),
    );
    this.#push({
      at,
      tell: (): SimulatedTrade => {
        const record: Trade = { ...original, price: cents / CENTS, seq: this.#nextTradeSeq() };
        this.#minuteOf(original.ts).correct(record);
        return { what: 'trade', at, record, corrects: original };
      },
    });
  }

  #nextTradeSeq(): number {
    this.#tradeSeq += 1;
    return this.#tradeSeq;
  }

  #minuteOf(ts: number): MinuteBook {
    const start = Math.floor(ts / MINUTE_MS) * MINUTE_MS;
    const known = this.#minutes.find((minute) => minute.start === start);
    if (known) return known;
    const minute = new MinuteBook(start);
    this.#minutes.push(minute);
    return minute;
  }

  #tellBar(start: number, at: number, isLast: boolean): SimulatedBar | undefined {
    const minute = this.#minutes.find((one) => one.start === start);
    if (isLast) this.#minutes = this.#minutes.filter((one) => one.start > start);
    if (!minute?.hasNews) return undefined;
    const isRevision = minute.isTold;
    minute.told();
    this.#barSeq += 1;
    const { name, vendor } = this.#settings;
    return { what: 'bar', at, record: { ...barOf(minute, vendor, name), seq: this.#barSeq }, isRevision };
  }
}
