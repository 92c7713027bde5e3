import { type Observable, type SchedulerLike, Subscriber, Subscription } from 'rxjs';
import { isWriteOutcome } from '../../contracts/sink.js';
import { withFallbackContext } from '../../flow/context.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import type { RequestEffect } from '../../policies/drain.js';
import { messageOf } from '../../primitives/messageOf.js';
import { duration, having, type OptionsOf, type Read } from '../../primitives/options.js';
import { DrainController } from './drainController.js';
import { OBSERVERS, type RunObserver, RunObservers } from './runObserver.js';
import { type RunOutcome, type RunReport, reportOf } from './runReport.js';
import { unstoppedSources } from './unstoppedSources.js';

export type { RequestEffect };

/** The options that everything which runs a pipeline has. */
export interface PipelineRunOptions {
  /** How long a drain may take before what is left is abandoned, in milliseconds, 0 or more. Default 10,000. */
  readonly drainTimeoutMs?: number;
  /** What follows the run, such as `pipelineTelemetry()` and `logPipeline()`. Default: nothing. */
  readonly observe?: readonly RunObserver[];
  /** Where stages register; give one to read levels while the pipeline runs. Default: a new one. */
  readonly monitor?: PipelineMonitor;
}

export const RUN_OPTIONS = {
  drainTimeoutMs: duration().default(10_000),
  observe: OBSERVERS,
  monitor: having('register', 'observe'),
} satisfies OptionsOf<PipelineRunOptions>;

interface PipelineRunConfig extends Read<PipelineRunOptions, typeof RUN_OPTIONS> {
  readonly scheduler: SchedulerLike;
  /** Called once, when everything is torn down. */
  readonly onEnd: (report: RunReport) => void;
}

/** One run of a pipeline, from its subscription to its report: what `run()` and `sinkSubscriber()` have in common. */
export class PipelineRun {
  readonly monitor: PipelineMonitor;
  readonly #config: PipelineRunConfig;
  readonly #startedAt: number;
  readonly #drain: DrainController;
  readonly #observers: RunObservers;
  readonly #subscription = new Subscription();
  #reason = 'failure';
  #signal: string | undefined;
  #batches = 0;
  #rows = 0;
  #unstopped: readonly string[] = [];
  #isOver = false;

  constructor(config: PipelineRunConfig) {
    this.#config = config;
    this.monitor = config.monitor ?? new PipelineMonitor();
    const { scheduler, drainTimeoutMs, observe } = config;
    this.#observers = new RunObservers(observe);
    this.#startedAt = scheduler.now();
    this.#drain = new DrainController({
      scheduler,
      timeoutMs: drainTimeoutMs,
      onDraining: () => this.#observers.draining(this.#reason),
      onDeadline: () => {
        this.#unstopped = unstoppedSources(this.monitor.stages);
        this.#endDrain('deadline');
      },
    });
  }

  get isDraining(): boolean {
    return this.#drain.machine.phase !== 'running';
  }

  /**
   * Subscribes the pipeline as one of its own, also where this is called from a callback of another. It does not throw: what an
   * observer throws before that ends the run.
   */
  start(outcomes$: Observable<unknown>): void {
    const { stopping, expired, abort } = this.#drain;
    const { monitor } = this;
    try {
      this.#observers.attach(monitor);
    } catch (error) {
      this.end('failed', error);
      return;
    }
    if (this.isDraining) this.#observers.draining(this.#reason);
    const taker = Subscriber.create<unknown>(
      (outcome) => {
        if (!isWriteOutcome(outcome)) return;
        if (outcome.status === 'written') this.#batches += 1;
        this.#rows += outcome.rows;
      },
      (error) => this.end('failed', error),
      () => this.#endDrain(this.#drain.machine.isRequested ? 'drained' : 'completed'),
    );
    // Before it is subscribed, so that a pipeline that ends at once is torn down before it is reported too.
    this.#subscription.add(taker);
    withFallbackContext(undefined, () => {
      outcomes$.pipe(withContext({ stopping, expired, abort, monitor })).subscribe(taker);
    });
  }

  /**
   * Asks for a drain. The second time ends the writing and leaves the dead letters a second at most, the third ends the run. What
   * it does is told before it is done.
   */
  request(reason: string, signal?: string, tell?: (effect: RequestEffect) => void): void {
    const { effect } = this.#drain;
    if (effect === 'none') return;
    this.#signal ??= signal;
    if (!this.isDraining) this.#reason = reason;
    tell?.(effect);
    if (effect !== 'drain') this.#observers.hurrying(reason, effect);
    this.#drain.request();
  }

  /** Everything is settled, or the time for it is over. */
  #endDrain(outcome: RunOutcome): void {
    const { failure } = this.#drain.machine;
    if (failure) this.end('failed', failure.error);
    else this.end(outcome);
  }

  /** Tears the pipeline down, and gives up what it still holds. Only the first call counts. */
  end(how: RunOutcome, cause?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#drain.close();
    let outcome = how;
    let error = cause;
    /** What cannot be torn down or accounted for fails the run, but does not hide what failed it before. */
    const fail = (thrown: unknown) => {
      error = outcome === 'failed' ? new AggregateError([error, thrown], messageOf(error)) : thrown;
      outcome = 'failed';
    };
    try {
      this.#subscription.unsubscribe();
    } catch (thrown) {
      fail(thrown);
    }
    const { scheduler, onEnd } = this.#config;
    const report = (monitor: PipelineMonitor): RunReport =>
      reportOf(monitor, {
        outcome,
        durationMs: scheduler.now() - this.#startedAt,
        batches: this.#batches,
        rows: this.#rows,
        unstopped: this.#unstopped,
        ...(this.#signal === undefined ? {} : { signal: this.#signal }),
        ...(outcome === 'failed' ? { error } : {}),
      });
    let final: RunReport;
    try {
      final = report(this.monitor);
    } catch (thrown) {
      fail(thrown);
      // Without an account: whoever waits for the end must hear of it.
      final = report(new PipelineMonitor());
    }
    this.#observers.finished(final);
    onEnd(final);
  }
}
