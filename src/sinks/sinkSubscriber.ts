import { asyncScheduler, Observable, Subscriber, tap, throwError } from 'rxjs';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import type { PipelineMonitor } from '../flow/monitor.js';
import { PipelineRun, type PipelineRunOptions, RUN_OPTIONS } from '../operators/running/pipelineRun.js';
import type { RunReport } from '../operators/running/runReport.js';
import { type WriteCoordinatorConfig, writeCoordinator } from '../operators/writeCoordinator.js';
import { readOptions } from '../primitives/options.js';

export interface SinkSubscriberConfig<T> extends WriteCoordinatorConfig<T>, PipelineRunOptions {
  /** Called with the outcome of each batch. What it throws ends the pipeline with that error. */
  readonly onOutcome?: (outcome: WriteOutcome<T>) => void;
}

/**
 * A subscriber that writes: `bars$.subscribe(sinkSubscriber(barsSink(pool)))` is a whole pipeline, with buffer, lanes,
 * batches and backpressure (the settings are those of `writeCoordinator`).
 *
 * ```text
 * items   --a-b-c-d--e|
 * writes  ---(ab)-(cd)-(e|)
 * ```
 *
 * **Emits when**: it does not. `onOutcome` is called for each batch, and `whenFinished()` resolves with the report at the end.
 * **Backpressure**: closes its gate to the source at the high watermark of its buffer, opens it at the low one.
 * **Completes when**: the source has completed, or `stop()` was called, and everything held is written; or when the
 * drain that `stop()` started is out of time.
 * **Errors when**: the source or a write fails, or `onOutcome` throws: `whenFinished()` rejects. If `whenFinished()` was never
 * called, the error is reported the way RxJS reports an unhandled one, which ends the process.
 * **On unsubscribe**: what is held is abandoned, and shows as `held` in the report.
 *
 * **Delivery**: at least once to the sink while the process lives. `stop()` drains as `run()` does: with
 * `policies.deadLetters`, what is not written by the last second of `drainTimeoutMs` goes there; without, it is reported as
 * `held`. What is held is lost with the process unless the source can redeliver it.
 *
 * **Gotchas**:
 * - Use one for one subscription. To run a chain as a program, with signals and a report, use `run()`.
 * - `whenFinished()` also resolves where items were held at the end: `isSettled(report)` of `sluice/pipelines` says so.
 *
 * @example
 * ```ts
 * import { memorySink, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const writer = sinkSubscriber(memorySink(), { batchSize: 100 });
 * synthetic({ symbols: 5, count: 1_000, seed: 1 }).subscribe(writer);
 * const report = await writer.whenFinished();
 * console.log(report.written); // 1000
 * ```
 */
export function sinkSubscriber<T>(sink: Sink<T>, config: SinkSubscriberConfig<T> = {}): SinkSubscriber<T> {
  return new SinkSubscriber(sink, config);
}

/** Its fields are not private names, because a `Proxy` around a subscriber has none. */
export class SinkSubscriber<T> extends Subscriber<T> {
  readonly monitor: PipelineMonitor;
  private readonly _pipeline: PipelineRun;
  private readonly _head: Subscriber<T> | undefined;
  private readonly _ended: Promise<RunReport>;
  private _isEnding = false;
  private _isAwaited = false;

  /** Made by {@link sinkSubscriber}. */
  constructor(sink: Sink<T>, config: SinkSubscriberConfig<T>) {
    const { onOutcome, drainTimeoutMs, observe, monitor, ...coordinator } = config;
    let settle: (report: RunReport) => void = () => {};
    const ended = new Promise<RunReport>((resolve, reject) => {
      settle = (report) => (report.outcome === 'failed' ? reject(report.error) : resolve(report));
    });
    // Its end may come while it starts, and then finds no `this` yet.
    const pipeline = new PipelineRun({
      ...readOptions('sinkSubscriber', { drainTimeoutMs, observe, monitor } as PipelineRunOptions, RUN_OPTIONS),
      scheduler: config.policies?.scheduler ?? asyncScheduler,
      onEnd: (report) => settle(report),
    });
    let head: Subscriber<T> | undefined;
    const input$ = new Observable<T>((subscriber) => {
      head = subscriber;
    });
    pipeline.start(
      input$.pipe(
        writeCoordinator(sink, coordinator),
        // Inside the chain rather than in its observer, so that what `onOutcome` throws is an error of the pipeline.
        tap((outcome) => onOutcome?.(outcome)),
      ),
    );
    // Chained to the head of the pipeline: what is upstream finds its gate, and `next` goes straight in.
    head ??= closedSubscriber();
    super(head);
    this.monitor = pipeline.monitor;
    this._pipeline = pipeline;
    this._head = head;
    this._ended = ended;
    // A rejection that nobody awaits is reported once those who subscribe first and then await have had the time to.
    this._ended.catch((error: unknown) => {
      if (!this._isAwaited) throwError(() => error).subscribe();
    });
  }

  /** Resolves with the report when everything is written or given up; rejects with what stopped the pipeline. */
  whenFinished(): Promise<RunReport> {
    this._isAwaited = true;
    return this._ended;
  }

  /** Starts a drain: the source is unsubscribed, and what is held is written within `drainTimeoutMs`. */
  stop(): void {
    if (!this._pipeline.isDraining) this._pipeline.request('stop');
  }

  override error(error: unknown): void {
    this._isEnding = true;
    super.error(error);
    this._isEnding = false;
  }

  override complete(): void {
    this._isEnding = true;
    super.complete();
    this._isEnding = false;
  }

  /** Gives up what is held. RxJS calls it too, at the end of the input, when what is held is still to be written. */
  override unsubscribe(): void {
    // Torn down by the pipeline, which then ends by itself: its buffer is full, it has failed, or it was stopped. It has no head yet
    // where the pipeline ended while it started.
    const isTearingDown = !this.closed && this._head?.closed !== false;
    super.unsubscribe();
    if (this._isEnding || isTearingDown) return;
    this._pipeline.end('unsubscribed');
  }
}

/** The head of a pipeline that ended before its input was subscribed. */
function closedSubscriber(): Subscriber<never> {
  const subscriber = new Subscriber<never>();
  subscriber.unsubscribe();
  return subscriber;
}
