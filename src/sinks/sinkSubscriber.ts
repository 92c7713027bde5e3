import { Observable, ReplaySubject, Subscriber, Subscription, tap, throwError } from 'rxjs';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import { withFallbackContext } from '../flow/context.js';
import { type Account, PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { type WriteCoordinatorConfig, writeCoordinator } from '../operators/writeCoordinator.js';

export interface SinkSubscriberConfig<T> extends WriteCoordinatorConfig<T> {
  /** Told of each batch. What it throws ends the pipeline with that error. Default: nobody is told. */
  readonly onOutcome?: (outcome: WriteOutcome<T>) => void;
  /** Where stages register. Default: a new one. */
  readonly monitor?: PipelineMonitor;
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
 * **Emits when**: it does not; `onOutcome` is told of each batch, and `finished` when all is over.
 * **Backpressure**: closes its gate to the source at the high watermark of its buffer, opens it at the low one.
 * **Completes when**: the source has completed, or `stop()` was called, and everything held is written.
 * **Errors when**: the source or a write fails, or `onOutcome` throws: `finished` rejects. Where nobody has asked for `finished`, the error is
 * reported as RxJS reports an unhandled one, which ends the process.
 * **On unsubscribe**: what is held is abandoned, and shows as `held` in the account.
 *
 * **Delivery**: at least once to the sink while the process lives.
 *
 * **Gotchas**: use one for one subscription. To run a chain as a program, with signals and a report, use `run()`.
 *
 * @example
 * ```ts
 * import { memorySink, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const writer = sinkSubscriber(memorySink(), { batchSize: 100 });
 * synthetic({ symbols: 5, count: 1_000, seed: 1 }).subscribe(writer);
 * const account = await writer.finished;
 * console.log(account.written); // 1000
 * ```
 */
export function sinkSubscriber<T>(sink: Sink<T>, config: SinkSubscriberConfig<T> = {}): SinkSubscriber<T> {
  return new SinkSubscriber(sink, config);
}

export class SinkSubscriber<T> extends Subscriber<T> {
  readonly monitor: PipelineMonitor;
  readonly #stopping: ReplaySubject<void>;
  readonly #pipeline: Subscription;
  readonly #head: Subscriber<T>;
  readonly #settled: Promise<Account>;
  #settle: (account: Account) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #isEnding = false;
  #awaited = false;

  /** Made by {@link sinkSubscriber}. */
  constructor(sink: Sink<T>, { onOutcome, monitor = new PipelineMonitor(), ...config }: SinkSubscriberConfig<T>) {
    const stopping = new ReplaySubject<void>(1);
    let head: Subscriber<T> | undefined;
    const input$ = new Observable<T>((subscriber) => {
      head = subscriber;
    });
    // Told inside the chain and not by its observer: what `onOutcome` throws there is an error of the pipeline.
    const outcomes$ = input$.pipe(
      writeCoordinator(sink, config),
      tap((outcome) => onOutcome?.(outcome)),
      withContext({ stopping, monitor }),
    );
    let pipeline = Subscription.EMPTY;
    // A pipeline of its own, also where it is made in a callback of another.
    withFallbackContext(undefined, () => {
      pipeline = outcomes$.subscribe({
        error: (error) => this.#reject(error),
        complete: () => this.#settle(monitor.account()),
      });
    });
    // Chained to the head of the pipeline: what is upstream finds its gate, and `next` goes straight in.
    super(head);
    this.monitor = monitor;
    this.#stopping = stopping;
    this.#pipeline = pipeline;
    this.#head = head as Subscriber<T>;
    this.#settled = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#reject = reject;
    });
    // A rejection that nobody awaits is reported once those who subscribe and then await have had the time to.
    this.#settled.catch((error: unknown) => {
      if (!this.#awaited) throwError(() => error).subscribe();
    });
  }

  /** The account, when everything is written or given up; rejects with what stopped the pipeline. */
  get finished(): Promise<Account> {
    this.#awaited = true;
    return this.#settled;
  }

  /** Asks for a drain: the source is let go, and what is held is written. */
  stop(): void {
    this.#stopping.next();
    this.#stopping.complete();
  }

  override error(error: unknown): void {
    this.#isEnding = true;
    super.error(error);
    this.#isEnding = false;
  }

  override complete(): void {
    this.#isEnding = true;
    super.complete();
    this.#isEnding = false;
  }

  /** Gives up what is held. RxJS calls it too, at the end of the input, when what is held is still to be written. */
  override unsubscribe(): void {
    // Let go of by the pipeline, which then ends by itself: it is full, has failed, or was stopped.
    const isTearingDown = !this.closed && this.#head.closed;
    super.unsubscribe();
    if (this.#isEnding || isTearingDown) return;
    this.#pipeline.unsubscribe();
    this.#settle(this.monitor.account());
  }
}
