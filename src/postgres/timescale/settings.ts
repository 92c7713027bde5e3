import { duration, type OptionsOf, type Read, text } from '../../primitives/options.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import type { Days } from './days.js';

/**
 * What TimescaleDB does with the store. An option that is not given leaves the store as it was set up, and so does one that is
 * given its default.
 */
export interface TimescaleConfig {
  /**
   * The timeframe that most bars have. A chunk of `bars` spans 10,080 of them, from a day to a year, so that it holds
   * about as many rows whatever the timeframe: 7 days for `1m`. A change applies to future chunks. Default `1m`.
   */
  readonly timeframe?: string;
  /** The span of a chunk of `options_snap`, in milliseconds. At least an hour, default a day. */
  readonly optionsChunkMs?: number;
  /** The span of a chunk of `trades`, in milliseconds. At least an hour, default a day. */
  readonly tradesChunkMs?: number;
  /** The span of a chunk of `quotes`, in milliseconds. At least an hour, default a day. */
  readonly quotesChunkMs?: number;
  /** How old a chunk is when it is compressed, in milliseconds; `false` for never. At least a day, default 7 days. */
  readonly compressAfterMs?: number | false;
  /**
   * How old rows of `bars` are when they are dropped, in milliseconds, of all timeframes; `false` ends that. At least 7 days.
   * Default: none are dropped.
   */
  readonly retainBarsMs?: number | false;
  /** How old rows of `options_snap` are when they are dropped, as above. At least 7 days. Default: none are dropped. */
  readonly retainOptionsMs?: number | false;
  /** How old rows of `trades` are when they are dropped, as above. At least a day. Default: none are dropped. */
  readonly retainTradesMs?: number | false;
  /** How old rows of `quotes` are when they are dropped, as above. At least a day. Default: none are dropped. */
  readonly retainQuotesMs?: number | false;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** A value, and whether it was asked for, as anything but the default is: only then does it change what exists. */
export interface Requested<V> {
  readonly value: V;
  readonly given: boolean;
}

function requested<V>(asked: V | undefined, fallback: V): Requested<V> {
  return { value: asked ?? fallback, given: asked !== undefined && asked !== fallback };
}

export interface TimescaleSettings {
  readonly chunkMs: Readonly<Record<HypertableName, Requested<number>>>;
  readonly compressAfterMs: Requested<number | false>;
  readonly retainMs: Readonly<Record<HypertableName, number | false | undefined>>;
  /** Undefined if none were asked for. */
  readonly days: Days | undefined;
}

export type HypertableName = 'bars' | 'options_snap' | 'trades' | 'quotes';

/** 10,080 minutes are a week. */
export function barsChunkMs(timeframe: string): number {
  return Math.min(365 * DAY_MS, Math.max(DAY_MS, timeframeMs(timeframe) * 10_080));
}

export const TIMESCALE_OPTIONS = {
  timeframe: text(),
  optionsChunkMs: duration({ min: HOUR_MS }),
  tradesChunkMs: duration({ min: HOUR_MS }),
  quotesChunkMs: duration({ min: HOUR_MS }),
  compressAfterMs: duration({ min: DAY_MS }).or(false),
  // The daily aggregate is refreshed from at least three days back, and never from what has been dropped.
  retainBarsMs: duration({ min: WEEK_MS }).or(false),
  retainOptionsMs: duration({ min: WEEK_MS }).or(false),
  retainTradesMs: duration({ min: DAY_MS }).or(false),
  retainQuotesMs: duration({ min: DAY_MS }).or(false),
} satisfies OptionsOf<TimescaleConfig>;

export function timescaleSettings(
  config: Read<TimescaleConfig, typeof TIMESCALE_OPTIONS>,
  days?: Days,
): TimescaleSettings {
  const { timeframe, optionsChunkMs, tradesChunkMs, quotesChunkMs, compressAfterMs } = config;
  const { retainBarsMs, retainOptionsMs, retainTradesMs, retainQuotesMs } = config;
  return {
    chunkMs: {
      bars: requested(timeframe === undefined ? undefined : barsChunkMs(timeframe), barsChunkMs('1m')),
      options_snap: requested(optionsChunkMs, DAY_MS),
      trades: requested(tradesChunkMs, DAY_MS),
      quotes: requested(quotesChunkMs, DAY_MS),
    },
    compressAfterMs: requested<number | false>(compressAfterMs, WEEK_MS),
    retainMs: { bars: retainBarsMs, options_snap: retainOptionsMs, trades: retainTradesMs, quotes: retainQuotesMs },
    days,
  };
}
