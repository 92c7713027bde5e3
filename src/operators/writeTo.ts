import {
  asyncScheduler,
  defer,
  from,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { operate, subscribeInner } from '../flow/operate.js';
import { admit, WaitingLine } from '../flow/waitingLine.js';
import type { Sink, WriteOutcome, WriteReceipt } from '../model/sink.js';
import { WriteError } from '../model/writeError.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../policies/validate.js';

/** What stands between a batch and the pipeline's end when a write fails. */
export interface WritePolicies<T> {
  /** How many writes may be in flight at once. Integer of at least 1, default 1, which keeps the order of batches. */
  readonly concurrency?: number;
  /** Put around every write, which starts anew at each subscription: retries, a breaker, a time limit. Default: nothing. */
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
    const { destination, downstream, stage } = operation;
    const gate = downstream.gate;
    let inFlight = 0;
    let heldItems = 0;
    let cancelWait: (() => void) | undefined;
    let finish: (() => void) | undefined;

    const outcomes = new WaitingLine<WriteOutcome<T>>({
      offer(outcome) {
        if (!gate.isOpen) {
          cancelWait ??= gate.whenOpen(onOpen);
          return false;
        }
        destination.next(outcome);
        return true;
      },
      fail: (error) => destination.error(error),
    });

    const waiting = new WaitingLine<readonly T[]>({
      capacity: WAITING_BATCHES,
      offer(batch) {
        if (inFlight >= concurrency || outcomes.length > 0) return false;
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
      let receipt: WriteReceipt | undefined;
      const attempt$ = defer(() => {
        attempts += 1;
        return sink.write(batch);
      });
      subscribeInner<WriteReceipt>(guard ? attempt$.pipe(guard) : attempt$, operation, {
        next(value) {
          receipt = value;
        },
        error(cause) {
          const failure = new WriteError<T>(sink.name, batch, attempts, { cause });
          if (!settle) throw failure;
          subscribeInner<WriteOutcome<T>>(from(settle(failure)), operation, { next: settled, complete: done });
        },
        complete() {
          const rows = receipt?.rows ?? batch.length;
          settled({ status: 'written', items: batch, rows, attempts, durationMs: clock.now() - startedAt });
          done();
        },
      });
    };

    const settled = (outcome: WriteOutcome<T>) => {
      const count = outcome.items.length;
      heldItems -= count;
      if (outcome.status === 'written') stage.written += count;
      else stage.diverted += count;
      admit(outcomes, outcome, operation);
    };

    const done = () => {
      inFlight -= 1;
      waiting.drain();
      endIfIdle();
    };

    const onOpen = () => {
      cancelWait = undefined;
      outcomes.drain();
      waiting.drain();
      endIfIdle();
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
        if (batch.length === 0) return;
        stage.in += batch.length;
        heldItems += batch.length;
        if (!admit(waiting, batch, operation, endWith, batch.length)) heldItems -= batch.length;
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
      finalize: () => cancelWait?.(),
    };
  });
}
