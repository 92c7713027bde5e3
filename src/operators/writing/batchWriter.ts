import { type OperatorFunction, Subscription } from 'rxjs';
import type { Sink, WriteOutcome } from '../../contracts/sink.js';
import { detachedContext } from '../../flow/operate.js';
import { operateQueued } from '../../flow/operateQueued.js';
import type { BatchPart } from '../../policies/batchFate.js';
import { Witness } from '../../policies/tableRefusals.js';
import { MonotonicClock } from '../../primitives/monotonicClock.js';
import { Timer } from '../../primitives/timer.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { isWriteError } from '../errors/writeError.js';
import { sinkStateOf } from '../guarding/sinkStates.js';
import { BatchInFlight, type Writer } from './batchInFlight.js';
import type { WriterSettings } from './writePolicies.js';

/** How many batches may wait if the source does not obey the gate. */
const MAX_WAITING_BATCHES = 64;

/** How much is given up at once: letters share the waits for the disk, and time is short. */
const MAX_GIVEN_UP_BATCHES = 1_024;
const MAX_GIVEN_UP_ITEMS = 10_000;

/**
 * The writer itself: batches in, outcomes out, a {@link BatchInFlight} for each batch in flight. It stands under a
 * `supervise()`, which it tells when it cannot go on.
 */
export function batchWriter<T>(
  sink: Sink<T>,
  settings: WriterSettings<T>,
): OperatorFunction<readonly T[], WriteOutcome<T>> {
  const { name, concurrency, timeoutMs, scheduler, deadLetters } = settings;
  const { keyOf } = sink;
  /** Writers that are made of one operator at the same time must not draw the same numbers. */
  let subscriptions = 0;
  const info = { kind: 'writeTo', name, role: 'writer', sink: sink.name, unit: 'batch' } as const;

  return operateQueued<readonly T[], WriteOutcome<T>>(info, (operation) => {
    const { destination, downstream, stage, settle, detach, flush, regulate, fail, hasFailed } = operation;
    const breaker = settings.makeBreaker();
    const target = sinkStateOf(sink, scheduler);
    // A clock that is set back must not give a hanging write all the time until it has caught up.
    const time = new MonotonicClock();
    const now = () => time.at(scheduler.now());
    const generator = Xoshiro128.fromSeed(Math.floor(scheduler.now() * 1_024 + subscriptions++));
    // No Set: the tables that it outgrows link to one another, and once one of them is old, V8's scavenges keep every batch
    // that was ever in flight alive until the next full collection.
    const batches: BatchInFlight<T>[] = [];
    // Each outcome holds at least one item, and only batches in flight have any: they are the limit.
    const outcomes = operation.results(Number.MAX_SAFE_INTEGER);
    let heldItems = 0;
    let isForeign = true;
    /** Why nothing is written any more. */
    let expired: { readonly error: unknown } | undefined;

    /** A closed gate downstream holds up what is to be written, but not what is given up. */
    const isReady = () => {
      if (expired === undefined) return batches.length < concurrency && outcomes.length === 0;
      return batches.length < concurrency || (batches.length < MAX_GIVEN_UP_BATCHES && heldItems < MAX_GIVEN_UP_ITEMS);
    };

    /** A batch that cannot be stamped is refused by the write too, and isolated there. */
    const stamped = (given: readonly T[]): BatchPart<T> => {
      let items = given;
      try {
        items = sink.stamp?.(given) ?? given;
      } catch {}
      if (items.length === given.length) return { items, given };
      throw new Error(
        `the sink ${sink.name} stamped ${items.length} items of ${given.length}: its stamp() must return all`,
      );
    };

    const writer: Writer<T> = {
      ...settings,
      ...detachedContext(operation),
      stage,
      sink,
      breaker,
      target,
      rules: {
        ...settings.makeRules(settings.random ?? (() => generator.unit())),
        ...(settings.whenTableRefuses === 'hold' ? { refusals: target.refusals, witness: new Witness(), keyOf } : {}),
      },
      now,
      watch() {
        if (!watch.isSet && timeoutMs !== Number.POSITIVE_INFINITY) watch.set(timeoutMs);
      },
      settled({ given }, letter) {
        heldItems -= given.length;
        settle(letter ? 'diverted' : 'written', given, letter?.reason);
      },
      emit: (outcome) => outcomes.push(outcome),
      done(batch) {
        batches.splice(batches.indexOf(batch), 1);
        flush();
      },
      fail,
      abort: downstream.abort ?? fail,
    };

    /** One timer for all attempts: they have the same limit, so the oldest is the first to be late. */
    const watch = new Timer(scheduler, () => {
      const at = now();
      for (const batch of [...batches]) if (at - (batch.attemptAt ?? at) >= timeoutMs) batch.timeOut();
      const oldest = Math.min(...batches.map(({ attemptAt = Number.POSITIVE_INFINITY }) => attemptAt));
      // Never immediately: the remainder of a fractional time may be too little to move a clock.
      if (oldest < Number.POSITIVE_INFINITY && !watch.isSet) watch.set(Math.max(1, timeoutMs - (at - oldest)));
    });

    const giveUp = (batch: BatchInFlight<T>) => {
      const error = expired?.error;
      batch.giveUp(error === undefined ? 'drain' : 'fatal', isWriteError(error) ? error.cause : error);
    };

    const expire = (error: unknown) => {
      if (!deadLetters) return;
      expired = { error };
      watch.cancel();
      // A source that is not one of Sluice does not stop by itself.
      if (error !== undefined && isForeign) {
        detach();
        operation.endWith(() => destination.complete());
      }
      for (const batch of [...batches]) giveUp(batch);
      // Batches that waited because of a closed gate downstream wait no longer.
      flush();
    };

    /** A drain has little time: what waits for an outage to end asks at once whether it has. */
    const hurry = () => {
      for (const batch of [...batches]) batch.hurry();
      breaker?.hurry(scheduler.now());
    };

    if (breaker) stage.observer?.guarded?.(stage, breaker);
    destination.add(downstream.stopping.subscribe(hurry));
    destination.add(downstream.expired.subscribe(expire));

    return {
      capacity: MAX_WAITING_BATCHES,
      take: (items) => items.length === 0,
      offer(items) {
        if (!isReady() || hasFailed() || destination.closed) return false;
        const batch = new BatchInFlight<T>(writer, stamped(items));
        batches.push(batch);
        heldItems += items.length;
        if (batches.length >= concurrency) regulate();
        if (expired) giveUp(batch);
        else batch.advance();
        return true;
      },
      isReady,
      isIdle: () => batches.length === 0,
      held: () => heldItems,
      onRegister() {
        isForeign = false;
      },
      finalize() {
        watch.cancel();
        // It tries all of them, and then throws what they have thrown.
        const all = new Subscription();
        for (const batch of batches) all.add(() => batch.abandon());
        all.unsubscribe();
      },
    };
  });
}
