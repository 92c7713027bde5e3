import { timeframeMs } from '../../market/timeframe.js';
import { requireDuration, requireKnownOptions } from '../../primitives/validate.js';

/** What TimescaleDB is to do with the store. What is not given is left as it is once it has been set up. */
export interface TimescaleConfig {
  /**
   * The timeframe that most bars have. A chunk of `bars` spans 10,080 of them, from a day to a year, so that it holds
   * about as many rows whatever the timeframe is: 7 days for `1m`. A change holds for the chunks to come. Default `1m`.
   */
  readonly timeframe?: string;
  /** The span of a chunk of `options_snap`, in milliseconds. At least an hour, default a day. */
  readonly optionsChunkMs?: number;
  /** How old a chunk is when it is compressed, in milliseconds; `false` for never. At least a day, default 7 days. */
  readonly compressAfterMs?: number | false;
  /**
   * How old rows of `bars` are when they are dropped, in milliseconds, those of all timeframes; `false` ends that. At least
   * 7 days. Default: none are dropped.
   */
  readonly retainBarsMs?: number | false;
  /** How old rows of `options_snap` are when they are dropped, as above. At least 7 days. Default: none are dropped. */
  readonly retainOptionsMs?: number | false;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** A value, and whether somebody asked for it: only then does it change what is there. */
export interface Requested<V> {
  readonly value: V;
  readonly given: boolean;
}

export interface TimescaleSettings {
  readonly chunkMs: Readonly<Record<HypertableName, Requested<number>>>;
  readonly compressAfterMs: Requested<number | false>;
  readonly retainMs: Readonly<Record<HypertableName, number | false | undefined>>;
}

export type HypertableName = 'bars' | 'options_snap';

/** 10,080 minutes are a week. */
export function barsChunkMs(timeframe: string): number {
  return Math.min(365 * DAY_MS, Math.max(DAY_MS, timeframeMs(timeframe) * 10_080));
}

export function timescaleSettings(owner: string, config: TimescaleConfig): TimescaleSettings {
  requireKnownOptions(`${owner}: timescale`, config, [
    'timeframe',
    'optionsChunkMs',
    'compressAfterMs',
    'retainBarsMs',
    'retainOptionsMs',
  ]);
  const { timeframe, optionsChunkMs, compressAfterMs, retainBarsMs, retainOptionsMs } = config;
  const duration = (option: string, value: number | false | undefined, min: number) =>
    value === undefined || value === false ? value : requireDuration(owner, `timescale.${option}`, value, min);
  const optionsChunk = duration('optionsChunkMs', optionsChunkMs, HOUR_MS);
  if (optionsChunk === false) throw new RangeError(`${owner}: timescale.optionsChunkMs must be a number, got false`);
  return {
    chunkMs: {
      bars: { value: barsChunkMs(timeframe ?? '1m'), given: timeframe !== undefined },
      options_snap: { value: optionsChunk ?? DAY_MS, given: optionsChunk !== undefined },
    },
    compressAfterMs: {
      value: duration('compressAfterMs', compressAfterMs, DAY_MS) ?? WEEK_MS,
      given: compressAfterMs !== undefined,
    },
    retainMs: {
      // The daily aggregate is refreshed from no less than three days, and never from what has been dropped.
      bars: duration('retainBarsMs', retainBarsMs, WEEK_MS),
      options_snap: duration('retainOptionsMs', retainOptionsMs, WEEK_MS),
    },
  };
}
