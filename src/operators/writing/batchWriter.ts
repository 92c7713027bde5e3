import { type OperatorFunction, UnsubscriptionError } from 'rxjs';
import type { Sink, WriteOutcome } from '../../contracts/sink.js';
import { isWriteError } from '../../contracts/writeError.js';
import { Exit } from '../../flow/exit.js';
import { admit, GatedQueue } from '../../flow/gatedQueue.js';
import { detachedContext, operate } from '../../flow/operate.js';
import type { BatchPart } from '../../policies/batchFate.js';
import { MonotonicClock } from '../../primitives/monotonicClock.js';
import { Timer } from '../../primitives/timer.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import { BatchInFlight, type Writer } from './batchInFlight.js';
import type { WriterSettings } from './writePolicies.js';

/** How many batches may wait when what is upstream does not obey the gate. */
const WAITING_BATCHES = 64;

/**
 * The writer itself: batches in, outcomes out, a {@link BatchInFlight} for each batch in flight. It stands under a
 * `supervise()`, which it tells when it cannot go on.
 */
export function batchWriter<T>(
  sink: Sink<T>,
  settings: WriterSettings<T>,
): OperatorFunction<readonly T[], WriteOutcome<T>> {
  const { concurrency, timeoutMs, scheduler, deadLetters } = settings;
  /** Writers made of one operator at one time must not draw the same numbers. */
  let subscriptions = 0;

  return operate(
    { kind: 'writeTo', name: settings.name, role: 'writer', sink: sink.name, unit: 'batch' },
    (operation) => {
      const { destination, downstream, stage, settle, detach } = operation;
      const breaker = settings.makeBreaker();
      const exit = new Exit(operation, () => {
        outcomes.flush();
        waiting.flush();
        endIfIdle();
      });
      // A clock that is set back must not give a write that hangs all the time until it has caught up.
      const time = new MonotonicClock();
      const now = () => time.at(scheduler.now());
      const batches = new Set<BatchInFlight<T>>();
      const seed = scheduler.now() * 1_024 + subscriptions++;
      let chance: Xoshiro128 | undefined;
      let heldItems = 0;
      let failed = false;
      let isForeign = true;
      /** Why nothing is written any more. */
      let expired: { readonly error: unknown } | undefined;
      let finish: (() => void) | undefined;

      const outcomes = new GatedQueue<WriteOutcome<T>>({
        // Each holds an item at least, and only those in flight can come: what is in flight is the limit.
        capacity: Number.MAX_SAFE_INTEGER,
        offer(outcome) {
          if (!exit.mayEmit()) return false;
          destination.next(outcome);
          return true;
        },
        fail: (error) => destination.error(error),
      });

      /** Who downstream takes no outcome holds up what is to be written, but not what is given up. */
      const isReady = () => batches.size < concurrency && (outcomes.length === 0 || expired !== undefined);

      const waiting = new GatedQueue<readonly T[]>({
        capacity: WAITING_BATCHES,
        offer(items) {
          if (!isReady() || failed || destination.closed) return false;
          const batch = new BatchInFlight<T>(writer, stamped(items));
          batches.add(batch);
          if (batches.size >= concurrency) waiting.regulate();
          if (expired) giveUp(batch);
          else batch.advance();
          return true;
        },
        isReady,
        fail: (error) => destination.error(error),
      });

      /** What cannot be stamped is refused by the write too, and isolated there. */
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

      /** No new write begins; outcomes that wait are delivered, and then the error. */
      const fail = (error: unknown) => {
        if (failed) return;
        failed = true;
        detach();
        outcomes.end(() => destination.error(error));
      };

      /** Seeded at the first failure, if there is one. */
      const drawn = () => {
        chance ??= Xoshiro128.fromSeed(Math.floor(seed));
        return chance.unit();
      };

      const random = settings.random ?? drawn;
      const writer: Writer<T> = {
        ...detachedContext(operation),
        stage,
        sink,
        settings,
        breaker,
        rules: {
          maxAttempts: settings.maxAttempts,
          canDivert: deadLetters !== undefined,
          makeBackoff: () => settings.makeBackoff(random),
        },
        now,
        watch() {
          if (!watch.isSet && timeoutMs !== Number.POSITIVE_INFINITY) watch.set(timeoutMs);
        },
        settled({ given }, letter) {
          heldItems -= given.length;
          if (letter) settle('diverted', given, letter.reason);
          else settle('written', given);
        },
        emit: (outcome) => outcomes.push(outcome),
        done(batch) {
          batches.delete(batch);
          waiting.flush();
          endIfIdle();
        },
        fail,
        abort: downstream.abort ?? fail,
      };

      /** One timer for all attempts: they have the same limit, so the oldest is the first to be late. */
      const watch = new Timer(scheduler, () => {
        const at = now();
        for (const batch of [...batches]) if (at - (batch.attemptAt ?? at) >= timeoutMs) batch.timeOut();
        let oldest = Number.POSITIVE_INFINITY;
        for (const { attemptAt } of batches) if (attemptAt !== undefined) oldest = Math.min(oldest, attemptAt);
        // Never at once: what is left of a time that is no whole number may be too little to move a clock.
        if (oldest < Number.POSITIVE_INFINITY && !watch.isSet) watch.set(Math.max(1, timeoutMs - (at - oldest)));
      });

      const giveUp = (batch: BatchInFlight<T>) => {
        const { error } = expired!;
        batch.giveUp(error === undefined ? 'drain' : 'fatal', isWriteError(error) ? error.cause : error);
      };

      const expire = (error: unknown) => {
        if (!deadLetters || expired) return;
        expired = { error };
        watch.cancel();
        // A source that is none of ours does not stop by itself.
        if (error !== undefined && isForeign) {
          detach();
          endWith(() => destination.complete());
        }
        for (const batch of [...batches]) giveUp(batch);
        // What waited for outcomes to be taken does so no more.
        waiting.flush();
      };

      const endIfIdle = () => {
        if (finish && batches.size === 0) outcomes.end(finish);
      };

      const endWith = (end: () => void) =>
        waiting.end(() => {
          finish = end;
          endIfIdle();
        });

      if (breaker) stage.observer?.guarded?.(stage, breaker);
      destination.add(downstream.expired.subscribe(expire));

      return {
        gate: waiting.gate,
        held: () => heldItems,
        onRegister() {
          isForeign = false;
        },
        next(batch) {
          if (batch.length === 0) return;
          heldItems += batch.length;
          if (!admit(waiting, batch, operation, endWith)) heldItems -= batch.length;
        },
        error: (error) => endWith(() => destination.error(error)),
        complete: () => endWith(() => destination.complete()),
        finalize() {
          watch.cancel();
          const thrown: unknown[] = [];
          for (const batch of batches) {
            try {
              batch.abandon();
            } catch (error) {
              thrown.push(error);
            }
          }
          if (thrown.length > 0) throw thrown.length === 1 ? thrown[0] : new UnsubscriptionError(thrown);
        },
      };
    },
  );
}
