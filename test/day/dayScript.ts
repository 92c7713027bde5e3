import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';

/** Monday, 5 January 2026, midnight in New York. */
export const MIDNIGHT = Date.UTC(2026, 0, 5, 5);
const MINUTE_MS = 60_000;

/** A time of the day in New York. */
export const at = (hour: number, minute = 0, second = 0): number =>
  MIDNIGHT + ((hour * 60 + minute) * 60 + second) * 1_000;

/** A stretch of the day in which the market trades. */
export interface Session {
  readonly from: number;
  readonly to: number;
}

export type VenueName = 'ibkr' | 'massive';

/** Something that goes wrong. */
export interface DayFault {
  readonly at: number;
  readonly what: /** Connections stay and carry nothing; new ones neither, until `unmute`. */
    | 'mute'
    | 'unmute'
    /** Connections are reset. */
    | 'reset'
    /** They are reset again right after the next logins. */
    | 'kick'
    /** New ones are refused, until `restore`. */
    | 'refuse'
    | 'restore'
    /** The next requests for history are answered with a pacing violation. */
    | 'pacing'
    /** The process is killed while it writes, and started again at `start`. */
    | 'kill'
    | 'start'
    /** TWS loses the servers of IBKR, and has them again. */
    | 'lose'
    | 'regain';
  readonly venue: VenueName;
  /** How often, how many; of `kill`: after how many statements. */
  readonly count?: number;
}

export interface DayScript {
  readonly seed: number;
  readonly symbols: readonly string[];
  readonly sessions: readonly Session[];
  readonly tradesPerMinute: number;
  /** What happens within so many milliseconds is told at once. */
  readonly tellEveryMs: number;
  /** What IBKR sends arrives in pieces of so many bytes. */
  readonly splitEvery: number;
  readonly faults: readonly DayFault[];
  readonly end: number;
}

const SYMBOLS = ['AAPL', 'MSFT', 'NVDA', 'TpC'] as const;

/** The day of a seed: always the same. */
export function dayScript(seed: number): DayScript {
  const random = Xoshiro128.fromSeed(seed);
  const between = (low: number, high: number) => low + random.below(high - low + 1);
  const seconds = (low: number, high: number) => between(low * 1_000, high * 1_000);
  const pick = <T>(all: readonly T[]): T => all[random.below(all.length)]!;
  /** Around a full hour, to the millisecond. */
  const near = (hour: number) => at(hour) + seconds(-90, 90);

  const halfOpen = near(12);
  const kicked = near(14);
  const paced = near(15);
  const killed = near(16);
  const reset = at(23, 45) + seconds(0, 60);
  const kickedVenue = pick(['ibkr', 'ibkr', 'massive'] as const);
  const faults: DayFault[] = [
    { at: halfOpen, what: 'mute', venue: 'ibkr' },
    { at: halfOpen + seconds(5, 400), what: 'unmute', venue: 'ibkr' },
    { at: kicked, what: 'reset', venue: kickedVenue },
    { at: kicked, what: 'kick', venue: kickedVenue, count: between(1, 3) },
    { at: paced, what: 'pacing', venue: 'ibkr', count: between(1, 3) },
    { at: paced, what: 'reset', venue: 'ibkr' },
    { at: killed, what: 'kill', venue: 'ibkr', count: between(1, 6) },
    { at: killed + seconds(1, 200), what: 'start', venue: 'ibkr' },
  ];
  if (random.below(2) === 0) {
    faults.push({ at: reset, what: 'refuse', venue: 'ibkr' });
    faults.push({ at: reset, what: 'reset', venue: 'ibkr' });
    faults.push({ at: reset + seconds(60, 300), what: 'restore', venue: 'ibkr' });
  } else {
    faults.push({ at: reset, what: 'lose', venue: 'ibkr' });
    faults.push({ at: reset + seconds(60, 300), what: 'regain', venue: 'ibkr', count: random.below(2) });
  }
  // Both at once, now and then: nobody delivers, and what is missing is missing of both.
  if (random.below(3) === 0) {
    const both = halfOpen + seconds(30, 200);
    faults.push({ at: both, what: 'refuse', venue: 'massive' });
    faults.push({ at: both, what: 'reset', venue: 'massive' });
    faults.push({ at: both + seconds(20, 90), what: 'restore', venue: 'massive' });
  }
  return {
    seed,
    symbols: SYMBOLS.slice(0, between(2, SYMBOLS.length)),
    sessions: [
      session(at(9, 30), 6),
      session(at(11, 56), 16),
      session(at(13, 56), 12),
      session(at(14, 56), 14),
      session(at(15, 55), 5),
      // After hours, with a tenth of the trades.
      session(at(16), 12),
    ],
    tradesPerMinute: between(4, 10),
    tellEveryMs: pick([500, 1_000, 2_500]),
    splitEvery: pick([7, 64, 100_000, 100_000]),
    faults: faults.sort((one, other) => one.at - other.at),
    end: at(24, 5),
  };
}

function session(from: number, minutes: number): Session {
  return { from, to: from + minutes * MINUTE_MS };
}

/** `14:00:12.345 reset ibkr`. */
export function describeFault({ at: when, what, venue, count }: DayFault): string {
  return `${clockOf(when)} ${what} ${venue}${count === undefined ? '' : ` ${count}`}`;
}

/** A time of the day in New York, as `14:00:12.345`. */
export function clockOf(when: number): string {
  return new Date(when - MIDNIGHT).toISOString().slice(11, 23);
}
