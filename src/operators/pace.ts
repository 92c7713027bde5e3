import { asyncScheduler, identity, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { operateQueued } from '../flow/operateQueued.js';
import { type PacingProfile, ProfilePacer } from '../policies/pacingProfile.js';
import type { PacingPriority } from '../policies/pacingQueue.js';
import type { SharedPacer } from '../policies/sharedPacer.js';
import { TokenBucket } from '../policies/tokenBucket.js';
import {
  allUnchecked,
  func,
  having,
  integer,
  type OptionsOf,
  oneOf,
  readOptions,
  text,
} from '../primitives/options.js';
import { Timer } from '../primitives/timer.js';
import { paceShared } from './pacing/paceShared.js';

/** All options; {@link PaceLimits} says which go together. */
export interface PaceConfig<T> {
  /** How many items may pass in `perMs`. Integer of at least 1, or `Infinity` for no limit at all. */
  readonly rate?: number;
  /** The span in which `rate` items may pass, in milliseconds: goes with `rate`. Integer of at least 1. */
  readonly perMs?: number;
  /** How many items may pass at once after a silence. Integer of at least 1, default 1. */
  readonly burst?: number;
  /** How many tokens an item costs, with `rate`. Integer of at least 0; default 1. */
  readonly weight?: (item: T) => number;
  /** Several windows at once, keyed and weighted, instead of `rate`: the rules of a provider. */
  readonly profile?: PacingProfile<T>;
  /** A pacer that others share, instead of limits of this chain's own. */
  readonly pacer?: SharedPacer<T>;
  /** With `pacer`: `live` goes before `history`. Default `history`. */
  readonly priority?: PacingPriority;
  /** The clock. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `pace`. */
  readonly name?: string;
}

/** Either `rate` with `perMs`, or `profile`, or `pacer`. */
export type PaceLimits =
  | {
      readonly rate: number;
      readonly perMs: number;
      readonly profile?: undefined;
      readonly pacer?: undefined;
      readonly priority?: undefined;
    }
  | {
      readonly profile: object;
      readonly rate?: undefined;
      readonly perMs?: undefined;
      readonly burst?: undefined;
      readonly weight?: undefined;
      readonly pacer?: undefined;
      readonly priority?: undefined;
    }
  | {
      readonly pacer: object;
      readonly rate?: undefined;
      readonly perMs?: undefined;
      readonly burst?: undefined;
      readonly weight?: undefined;
      readonly profile?: undefined;
    };

/** What decides when an item may pass: by tokens, or by windows. */
interface Pacer<T, Cost> {
  price(item: T): Cost;
  take(now: number, cost: Cost): number;
  readyInMs(now: number): number;
  /** Called when a wait has taken longer than asked for. */
  makeUpFor?(lateMs: number, now: number): void;
}

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
 * **Emits when**: the first item in the queue has its token, or room in every window: in that very millisecond.
 * **Backpressure**: closes its gate while the next item could not pass, and opens it in the millisecond in which it can. An
 * item that meets the gate downstream closed, or must wait for a keyed window, is queued, and those behind it too.
 * **Completes when**: the source has completed and what waited has passed.
 * **Errors when**: the source fails, after what waited has passed; when `weight` or a callback of the profile throws or
 * returns what is out of range; with
 * `PacerFullError` when too many others wait for the pacer; and with `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: the timer is cancelled and what waits is abandoned, which the account shows as held.
 *
 * With a `pacer` that others share, one item at a time waits there for its turn, the first in the queue, and the gate is closed while
 * it waits, or while the windows that all share are full, by whomever they were filled. It is withdrawn when the chain is unsubscribed; a
 * turn that comes while the gate downstream is closed is given up, is not counted, and is asked for again when that opens.
 *
 * **Delivery**: in order, each item once; nothing is dropped. What is held is lost with the process unless the source can
 * redeliver.
 *
 * **Gotchas**:
 * - No half-open window of `perMs` holds more than `rate + burst - 1` items: exactly `rate` with the default burst.
 * - A timer that fires late because the event loop is busy is made up for immediately, by one `perMs` at most, so that the rate
 *   holds; a window may then hold that much more.
 * - Time is in whole milliseconds, so at a rate above one per millisecond the items of a millisecond leave together.
 * - An item heavier than `burst` passes when the bucket is full, and those after it wait for its debt: the bound is then
 *   `rate - 1` plus the heaviest weight.
 * - The windows of a `profile` are strict: never more than `limit` in any `perMs`. It remembers, for each key in use, one entry
 *   per millisecond, `limit` at most.
 * - With `rate: Infinity` the source is returned as it is, and no stage is registered.
 * - A new subscription starts with a full bucket and empty windows, but for those of a `pacer`.
 * - A profile with `maxOpen` is refused, as no operator knows when a request is over: wait with `turn()` of a `SharedPacer` instead.
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
export function pace<T>(config: PaceConfig<T> & PaceLimits): MonoTypeOperatorFunction<T> {
  const owner = 'pace';
  const { scheduler = asyncScheduler, name, priority } = readOptions(owner, config, OPTIONS);
  const { pacer: shared } = config;
  if (shared !== undefined) {
    checkShared(owner, config, shared);
    return paceShared({ kind: owner, name, pacer: shared, priority, scheduler });
  }
  if (config.priority !== undefined) throw new RangeError(`${owner}: priority goes with pacer`);
  const pacerFor = pacing(owner, config);
  if (!pacerFor) return identity;

  return operateQueued<T, T>({ kind: owner, name }, ({ destination, downstream, mayEmit, emit, flush, regulate }) => {
    const pacer = pacerFor();
    /** What the first item in the queue costs, once it is known: the callbacks are called once per item. */
    let cost: { readonly of: unknown } | undefined;
    let dueAt = 0;
    /** What is held is on its way to the dead letters, where no rate applies. */
    let isUnlimited = false;

    const timer = new Timer(scheduler, () => {
      const now = scheduler.now();
      if (now > dueAt) pacer.makeUpFor?.(now - dueAt, now);
      flush();
    });

    const wait = (ms: number) => {
      if (destination.closed || timer.isSet) return;
      dueAt = scheduler.now() + ms;
      timer.set(ms);
    };

    destination.add(
      downstream.expired.subscribe(() => {
        isUnlimited = true;
        timer.cancel();
        flush();
      }),
    );

    return {
      offer(item) {
        if (!mayEmit()) return false;
        if (!isUnlimited) {
          cost ??= { of: pacer.price(item) };
          const waitMs = pacer.take(scheduler.now(), cost.of);
          if (waitMs > 0) {
            wait(waitMs);
            return false;
          }
          cost = undefined;
          // Closed before the item is out, so that nothing it starts upstream finds the gate open.
          if (pacer.readyInMs(scheduler.now()) > 0) regulate();
        }
        emit(item);
        return true;
      },
      isReady() {
        if (isUnlimited) return true;
        const waitMs = pacer.readyInMs(scheduler.now());
        if (waitMs > 0) wait(waitMs);
        return waitMs === 0;
      },
      finalize: () => timer.cancel(),
    };
  });
}

const OPTIONS = {
  // Checked below, as far as they go together, and by what they are given to.
  ...allUnchecked('rate', 'perMs', 'burst', 'profile'),
  weight: func(),
  pacer: having('ask', 'readyInMs'),
  priority: oneOf(['live', 'history']).default('history'),
  scheduler: having('now', 'schedule'),
  name: text(),
} satisfies OptionsOf<PaceConfig<unknown>>;

/** The limits are those of the pacer, and nobody says when a request is over. */
function checkShared<T>(owner: string, config: PaceConfig<T>, { profile }: SharedPacer<T>): void {
  for (const option of ['rate', 'profile', 'perMs', 'burst', 'weight'] as const) {
    if (config[option] !== undefined)
      throw new RangeError(`${owner}: ${option} does not go with a pacer, which has its own limits`);
  }
  if (profile) checkOpen(owner, profile);
}

function checkOpen<T>(owner: string, { maxOpen }: PacingProfile<T>): void {
  if (maxOpen === undefined) return;
  throw new RangeError(
    `${owner}: a profile with maxOpen must be told when a request is over, which pace() does not know: wait with turn() of a SharedPacer`,
  );
}

/** What goes with `rate` only, and changes nothing where it is written out. */
const DEFAULTS = { perMs: 1_000, burst: 1, weight: undefined } as const;

const WEIGHT = integer({ min: 0 }).required();

/** Makes the state of one subscription; `undefined` where there is no limit. */
function pacing<T>(owner: string, config: PaceConfig<T>): (() => Pacer<T, unknown>) | undefined {
  const { rate, perMs = DEFAULTS.perMs, burst, weight, profile } = config;
  if ((rate === undefined) === (profile === undefined)) {
    throw new RangeError(
      `${owner}: give either rate or a profile or a pacer, got ${rate === undefined ? 'neither' : 'both'}`,
    );
  }
  if (profile !== undefined) {
    for (const option of ['perMs', 'burst', 'weight'] as const) {
      if (config[option] !== undefined && config[option] !== DEFAULTS[option]) {
        throw new RangeError(`${owner}: ${option} goes with rate; a profile has it in its windows`);
      }
    }
    const make = () => new ProfilePacer<T>(profile, `${owner}: profile`);
    make();
    checkOpen(owner, profile);
    return make;
  }
  const isUnlimited = rate === Infinity;
  const limits = { rate: isUnlimited ? 1 : (rate as number), perMs, ...(burst === undefined ? {} : { burst }) };
  const price = (item: T) => (weight ? WEIGHT.read(owner, 'weight', weight(item)) : 1);
  const make = (): Pacer<T, number> => Object.assign(new TokenBucket(limits, owner), { price });
  make();
  return isUnlimited ? undefined : (make as () => Pacer<T, unknown>);
}
