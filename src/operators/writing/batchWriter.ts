import { type OperatorFunction, UnsubscriptionError } from 'rxjs';
import type { Sink, WriteOutcome } from '../../contracts/sink.js';
import { isWriteError } from '../../contracts/writeError.js';
import { Exit } from '../../flow/exit.js';
import { admit, GatedQueue } from '../../flow/gatedQueue.js';
import { detachedContext, operate } from '../../flow/operate.js';
import { MonotonicClock } from '../../primitives/monotonicClock.js';
import { Timer } from '../../primitives/timer.js';
import { Xoshiro128 } from '../../primitives/xoshiro128.js';
import type { JobHost } from './jobHost.js';
import { WriteJob } from './writeJob.js';
import type { WriterSettings } from './writePolicies.js';

/** How many batches may wait when what is upstream does not obey the gate. */
const WAITING_BATCHES = 64;

/**
 * The writer itself: batches in, outcomes out, a {@link WriteJob} for each batch in flight. It stands under a
 * `supervise()`, which it tells when it cannot go on.
 */
export function batchWriter<T>(
  sink: Sink<T>,
  settings: WriterSettings<T>,
): OperatorFunction<readonly T[], WriteOutcome<T>> {
  const { concurrency, timeoutMs, scheduler, deadLetters } = settings;
  /** Writers made of one operator at one time must not draw the same numbers. */
  let subscriptions = 0;

  return operate({ kind: 'writeTo', name: settings.name, role: 'writer', sink: sink.name }, (operation) => {
    const { destination, downstream, stage, detach } = operation;
    const exit = new Exit(operation, () => {
      outcomes.drain();
      waiting.drain();
      endIfIdle();
    });
    // A clock that is set back must not give a write that hangs all the time until it has caught up.
    const time = new MonotonicClock();
    const now = () => time.at(scheduler.now());
    const jobs = new Set<WriteJob<T>>();
    const seed = scheduler.now() * 1_024 + subscriptions++;
    let chance: Xoshiro128 | undefined;
    let heldItems = 0;
    let failed = false;
    let isForeign = true;
    /** Why nothing is written any more. */
    let spilled: { readonly error: unknown } | undefined;
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
    const isReady = () => jobs.size < concurrency && (outcomes.length === 0 || spilled !== undefined);

    const waiting = new GatedQueue<readonly T[]>({
      capacity: WAITING_BATCHES,
      offer(batch) {
        if (!isReady() || failed || destination.closed) return false;
        const job = new WriteJob<T>(host, stamped(batch));
        jobs.add(job);
        if (jobs.size >= concurrency) waiting.regulate();
        if (spilled) giveUp(job);
        else job.run();
        return true;
      },
      isReady,
      fail: (error) => destination.error(error),
    });

    /** What cannot be stamped is refused by the write as well, and isolated there. */
    const stamped = (batch: readonly T[]): readonly T[] => {
      if (!sink.stamp) return batch;
      try {
        return sink.stamp(batch);
      } catch {
        return batch;
      }
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

    const host: JobHost<T, WriteJob<T>> = {
      ...detachedContext(operation),
      stage,
      sink,
      settings,
      now,
      random: settings.random ?? drawn,
      attempting() {
        if (!watch.isSet && timeoutMs !== Number.POSITIVE_INFINITY) watch.set(timeoutMs);
      },
      settled(count) {
        heldItems -= count;
      },
      emit: (outcome) => outcomes.push(outcome),
      done(job) {
        jobs.delete(job);
        waiting.drain();
        endIfIdle();
      },
      fail,
      abort: downstream.abort ?? fail,
    };

    /** One timer for all attempts: they have the same limit, so the oldest is the first to be late. */
    const watch = new Timer(scheduler, () => {
      const at = now();
      for (const job of [...jobs]) if (at - (job.attemptAt ?? at) >= timeoutMs) job.timeOut();
      let oldest = Number.POSITIVE_INFINITY;
      for (const { attemptAt } of jobs) if (attemptAt !== undefined) oldest = Math.min(oldest, attemptAt);
      // Never at once: what is left of a time that is no whole number may be too little to move a clock.
      if (oldest < Number.POSITIVE_INFINITY && !watch.isSet) watch.set(Math.max(1, timeoutMs - (at - oldest)));
    });

    const giveUp = (job: WriteJob<T>) => {
      const { error } = spilled!;
      job.giveUp(error === undefined ? 'drain' : 'fatal', isWriteError(error) ? error.cause : error);
    };

    const spill = (error: unknown) => {
      if (!deadLetters || spilled) return;
      spilled = { error };
      watch.cancel();
      // A source that is none of ours does not stop by itself.
      if (error !== undefined && isForeign) {
        detach();
        endWith(() => destination.complete());
      }
      for (const job of [...jobs]) giveUp(job);
      // What waited for outcomes to be taken does so no more.
      waiting.drain();
    };

    const endIfIdle = () => {
      if (finish && jobs.size === 0) outcomes.end(finish);
    };

    const endWith = (end: () => void) =>
      waiting.end(() => {
        finish = end;
        endIfIdle();
      });

    if (settings.breaker) stage.observer?.guarded?.(stage, settings.breaker);
    destination.add(downstream.expired.subscribe(spill));

    return {
      gate: waiting.gate,
      held: () => heldItems,
      onFound() {
        isForeign = false;
      },
      next(batch) {
        stage.batchesIn += 1;
        if (batch.length === 0) return;
        stage.in += batch.length;
        heldItems += batch.length;
        if (!admit(waiting, batch, operation, endWith, batch.length)) heldItems -= batch.length;
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
      finalize() {
        watch.cancel();
        const thrown: unknown[] = [];
        for (const job of jobs) {
          try {
            job.abandon();
          } catch (error) {
            thrown.push(error);
          }
        }
        if (thrown.length > 0) throw thrown.length === 1 ? thrown[0] : new UnsubscriptionError(thrown);
      },
    };
  });
}
