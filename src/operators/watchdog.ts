import { asyncScheduler, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { operate } from '../flow/operate.js';
import type { MarketCalendar } from '../policies/marketCalendar.js';
import { Timer } from '../primitives/timer.js';
import { requireDuration, requireFunction, requireKnownOptions } from '../primitives/validate.js';
import { StaleStreamError } from './errors/staleStreamError.js';

export interface WatchdogConfig {
  /** How long the source may be silent, in milliseconds. At least 1; there is no default. */
  readonly staleAfterMs: number;
  /** When the market is open: silence while it is closed does not count. Default: always. */
  readonly calendar?: MarketCalendar;
  /** The clock of the calendar, and where it waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `watchdog`. */
  readonly name?: string;
}

/** How often the source is looked at within `staleAfterMs`. */
const LOOKS = 20;

/** How long the clock is trusted while the market is closed: it may be put right meanwhile. */
const MAX_SLEEP_MS = 60_000;

/**
 * Fails when its source has been silent for too long: a connection that is open and dead looks like a quiet one otherwise.
 *
 * ```text
 * source    -a--b---------c-
 *           watchdog({ staleAfterMs: 5 })
 * output    -a--b----#
 * ```
 *
 * **Emits when**: the source emits, at once.
 * **Backpressure**: passes through. Silence while the gate downstream is closed does not count, for it is we who pause the
 * source; when the gate opens, the source has all of `staleAfterMs` again.
 * **Completes when**: the source completes.
 * **Errors when**: the source fails; it has been silent for `staleAfterMs`, with a `StaleStreamError`; the calendar throws.
 * **On unsubscribe**: the timer is cancelled; nothing is held.
 *
 * **Delivery**: unchanged.
 *
 * **Gotchas**: it looks at the source twenty times in `staleAfterMs`, every millisecond at most, and an item costs nothing
 * but its count. So it never fails too early, and at most a tenth of `staleAfterMs`, or 2 ms, late. Looks are counted, and
 * not the time on the clock: an event loop that is busy, or a machine that was asleep, is not taken for a silent source.
 * With a `calendar` the time while the market is closed does not count, and the source has all of `staleAfterMs` after it
 * opens. Once the pipeline is asked to drain, silence is what is wanted, and it is not looked at any more. The gate downstream
 * may be shared by other sources that fill it: give a source that is watched a buffer of its own.
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
  requireKnownOptions(owner, config, ['staleAfterMs', 'calendar', 'scheduler', 'name']);
  const { calendar, scheduler = asyncScheduler, name } = config;
  const staleAfterMs = requireDuration(owner, 'staleAfterMs', config.staleAfterMs, 1);
  if (calendar !== undefined) {
    requireFunction(owner, 'the isOpen of its calendar', calendar?.isOpen);
    requireFunction(owner, 'the nextChange of its calendar', calendar?.nextChange);
  }
  // Whole milliseconds, because timers cut off the rest and would ring early.
  const lookEveryMs = Math.max(1, Math.floor(staleAfterMs / LOOKS));
  const mostSilentLooks = Math.ceil(staleAfterMs / lookEveryMs);

  return operate<T, T>({ kind: owner, name }, ({ destination, downstream, stage }) => {
    const { gate } = downstream;
    let lastSeen = stage.in;
    let silentLooks = 0;
    /** Whether the gate has moved since the last look. */
    let gateMoved = false;
    const market = calendar && new MarketWatch(calendar, scheduler.now());

    const look = () => {
      const marketMoved = market?.moveTo(scheduler.now()) ?? false;
      const isWatched = gate.isOpen && !gateMoved && !marketMoved && market?.isOpen !== false;
      const isSilent = stage.in === lastSeen;
      lastSeen = stage.in;
      gateMoved = false;
      silentLooks = isWatched && isSilent ? silentLooks + 1 : 0;
      if (silentLooks < mostSilentLooks) lookAgain();
      else destination.error(new StaleStreamError(stage.name, staleAfterMs));
    };

    const lookAgain = () => {
      const closedForMs = market?.closedForMs() ?? 0;
      if (closedForMs === 0) alarm.set(lookEveryMs);
      else if (closedForMs < Number.POSITIVE_INFINITY) alarm.set(Math.min(closedForMs, MAX_SLEEP_MS));
    };

    const alarm = new Timer(scheduler, () => {
      try {
        look();
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
    lookAgain();
    destination.add(downstream.stopping.subscribe(() => alarm.cancel()));

    return {
      next(item) {
        stage.in += 1;
        stage.out += 1;
        destination.next(item);
      },
      finalize: () => alarm.cancel(),
    };
  });
}

/** The state of a market at the time that it was last moved to. The calendar is asked once a change, and not once a look. */
class MarketWatch {
  readonly #calendar: MarketCalendar;
  #at: number;
  #changesAt = Number.NEGATIVE_INFINITY;
  isOpen = false;

  constructor(calendar: MarketCalendar, at: number) {
    this.#calendar = calendar;
    this.#at = at;
    this.moveTo(at);
  }

  /** Whether the state has changed on the way, be it twice. */
  moveTo(at: number): boolean {
    const isKnown = at >= this.#at && at < this.#changesAt;
    this.#at = at;
    if (isKnown) return false;
    this.isOpen = this.#calendar.isOpen(at);
    this.#changesAt = this.#calendar.nextChange(at);
    return true;
  }

  /** 0 while it is open. */
  closedForMs(): number {
    return this.isOpen ? 0 : Math.max(1, this.#changesAt - this.#at);
  }
}
