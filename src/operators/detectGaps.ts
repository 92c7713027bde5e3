import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { operateQueuedCounted } from '../flow/operateQueued.js';
import { type Gap, gapSeq } from '../market/gap.js';
import { type FoundHole, HoleDetector, type LowerNumber } from '../policies/holeDetector.js';
import type { MarketCalendar } from '../policies/marketCalendar.js';
import {
  duration,
  func,
  having,
  integer,
  type OptionsOf,
  oneOf,
  readOptions,
  reject,
  text,
} from '../primitives/options.js';

/** What a gap record says of the series that lacks records. */
export interface GapSeries {
  readonly vendor: string;
  readonly symbol: string;
  /** The kind of the records, such as `trade`. */
  readonly of: string;
  readonly timeframe?: string | undefined;
}

export interface DetectGapsConfig<T> {
  /** The key of the series of an item: each has numbers of its own. */
  readonly by: (item: T) => string | number;
  /**
   * The number of an item, which is one more than that of the item before in its series: a safe integer, or `undefined` for an item that
   * has none. Default: items have none, and `staleAfterMs` is needed.
   */
  readonly sequence?: (item: T) => number | undefined;
  /** The time of an item, in epoch milliseconds. Default: its `ts`. */
  readonly time?: (item: T) => number;
  /** The series of an item. Default: its `vendor`, `symbol`, `kind` and `timeframe`, as market records have them. */
  readonly series?: (item: T) => GapSeries;
  /**
   * What a number means that is lower than the last one of its series. `gap`: the vendor began to number anew, and what was missed
   * in between is a gap whose rows are not known; `restart`: it began anew, and nothing was missed; `late`: the item comes out of
   * order. Default `gap`.
   */
  readonly whenLower?: LowerNumber;
  /**
   * How long a series may be silent where its numbers prove nothing, in milliseconds between the times of two items. At
   * least 1. Default: silence is no gap.
   */
  readonly staleAfterMs?: number;
  /** When the market is open: time while it is closed is no silence. Goes with `staleAfterMs`. Default: always. */
  readonly calendar?: MarketCalendar;
  /** Of how many series the last item is remembered. Integer of at least 1, default 100,000. */
  readonly maxKeys?: number;
  /** The clock that numbers the gap records. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `detectGaps`. */
  readonly name?: string;
}

const OPTIONS = {
  by: func().required(),
  sequence: func(),
  time: func(),
  series: func(),
  whenLower: oneOf(['gap', 'restart', 'late']).default('gap'),
  staleAfterMs: duration({ min: 1 }),
  calendar: having('isOpen', 'nextChange'),
  maxKeys: integer({ min: 1 }).default(100_000),
  scheduler: having('now', 'schedule'),
  name: text(),
} satisfies OptionsOf<DetectGapsConfig<unknown>>;

/**
 * Passes every item, and emits a gap record before the first item behind a hole: where the numbers of a series jump, or, where they
 * prove nothing, where it was silent for too long.
 *
 * ```text
 * source    -1-2-5--6-|
 *           detectGaps({ by, sequence })
 * output    -1-2-(G5)--6-|     (G: from the time of 2 to that of 5, 2 rows)
 * ```
 *
 * **Emits when**: an item arrives, at once; a gap record immediately before it.
 * **Backpressure**: its gate is closed while an item waits for downstream. The gap record and the item behind it are two outputs:
 * if downstream closes between them, the item waits.
 * **Completes when**: the source completes and what waits is emitted.
 * **Errors when**: the source fails; a callback throws; a number is not a safe integer, a time is not finite, or an item has no series
 * (`RangeError`); with `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: what waits is abandoned, which the account shows as held.
 *
 * **Delivery**: items pass once, unchanged and in order, repeated ones too. A gap record counts as an item that comes in here.
 *
 * **Gotchas**:
 * - A gap runs from the time of the last item before the hole to that of the first one behind it, both included; its `rows` are
 *   how many numbers are missing, its cause `sequence` or `stale`, its state `open`.
 * - The first item of a series begins it, whatever its number: what was missed before is for `resumeFrom` of a provider.
 * - A number that comes again is a repetition. One that is lower is a gap unless `whenLower` says otherwise: a feed whose items
 *   overtake each other needs `late`, and its holes are then reported before they fill up.
 * - There are no timers: a series that never speaks again has no gap. Add `watchdog()` for a source that falls silent as a whole.
 *   For the same reason nothing is left to do at a drain.
 * - Beyond `maxKeys` a series without items since the last round is forgotten, and its next item begins it anew.
 * - Each subscription has its own memory: put `detectGaps()` after a retry, so that what the retry missed is a hole.
 *
 * @example
 * ```ts
 * import { detectGaps } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const ticks = [{ pair: 'EURUSD', n: 1, at: 1_000 }, { pair: 'EURUSD', n: 4, at: 2_000 }];
 * fromIterable(ticks)
 *   .pipe(
 *     detectGaps({
 *       by: (tick) => tick.pair,
 *       sequence: (tick) => tick.n,
 *       time: (tick) => tick.at,
 *       series: (tick) => ({ vendor: 'my-feed', symbol: tick.pair, of: 'quote' }),
 *     }),
 *   )
 *   .subscribe((item) => console.log('cause' in item ? `${item.rows} missing` : item.n));
 * ```
 */
export function detectGaps<T>(config: DetectGapsConfig<T>): OperatorFunction<T, T | Gap> {
  const owner = 'detectGaps';
  const { by, sequence, name, ...options } = readOptions(owner, config, OPTIONS);
  const { scheduler = asyncScheduler, staleAfterMs, calendar, whenLower, maxKeys } = options;
  if (!sequence && staleAfterMs === undefined) throw new RangeError(`${owner}: give sequence, staleAfterMs, or both`);
  if (calendar && staleAfterMs === undefined) throw new RangeError(`${owner}: calendar goes with staleAfterMs`);
  const time = options.time ?? (timeOf as (item: T) => number);
  const series = options.series ?? (seriesOf as (item: T) => GapSeries);

  return operateQueuedCounted<T, T | Gap>({ kind: owner, name }, (operation, account) => {
    const { destination, downstream, emit, mayEmit, waiting, weigh } = operation;
    const { gate } = downstream;
    const detector = new HoleDetector({ whenLower, staleAfterMs, calendar, maxKeys });
    let lastSeq = 0;
    let isChecked = false;
    /** Whether the item that is next has been looked at, and the gap before it. */
    let isSeen = false;
    let gap: Gap | undefined;
    /** An item whose callbacks are under way, or have thrown. */
    let held = 0;

    const gapOf = ({ cause, from, to, rows, reason }: FoundHole, item: T): Gap => {
      const { vendor, symbol, of, timeframe } = checkSeries(owner, series(item));
      lastSeq = Math.max(lastSeq + 1, gapSeq('open', scheduler.now()));
      return {
        ...{ kind: 'gap', vendor, symbol, of },
        ...(timeframe !== undefined && { timeframe }),
        ...{ from, to, cause, state: 'open' },
        ...(rows !== undefined && { rows }),
        ...(reason !== undefined && { reason }),
        seq: lastSeq,
      };
    };

    const see = (item: T) => {
      const number = sequence?.(item);
      if (number !== undefined && !Number.isSafeInteger(number)) {
        reject(owner, 'what sequence returns', 'a safe integer or undefined', number);
      }
      const at = time(item);
      if (!Number.isFinite(at)) reject(owner, 'the time of an item', TIME, at);
      if (!isChecked) {
        // An item without a series is found at once, rather than at the first hole.
        checkSeries(owner, series(item));
        isChecked = true;
      }
      const hole = detector.see(by(item), number, at);
      return hole && gapOf(hole, item);
    };

    return {
      take(item) {
        if (isSeen || !gate.isOpen || waiting() > 0) return false;
        // An item at which a callback throws stays held, so that the account of the failed stage is right.
        held = weigh(item);
        gap = see(item);
        // Where a callback has ended the subscription, the item was abandoned.
        if (destination.closed) return true;
        held = 0;
        if (gap === undefined) emit(item);
        else isSeen = true;
        return gap === undefined;
      },
      offer(item) {
        if (!mayEmit()) return false;
        if (!isSeen) {
          gap = see(item);
          if (destination.closed) return false;
          isSeen = true;
        }
        if (gap !== undefined) {
          const found = gap;
          gap = undefined;
          account.added += 1;
          emit(found, 1);
          if (!mayEmit()) return false;
        }
        isSeen = false;
        emit(item);
        return true;
      },
      held: () => held,
      isIdle: () => true,
    };
  });
}

const TIME = 'a finite number of epoch milliseconds: its ts, or what time returns';

const timeOf = (item: { readonly ts?: unknown } | undefined) => item?.ts;

interface MarketLike {
  readonly vendor?: string;
  readonly symbol?: string;
  readonly kind?: string;
  readonly timeframe?: string;
}

const seriesOf = ({ vendor, symbol, kind, timeframe }: MarketLike) => ({ vendor, symbol, of: kind, timeframe });

function checkSeries(owner: string, series: GapSeries): GapSeries {
  const { vendor, symbol, of, timeframe } = series ?? {};
  for (const [field, value] of Object.entries({ vendor, symbol, of })) {
    if (typeof value === 'string' && value !== '') continue;
    reject(owner, `the ${field} of a series`, 'a string that is not empty: give series for items without one', value);
  }
  if (timeframe !== undefined && typeof timeframe !== 'string') {
    reject(owner, 'the timeframe of a series', 'a string, or left out', timeframe);
  }
  return series;
}
