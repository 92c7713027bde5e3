import type { Bar } from '../../market/bar.js';
import type { Quote } from '../../market/quote.js';
import type { Trade } from '../../market/trade.js';

/** What happens on a simulated day, in the order in which a vendor tells it. */
export type SimulatedEvent = SimulatedTrade | SimulatedQuote | SimulatedBar | SimulatedStatus;

interface TimedEvent {
  /** When the vendor sends it, in Unix epoch milliseconds; the fraction carries microseconds. Never before the record's `ts`. */
  readonly at: number;
}

/** A trade of a simulated day, or a correction of one. */
export interface SimulatedTrade extends TimedEvent {
  readonly what: 'trade';
  /**
   * `id` counts the trades of the symbol from 1, in the order in which they appear. `seq` counts the events about them, corrections
   * included, from 1.
   */
  readonly record: Trade;
  /** The version that the record corrects: it has the same key, and another price or size. Absent for a new trade. */
  readonly corrects?: Trade;
}

/** A quote of a simulated day. */
export interface SimulatedQuote extends TimedEvent {
  readonly what: 'quote';
  /** `seq` counts the quotes of the symbol from 1, and `id` is the same as text. */
  readonly record: Quote;
}

/** A bar of a simulated day. */
export interface SimulatedBar extends TimedEvent {
  readonly what: 'bar';
  /** A bar of one minute. `seq` counts the events about the symbol's bars from 1, revisions included. */
  readonly record: Bar;
  /** Whether a bar of this minute was told before: trades were late or corrected. */
  readonly isRevision: boolean;
}

/** A session that begins, a halt of a symbol, or its end. */
export interface SimulatedStatus extends TimedEvent {
  readonly what: 'session' | 'halt' | 'resume';
  /** The session that begins; `closed` after the last. Of a halt and its end: the session in which they are. */
  readonly session: SimulatedSession;
  /** The symbol that is halted or resumes. */
  readonly symbol?: string;
}

/** Of equities. Crypto trades in all of them. */
export type SimulatedSession = 'closed' | 'pre' | 'regular' | 'post';
