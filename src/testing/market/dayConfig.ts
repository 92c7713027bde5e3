import { symbol as symbolField } from '../../market/fields.js';
import { marketSessions } from '../../policies/marketCalendar.js';
import { DAY_MS, epochDay } from '../../primitives/calendarDate.js';
import {
  integer,
  listOf,
  nested,
  number,
  type OptionsOf,
  readOptions,
  reject,
  text,
} from '../../primitives/options.js';
import type { SimulatedSession } from './simulatedEvent.js';

/** A time of the day in New York, as `HH:MM` or `HH:MM:SS`. */
export type TimeOfDay = string;

/** A halt of one symbol in a simulated day. */
export interface SimulatedHalt {
  /** Default: the last of them. */
  readonly symbol?: string;
  /** When trading stops. Default `11:00`. */
  readonly at?: TimeOfDay;
  /** How long, in milliseconds. Integer of at least 1, default five minutes. */
  readonly forMs?: number;
}

/** A span of a simulated day in which much more happens. */
export interface SimulatedBurst {
  /** When it begins. Default `10:00`. */
  readonly at?: TimeOfDay;
  /** How long, in milliseconds, rounded up to whole seconds. Integer of at least 1, default 10 s. */
  readonly forMs?: number;
  /** How much more happens than otherwise: integer from 1 to 1,000, default 20. */
  readonly times?: number;
}

export interface SimulatedDayConfig {
  /** Each day of the same config is the same, on every machine. A safe integer, default 1. */
  readonly seed?: number;
  /** The names of equities, which trade from 04:00 to 20:00, on weekdays. Default `AAPL`, `MSFT` and `NVDA`. */
  readonly symbols?: readonly string[];
  /** The names of what trades round the clock, on every day. Default `BTC-USD`. */
  readonly crypto?: readonly string[];
  /** The day in New York, as `YYYY-MM-DD`. Holidays are days like others. Default `2026-01-05`, a Monday. */
  readonly date?: string;
  /** Where the day is entered. Default `00:00`. Entered later, it is another day: nothing before has happened. */
  readonly from?: TimeOfDay;
  /** The trades per minute and symbol in the regular session. A number above 0, at most 1,000,000; default 60. */
  readonly tradesPerMinute?: number;
  /** The quotes per trade. A number from 0 to 1,000, default 3. */
  readonly quotesPerTrade?: number;
  /** The share of trades of equities that are told 2 to 20 s late. From 0 to 1, default 0.002. */
  readonly late?: number;
  /** The share of trades of equities that are corrected 1 to 20 s later. From 0 to 1, default 0.001. */
  readonly corrected?: number;
  /** A halt of one symbol; false for none. */
  readonly halt?: SimulatedHalt | false;
  /** A burst in all symbols; false for none. */
  readonly burst?: SimulatedBurst | false;
  /** The vendor that the records name. Default `sim`. */
  readonly vendor?: string;
}

const HALT = {
  symbol: text(),
  at: text().default('11:00'),
  forMs: integer({ min: 1, max: DAY_MS }).default(300_000),
} satisfies OptionsOf<SimulatedHalt>;

const BURST = {
  at: text().default('10:00'),
  forMs: integer({ min: 1, max: DAY_MS }).default(10_000),
  times: integer({ min: 1, max: 1_000 }).default(20),
} satisfies OptionsOf<SimulatedBurst>;

const OPTIONS = {
  seed: integer().default(1),
  symbols: listOf(text()).default(['AAPL', 'MSFT', 'NVDA']),
  crypto: listOf(text()).default(['BTC-USD']),
  date: text().default('2026-01-05'),
  from: text().default('00:00'),
  tradesPerMinute: number({ above: 0, max: 1_000_000 }).default(60),
  quotesPerTrade: number({ min: 0, max: 1_000 }).default(3),
  late: number({ min: 0, max: 1 }).default(0.002),
  corrected: number({ min: 0, max: 1 }).default(0.001),
  halt: nested(HALT).or(false).default({}),
  burst: nested(BURST).or(false).default({}),
  vendor: text().default('sim'),
} satisfies OptionsOf<SimulatedDayConfig>;

/** A span of time, in Unix epoch milliseconds: from `from` on, before `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A session of a simulated day, with its rate. */
export interface SessionSpan extends Span {
  readonly session: SimulatedSession;
  /** The rate of equities in it, in units of the regular session's. */
  readonly rate: number;
}

/** A config as it was read, with times of the day as instants. */
export interface DaySettings {
  readonly seed: number;
  readonly symbols: readonly string[];
  readonly crypto: readonly string[];
  readonly tradesPerMinute: number;
  readonly quotesPerTrade: number;
  readonly late: number;
  readonly corrected: number;
  readonly vendor: string;
  /** From midnight to midnight in New York, from `from` on. */
  readonly day: Span;
  /** Without a gap from the start of the day to its end. */
  readonly sessions: readonly SessionSpan[];
  readonly halt: (Span & { readonly symbol: string }) | undefined;
  readonly burst: (Span & { readonly times: number }) | undefined;
}

const OWNER = 'simulatedDay';
const NEW_YORK = 'America/New_York';

export function readDayConfig(config: SimulatedDayConfig): DaySettings {
  const { date, from, halt, burst, ...read } = readOptions(OWNER, config, OPTIONS);
  const day = Number.isNaN(epochDay(date))
    ? reject(OWNER, 'date', 'a date such as "2026-01-05"', date)
    : epochDay(date);
  const names = new Set<string>();
  for (const name of [...read.symbols, ...read.crypto]) {
    if (!symbolField.is(name) || names.has(name)) {
      reject(OWNER, 'symbols and crypto', `${symbolField.expected}, each named once`, name);
    }
    names.add(name);
  }
  if (names.size === 0) throw new RangeError(`${OWNER}: symbols and crypto must not both be empty`);

  const clock = newYorkOn(day);
  const start = clock('from', from);
  const whole = { from: start, to: clock.midnight(day + 1) };
  const opens = (time: TimeOfDay) => clock('session', time);
  const isWeekday = (day + 3) % 7 < 5;
  const sessions = isWeekday
    ? [
        { session: 'closed', rate: 0, from: whole.from, to: opens('04:00') },
        { session: 'pre', rate: 0.1, from: opens('04:00'), to: opens('09:30') },
        { session: 'regular', rate: 1, from: opens('09:30'), to: opens('16:00') },
        { session: 'post', rate: 0.1, from: opens('16:00'), to: opens('20:00') },
        { session: 'closed', rate: 0, from: opens('20:00'), to: whole.to },
      ]
    : [{ session: 'closed', rate: 0, ...whole }];

  return {
    ...read,
    day: whole,
    sessions: (sessions as SessionSpan[])
      .map((one) => ({ ...one, from: Math.max(one.from, start) }))
      .filter((one) => one.from < one.to),
    halt: halt === false ? undefined : haltOf(halt, read.symbols, (time) => clock('halt: at', time)),
    burst:
      burst === false
        ? undefined
        : { ...spanAt(clock('burst: at', burst.at), Math.ceil(burst.forMs / 1_000) * 1_000), times: burst.times },
  };
}

function haltOf(
  { symbol, at, forMs }: { symbol: string | undefined; at: string; forMs: number },
  symbols: readonly string[],
  clock: (time: TimeOfDay) => number,
) {
  if (symbol !== undefined && !symbols.includes(symbol)) {
    reject(`${OWNER}: halt`, 'symbol', `one of symbols, ${symbols.join(', ')}`, symbol);
  }
  const halted = symbol ?? symbols.at(-1);
  const span = spanAt(clock(at), forMs);
  return halted === undefined ? undefined : { symbol: halted, ...span };
}

function spanAt(from: number, forMs: number): Span {
  return { from, to: from + forMs };
}

/** Reads times of a day in New York, daylight saving included. */
function newYorkOn(day: number) {
  const midnight = (of: number): number =>
    marketSessions({ timeZone: NEW_YORK, open: '00:00', close: '04:00', days: [1, 2, 3, 4, 5, 6, 7] })
      // Midnight in New York is after midnight of UTC, and at that time the session of the day before is over.
      .nextChange(Date.UTC(1970, 0, 1) + of * DAY_MS);

  const read = (option: string, time: unknown): number => {
    const [, hour, minute, second = '0'] =
      (typeof time === 'string' && /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(time)) || [];
    if (hour === undefined) reject(OWNER, option, 'a time from "00:00" to "23:59:59"', time);
    const open = `${hour}:${minute}`;
    const start = midnight(day);
    if (open === '00:00') return start + Number(second) * 1_000;
    const calendar = marketSessions({ timeZone: NEW_YORK, open, close: '00:00', days: [1, 2, 3, 4, 5, 6, 7] });
    return calendar.nextChange(start) + Number(second) * 1_000;
  };
  return Object.assign(read, { midnight });
}
