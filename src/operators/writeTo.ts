import {
  asyncScheduler,
  defer,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { tap } from 'rxjs/operators';
import { Exit } from '../flow/exit.js';
import { aside, operate, subscribeInner } from '../flow/operate.js';
import { admit, WaitingLine } from '../flow/waitingLine.js';
import type { Sink, WriteOutcome, WriteReceipt } from '../model/sink.js';
import { WriteError } from '../model/writeError.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../policies/validate.js';

/** What stands between a batch and the pipeline's end when a write fails. */
export interface WritePolicies<T> {
  /** How many writes may be in flight at once. Integer of at least 1, default 1, which keeps the order of batches. */
  readonly concurrency?: number;
  /**
   * Put around every write, which starts anew at each subscription: retries, a breaker, a time limit. It may complete
   * only after the write has. Default: nothing.
   */
  readonly guard?: MonoTypeOperatorFunction<WriteReceipt>;
  /**
   * What becomes of a batch that `guard` has given up: emit the outcomes of its parts, which must together hold each
   * item of the batch once, and complete. Default: the {@link WriteError} goes to the error channel.
   */
  readonly settle?: (failure: WriteError<T>) => ObservableInput<WriteOutcome<T>>;
  /** The clock that `durationMs` is read from. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `writeTo`. */
  readonly name?: string;
}

/** How many batches may wait when what is upstream does not obey the gate. */
const WAITING_BATCHES = 64;

/**
 * Writes batches to a sink, one at a time unless told otherwise, and emits what became of each.
 *
 * ```text
 * batches     -x-y-z|              a write takes three frames; the source is paused meanwhile
 *             writeTo(sink)
 * outcomes    ----x----y----z|
 * gate        oc--o-c--o-c--o      closed while a write is in flight
 * ```
 *
 * **Emits when**: a write is committed, its outcome, if downstream is open; else when it opens.
 * **Backpressure**: installs a gate, closed while `concurrency` writes are in flight or an outcome waits for downstream.
 * **Completes when**: the source has completed and all writes are settled and their outcomes delivered.
 * **Errors when**: the source has failed, after all writes; a write fails and there is no `settle`: a `WriteError` with cause
 * and items, after the outcomes held.
 * **On unsubscribe**: writes in flight are unsubscribed, no new one begins; their items are abandoned. They may have been
 * committed, if their sink cannot take a write back.
 *
 * **Delivery**: at least once: an item counts as written after its commit, and a write that failed half-way is written anew.
 *
 * **Gotchas**: empty batches are passed over. With `concurrency` above 1 the order of batches is the sink's: use `lanes()` to
 * write side by side and keep the order of a key.
 *
 * @example
 * ```ts
 * import { batch, writeTo } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * fromIterable([1, 2, 3, 4, 5])
 *   .pipe(batch({ size: 2 }), writeTo(memorySink<number>()))
 *   .subscribe((outcome) => console.log(outcome.status, outcome.items));
 * ```
 */
export function writeTo<T>(
  sink: Sink<T>,
  policies: WritePolicies<T> = {},
): OperatorFunction<readonly T[], WriteOutcome<T>> {
  const owner = 'writeTo';
  requireFunction(owner, 'the write of its sink', sink?.write);
  requireKnownOptions(owner, policies, ['concurrency', 'guard', 'settle', 'scheduler', 'name']);
  const concurrency = requireInteger(owner, 'concurrency', policies.concurrency ?? 1);
  const guard = policies.guard && requireFunction(owner, 'guard', policies.guard);
  const settle = policies.settle && requireFunction(owner, 'settle', policies.settle);
  const clock = policies.scheduler ?? asyncScheduler;

  return operate({ kind: owner, name: policies.name, role: 'writer' }, (operation) => {
    const { destination, stage, detach } = operation;
    const inside = aside(operation);
    const exit = new Exit(operation, () => {
      outcomes.drain();
      waiting.drain();
      endIfIdle();
    });
    let inFlight = 0;
    let heldItems = 0;
    let failed = false;
    let finish: (() => void) | undefined;

    const outcomes = new WaitingLine<WriteOutcome<T>>({
      // Each holds an item at least, and only those in flight can come: what is in flight is the limit.
      capacity: Number.MAX_SAFE_INTEGER,
      offer(outcome) {
        if (!exit.mayEmit()) return false;
        destination.next(outcome);
        return true;
      },
      fail: (error) => destination.error(error),
    });

    const waiting = new WaitingLine<readonly T[]>({
      capacity: WAITING_BATCHES,
      offer(batch) {
        if (inFlight >= concurrency || outcomes.length > 0 || failed || destination.closed) return false;
        inFlight += 1;
        if (inFlight >= concurrency) waiting.regulate();
        write(batch);
        return true;
      },
      isReady: () => inFlight < concurrency && outcomes.length === 0,
      fail: (error) => destination.error(error),
    });

    const write = (batch: readonly T[]) => {
      const startedAt = clock.now();
      let attempts = 0;
      let committed = false;
      let receipt: WriteReceipt | undefined;
      const commit = () => {
        committed = true;
      };
      const attempt$ = defer(() => {
        attempts += 1;
        return sink.write(batch);
      }).pipe(tap({ complete: commit }));
      const giveUp = (cause: unknown) => {
        const failure = new WriteError<T>(sink.name, batch, attempts, { cause });
        if (settle) settleParts(settle, failure);
        else fail(failure);
      };
      let over = false;
      const subscription = subscribeInner<WriteReceipt>(guard ? attempt$.pipe(guard) : attempt$, inside, {
        next(value) {
          receipt = value;
        },
        error: giveUp,
        complete() {
          if (!committed) {
            giveUp(new Error('its guard completed before the write did'));
            return;
          }
          const rows = receipt?.rows ?? batch.length;
          settled({ status: 'written', items: batch, rows, attempts, durationMs: clock.now() - startedAt });
          over = true;
        },
      });
      // The next write begins when this one has let go of what it used, and not before.
      subscription.add(() => {
        if (over) done();
      });
    };

    const settleParts = (settle: NonNullable<WritePolicies<T>['settle']>, failure: WriteError<T>) => {
      let unsettled = failure.items.length;
      const verify = (isOver: boolean) => {
        if (unsettled < 0 || (isOver && unsettled > 0)) {
          throw new Error(
            `writeTo: settle must give each of the ${failure.items.length} items of a batch one outcome, got ${failure.items.length - unsettled}`,
            { cause: failure },
          );
        }
      };
      subscribeInner<WriteOutcome<T>>(settle(failure), inside, {
        next(outcome) {
          unsettled -= outcome.items.length;
          verify(false);
          settled(outcome);
        },
        complete() {
          verify(true);
          done();
        },
      });
    };

    const settled = (outcome: WriteOutcome<T>) => {
      const count = outcome.items.length;
      heldItems -= count;
      if (outcome.status === 'written') stage.written += count;
      else stage.diverted += count;
      outcomes.push(outcome);
    };

    const done = () => {
      inFlight -= 1;
      waiting.drain();
      endIfIdle();
    };

    /** No new write begins; outcomes that wait are delivered, and then the error. */
    const fail = (failure: WriteError<T>) => {
      failed = true;
      detach();
      outcomes.end(() => destination.error(failure));
    };

    const endIfIdle = () => {
      if (finish && inFlight === 0) outcomes.end(finish);
    };

    const endWith = (end: () => void) =>
      waiting.end(() => {
        finish = end;
        endIfIdle();
      });

    return {
      gate: waiting.gate,
      held: () => heldItems,
      next(batch) {
        stage.batchesIn += 1;
        if (batch.length === 0) return;
        stage.in += batch.length;
        heldItems += batch.length;
        if (!admit(waiting, batch, operation, endWith, batch.length)) heldItems -= batch.length;
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
    };
  });
}
