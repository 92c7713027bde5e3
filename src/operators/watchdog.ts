import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { operate } from '../flow/operate.js';
import type { MarketCalendar } from '../policies/marketCalendar.js';
import { MarketWatch } from '../policies/marketWatch.js';
import { duration, having, type OptionsOf, readOptions, text } from '../primitives/options.js';
import { Timer } from '../primitives/timer.js';
import { StaleStreamError } from './errors/staleStreamError.js';

export interface WatchdogConfig {
  /** How long the source may be silent, in milliseconds. At least 1; there is no default. */
  readonly staleAfterMs: number;
  /** When the market is open, such as `usEquities()`: silence while it is closed does not count. Default: always. */
  readonly calendar?: MarketCalendar;
  /** The clock of the calendar, and where it waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `watchdog`. */
  readonly name?: string;
}

/** How often the source is checked within `staleAfterMs`. */
const CHECKS = 20;

/** How long the clock is trusted while the market is closed: it may be corrected meanwhile. */
const MAX_SLEEP_MS = 60_000;

/**
 * Fails when its source has been silent for too long: a dead connection that is open looks like a quiet one otherwise.
 *
 * ```text
 * source    -a--b---------c-
 *           watchdog({ staleAfterMs: 5 })
 * output    -a--b----#
 * ```
 *
 * **Emits when**: the source emits, at once.
 * **Backpressure**: passes through. Silence while the gate downstream is closed does not count, because the source is paused;
 * when the gate opens, the source has all of `staleAfterMs` again.
 * **Completes when**: the source completes.
 * **Errors when**: the source fails; it has been silent for `staleAfterMs`, with a `StaleStreamError`; the calendar throws.
 * **On unsubscribe**: the timer is cancelled; nothing is held.
 *
 * **Delivery**: unchanged.
 *
 * **Gotchas**:
 * - It checks the source twenty times in `staleAfterMs`, at most once per millisecond, and an item costs nothing but its count.
 *   So it never fails too early, and at most a tenth of `staleAfterMs`, or 2 ms, late.
 * - Checks are counted rather than time on the clock: a busy event loop, or a machine that was asleep, is not taken for a
 *   silent source.
 * - With a `calendar`, time while the market is closed does not count, and the source has all of `staleAfterMs` after it opens.
 *   `sluice/policies` has those of US equities, US futures and currencies, with holidays: `usEquities()`, `usFutures()`, `fxWeek()`.
 * - Once the pipeline is asked to drain, silence is expected, and nothing is checked any more.
 * - Other sources may fill the gate downstream: give a source that is watched a buffer of its own.
 *
 * @example
 * ```ts
 * import { interval } from 'rxjs';
 * import { retryWithJitter, watchdog } from 'sluice/operators';
 *
 * interval(1_000)
 *   .pipe(watchdog({ staleAfterMs: 30_000 }), retryWithJitter({ maxAttempts: Infinity }))
 *   .subscribe((item) => console.log(item));
 * ```
 */
export function watchdog<T>(config: WatchdogConfig): MonoTypeOperatorFunction<T> {
  const owner = 'watchdog';
  const { staleAfterMs, calendar, scheduler = asyncScheduler, name } = readOptions(owner, config, OPTIONS);
  // Whole milliseconds, because timers cut off the rest and would fire early.
  const checkEveryMs = Math.max(1, Math.floor(staleAfterMs / CHECKS));
  const maxSilentChecks = Math.ceil(staleAfterMs / checkEveryMs);

  return operate<T, T>({ kind: owner, name }, ({ destination, downstream, stage, emit }) => {
    const { gate } = downstream;
    let lastSeen = stage.in;
    let silentChecks = 0;
    /** Whether the gate has moved since the last check. */
    let gateMoved = false;
    const market = calendar && new MarketWatch(calendar, scheduler.now());

    const check = () => {
      const marketMoved = market?.moveTo(scheduler.now()) ?? false;
      const isWatched = gate.isOpen && !gateMoved && !marketMoved && market?.isOpen !== false;
      const isSilent = stage.in === lastSeen;
      lastSeen = stage.in;
      gateMoved = false;
      silentChecks = isWatched && isSilent ? silentChecks + 1 : 0;
      if (silentChecks < maxSilentChecks) checkAgain();
      else destination.error(new StaleStreamError(stage.name, staleAfterMs));
    };

    const checkAgain = () => {
      const closedForMs = market?.closedForMs() ?? 0;
      if (closedForMs === 0) timer.set(checkEveryMs);
      else if (closedForMs < Number.POSITIVE_INFINITY) timer.set(Math.min(closedForMs, MAX_SLEEP_MS));
    };

    const timer = new Timer(scheduler, () => {
      try {
        check();
      } catch (error) {
        destination.error(error);
      }
    });

    destination.add(
      gate.state$.subscribe(() => {
        gateMoved = true;
      }),
    );
    gateMoved = false;
    checkAgain();
    destination.add(downstream.stopping.subscribe(() => timer.cancel()));

    return {
      next: emit,
      finalize: () => timer.cancel(),
    };
  });
}

const OPTIONS = {
  staleAfterMs: duration({ min: 1 }).required(),
  calendar: having('isOpen', 'nextChange'),
  scheduler: having('now', 'schedule'),
  name: text(),
} satisfies OptionsOf<WatchdogConfig>;
