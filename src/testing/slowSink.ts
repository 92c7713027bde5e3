import { asyncScheduler, defer, finalize, map, type SchedulerLike, tap, timer } from 'rxjs';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import { duration, func, having, type OptionsOf, readOptions, text } from '../primitives/options.js';
import { WriteLog } from './writeLog.js';

export interface SlowSinkConfig<T> {
  /** How long a write takes, in milliseconds of the scheduler. From 0. */
  readonly serviceTimeMs: number;
  /** Default `asyncScheduler`, which is virtual inside {@link marbles}. */
  readonly scheduler?: SchedulerLike;
  /** How many rows a batch changes. Default: one per item. */
  readonly rows?: (batch: readonly T[]) => number;
  /**
   * Whether a write fails after its service time, or the `Error` to fail with. `attempt` counts the attempts for this batch,
   * from 1. Default: no write fails.
   */
  readonly failOn?: (batch: readonly T[], attempt: number) => boolean | Error;
  /** The name in metrics, errors and the report. Default `slowSink`. */
  readonly name?: string;
  /** The key of an item, if writes of one key must stay in order. Default: none. */
  readonly keyOf?: (item: T) => string | number;
}

/** A sink that records its writes. */
export interface SlowSink<T> extends Sink<T> {
  /** The committed batches, in the order of their commits. */
  readonly written: readonly (readonly T[])[];
  /** Writes that are not committed, failed or abandoned yet. */
  readonly inFlight: number;
  /** The maximum number of concurrent writes so far. */
  readonly maxInFlight: number;
  /** How many writes were started, including failed ones. */
  readonly attempts: number;
}

const OPTIONS = {
  serviceTimeMs: duration().required(),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  rows: func(),
  failOn: func(),
  name: text().default('slowSink'),
  keyOf: func(),
} satisfies OptionsOf<SlowSinkConfig<unknown>>;

/**
 * A slow sink: each write commits after `serviceTimeMs`. Writes are cold Observables on a timer rather than promises, so they
 * run in virtual time.
 *
 * @example
 * ```ts
 * import { from } from 'rxjs';
 * import { writeCoordinator } from 'sluice/operators';
 * import { slowSink } from 'sluice/testing';
 *
 * const sink = slowSink<number>({ serviceTimeMs: 20 });
 * from([1, 2, 3])
 *   .pipe(writeCoordinator(sink, { workers: 1, batchSize: 2 }))
 *   .subscribe({ complete: () => console.log(sink.written) });
 * ```
 */
export function slowSink<T>(config: SlowSinkConfig<T>): SlowSink<T> {
  const { serviceTimeMs, scheduler, rows, failOn, name, keyOf } = readOptions('slowSink', config, OPTIONS);
  const log = new WriteLog<T>();
  const tries = new WeakMap<readonly T[], number>();

  const commit = (batch: readonly T[], attempt: number): WriteReceipt => {
    const failure = failOn?.(batch, attempt) ?? false;
    if (failure !== false) throw failure === true ? new Error(`${name} fails attempt ${attempt} on request`) : failure;
    log.written.push(batch);
    return { rows: rows ? rows(batch) : batch.length };
  };

  const write = (batch: readonly T[]) =>
    defer(() => {
      const attempt = (tries.get(batch) ?? 0) + 1;
      tries.set(batch, attempt);
      // A write ends before its commit is reported, because the subscriber may start the next one immediately.
      const end = log.begin();
      return timer(serviceTimeMs, scheduler).pipe(
        tap(end),
        map(() => commit(batch, attempt)),
        finalize(end),
      );
    });
  return Object.assign(log, { name, write, ...(keyOf && { keyOf }) });
}
