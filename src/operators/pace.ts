import { asyncScheduler, identity, type MonoTypeOperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import { Exit } from '../flow/exit.js';
import { admit, GatedQueue } from '../flow/gatedQueue.js';
import { operate } from '../flow/operate.js';
import { type PacingProfile, ProfilePacer } from '../policies/pacingProfile.js';
import { TokenBucket } from '../policies/tokenBucket.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../primitives/validate.js';

/** Either `rate` and `perMs`, or `profile`. */
export interface PaceConfig<T> {
  /** How many items may pass in `perMs`. Integer of at least 1, or `Infinity` for no limit at all. */
  readonly rate?: number;
  /** The span in which `rate` items may pass, in milliseconds. Integer of at least 1. */
  readonly perMs?: number;
  /** How many items may pass at once after a silence. Integer of at least 1, default 1. */
  readonly burst?: number;
  /** How many tokens an item costs, with `rate`. An integer of at least 0; default 1. */
  readonly weight?: (item: T) => number;
  /** Several windows at once, keyed and weighted, instead of `rate`: the rules of a provider. */
  readonly profile?: PacingProfile<T>;
  /** The clock. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `pace`. */
  readonly name?: string;
}

/** What decides when an item may pass: by tokens, or by windows. */
interface Pacer<T, Cost> {
  price(item: T): Cost;
  take(now: number, cost: Cost): number;
  readyInMs(now: number): number;
  /** Told that a wait took longer than asked for. */
  makeUpFor?(lateMs: number, now: number): void;
}

/** Longer timers fire at once in Node: a longer wait is made of several. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Lets items pass no faster than a rate: they are spread, and a silence does not save up more than `burst`. With a
 * `profile`, no faster than any of its windows allows.
 *
 * ```text
 * source    --abc-------d---|
 *           pace({ rate: 1, perMs: 3 })
 * output    --a--b--c---d---|
 * gate      o-c--------oc--o-
 * ```
 *
 * (The source of the marble disobeys the gate; one that obeys emits `b` and `c` when the gate opens.)
 *
 * **Emits when**: the first item in line has its token, or room in every window: in the very millisecond.
 * **Backpressure**: closes its gate while the next item could not pass, and opens it in the millisecond in which it can. An
 * item that met the gate downstream closed, or must wait for a keyed window, waits in line, and those behind it too.
 * **Completes when**: the source has completed and what waited has passed.
 * **Errors when**: the source fails, after what waited has passed; when `weight` or a callback of the profile throws or
 * returns what is out of range; and with `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: the timer is cancelled and what waits is abandoned, which the account shows as held.
 *
 * **Delivery**: in order, each item once; nothing is dropped.
 *
 * **Gotchas**: no half-open window of `perMs` holds more than `rate + burst - 1` items: exactly `rate` with the default
 * burst. A timer that fires late, the event loop being busy, is made up for at once, by one `perMs` at most, so that the
 * rate holds; a window may then hold as much more. Time is in whole milliseconds, so at a rate above one a millisecond the items of a millisecond leave together.
 * An item heavier than `burst` passes when the bucket is full, and those after it wait for its debt: the bound is then
 * `rate - 1` and the heaviest weight. The windows of a `profile` are strict: never more than `limit` in any `perMs`. It
 * remembers, for each key in use, one entry a millisecond, `limit` at most. With `rate: Infinity` the source is returned
 * as it is, and no stage is registered. A new subscription starts with a full bucket and empty windows.
 *
 * @example
 * ```ts
 * import { pace } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * // IBKR: 60 historical requests in 10 minutes, fewer than 6 a contract in 2 s, the same one not within 15 s.
 * const requests = [{ contract: 'SPY', days: 1 }, { contract: 'QQQ', days: 1 }];
 * fromIterable(requests)
 *   .pipe(
 *     pace({
 *       profile: {
 *         windows: [
 *           { limit: 60, perMs: 600_000 },
 *           { limit: 5, perMs: 2_000, by: (request) => request.contract },
 *           { limit: 1, perMs: 15_000, by: (request) => `${request.contract} ${request.days}` },
 *         ],
 *       },
 *     }),
 *   )
 *   .subscribe((request) => console.log(request.contract));
 * ```
 */
export function pace<T>(config: PaceConfig<T>): MonoTypeOperatorFunction<T> {
  const owner = 'pace';
  requireKnownOptions(owner, config, ['rate', 'perMs', 'burst', 'weight', 'profile', 'scheduler', 'name']);
  const pacerFor = pacing(owner, config);
  if (!pacerFor) return identity;
  const scheduler = config.scheduler ?? asyncScheduler;
  return paceWith(owner, config.name, scheduler, pacerFor);
}

/** Makes the state of one subscription; `undefined` where there is no limit. */
function pacing<T>(owner: string, config: PaceConfig<T>): (() => Pacer<T, unknown>) | undefined {
  const { rate, perMs, burst, profile } = config;
  if ((rate === undefined) === (profile === undefined)) {
    throw new RangeError(
      `${owner}: give either rate and perMs or a profile, got ${rate === undefined ? 'neither' : 'both'}`,
    );
  }
  if (profile !== undefined) {
    for (const option of ['perMs', 'burst', 'weight'] as const) {
      if (config[option] !== undefined) {
        throw new RangeError(`${owner}: ${option} goes with rate; a profile has it in its windows`);
      }
    }
    const make = () => new ProfilePacer<T>(profile, `${owner}: profile`);
    make();
    return make;
  }
  const weight = config.weight && requireFunction(owner, 'weight', config.weight);
  const unlimited = rate === Infinity;
  const limits = {
    rate: unlimited ? 1 : (rate as number),
    perMs: unlimited ? (perMs ?? 1) : (perMs as number),
    ...(burst === undefined ? {} : { burst }),
  };
  const make = () => {
    const bucket = new TokenBucket(limits, owner);
    return {
      price: (item: T) => (weight ? requireInteger(owner, 'weight', weight(item), 0) : 1),
      take: (now: number, tokens: number) => bucket.take(now, tokens),
      readyInMs: (now: number) => bucket.readyInMs(now),
      makeUpFor: (lateMs: number, now: number) => bucket.makeUpFor(lateMs, now),
    };
  };
  make();
  return unlimited ? undefined : (make as () => Pacer<T, unknown>);
}

function paceWith<T>(
  kind: string,
  name: string | undefined,
  scheduler: SchedulerLike,
  pacerFor: () => Pacer<T, unknown>,
): MonoTypeOperatorFunction<T> {
  return operate({ kind, name }, (operation) => {
    const { destination, downstream, stage } = operation;
    const pacer = pacerFor();
    const exit = new Exit(operation, () => line.drain());
    /** What the first item in line costs, once it is known: the callbacks are asked once an item. */
    let cost: { readonly of: unknown } | undefined;
    let timer: Subscription | undefined;
    let dueAt = 0;
    /** What is held is on its way to the dead letters, and nobody there asks for a rate. */
    let unlimited = false;

    const line = new GatedQueue<T>({
      offer(item) {
        if (!exit.mayEmit()) return false;
        if (unlimited) {
          stage.out += 1;
          destination.next(item);
          return true;
        }
        cost ??= { of: pacer.price(item) };
        const waitMs = pacer.take(scheduler.now(), cost.of);
        if (waitMs > 0) {
          wait(waitMs);
          return false;
        }
        cost = undefined;
        stage.out += 1;
        // Closed before the item is out, so that nothing it sets going upstream finds the gate open.
        if (pacer.readyInMs(scheduler.now()) > 0) line.regulate();
        destination.next(item);
        return true;
      },
      isReady() {
        if (unlimited) return true;
        const waitMs = pacer.readyInMs(scheduler.now());
        if (waitMs > 0) wait(waitMs);
        return waitMs === 0;
      },
      fail: (error) => destination.error(error),
    });

    const wait = (ms: number) => {
      if (destination.closed || timer) return;
      dueAt = scheduler.now() + Math.min(ms, MAX_TIMER_MS);
      timer = scheduler.schedule(onTime, Math.min(ms, MAX_TIMER_MS));
    };

    const onTime = () => {
      timer = undefined;
      const now = scheduler.now();
      if (now > dueAt) pacer.makeUpFor?.(now - dueAt, now);
      line.drain();
    };

    destination.add(
      downstream.expired.subscribe(() => {
        unlimited = true;
        timer?.unsubscribe();
        line.drain();
      }),
    );

    return {
      gate: line.gate,
      held: () => line.length,
      next(item) {
        stage.in += 1;
        admit(line, item, operation);
      },
      error: (error) => line.end(() => destination.error(error)),
      complete: () => line.end(() => destination.complete()),
      finalize: () => timer?.unsubscribe(),
    };
  });
}
