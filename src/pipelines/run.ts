import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import type { PipelineMonitor } from '../flow/monitor.js';
import { PipelineRun } from '../operators/running/pipelineRun.js';
import { OBSERVERS, type RunObserver } from '../operators/running/runObserver.js';
import type { RunReport } from '../operators/running/runReport.js';
import {
  duration,
  func,
  having,
  listOf,
  type OptionsOf,
  readArgument,
  readOptions,
  text,
} from '../primitives/options.js';
import { RunError } from './runError.js';

/** Where signals come from: `process`, or a stand-in for it. */
export interface SignalEmitter {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface RunConfig {
  /** How long a drain may take before what is left is given up, in milliseconds, 0 or more. Default 10,000. */
  readonly drainTimeoutMs?: number;
  /** The signals that ask for a drain. Default `SIGINT` and `SIGTERM`; an empty list for none. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Asks for a drain when it is aborted: for programs that stop for reasons of their own. */
  readonly stop?: AbortSignal;
  /** What follows the run, such as `pipelineTelemetry()` and `logPipeline()`. Default: nothing. */
  readonly observe?: readonly RunObserver[];
  /** Where stages register. Default: a new one; give one to read levels while the pipeline runs. */
  readonly monitor?: PipelineMonitor;
  /** The clock of the deadline. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Default `process`. */
  readonly emitter?: SignalEmitter;
}

const OPTIONS = {
  drainTimeoutMs: duration().default(10_000),
  signals: listOf(text()).default(['SIGINT', 'SIGTERM']),
  stop: having('addEventListener'),
  observe: OBSERVERS,
  monitor: having('register', 'observe'),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  emitter: having('on', 'off').default(process),
} satisfies OptionsOf<RunConfig>;

/**
 * Runs a pipeline as a program: subscribes it, drains it on SIGINT and SIGTERM, and accounts for every item.
 *
 * ```text
 * items      --a--b--c--d--e--f-- … (never ends)
 * SIGTERM    -----------!
 * outcomes   ---a--b--c---d|          sources complete, what is held is written
 * ```
 *
 * The first signal asks for a drain: sources complete, buffers empty, partial batches are flushed. A second leaves the
 * drain one second, a third ends it at once. In the last second of a drain, or in its last half where it is shorter, writers
 * with dead letters give up what they are writing, and everything that is still held goes there. What is left when the time
 * is over is reported as `held`, by stage.
 *
 * A writer that cannot go on (its table is missing, its password wrong) starts a drain as well, in which what it holds goes to
 * the dead letters; then the run fails with that error.
 *
 * **Emits when**: it does not; the promise resolves with the {@link RunReport} when the pipeline has ended.
 * **Backpressure**: none of its own; outcomes are counted and let go.
 * **Completes when**: the pipeline completes, or the deadline of a drain has passed, whatever its parts are waiting for.
 * **Errors when**: the pipeline does: the promise rejects with a {@link RunError} that carries cause and report.
 * **On unsubscribe**: at the deadline everything upstream is torn down; writes in flight are not waited for.
 *
 * **Delivery**: what is reported as written is committed. An item held at the deadline may have been committed too, if
 * its write was in flight: write it again.
 *
 * **Gotchas**: a source that is none of Sluice's does not hear the request to stop; put `untilStopped()` behind it
 * (`writeCoordinator` has one).
 *
 * @example
 * ```ts
 * import { formatReport, run } from 'sluice/pipelines';
 * import { writeCoordinator } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const bars$ = synthetic({ symbols: 10, count: 1_000, seed: 7 });
 * const report = await run(bars$.pipe(writeCoordinator(memorySink())));
 * console.log(formatReport(report));
 * ```
 */
export function run<R>(outcomes$: Observable<R>, config: RunConfig = {}): Promise<RunReport> {
  readArgument('run', 'the subscribe of its pipeline', outcomes$?.subscribe, func());
  const { signals, stop, emitter, ...options } = readOptions('run', config, OPTIONS);

  return new Promise((resolve, reject) => {
    const onSignal = (name: NodeJS.Signals) => pipeline.request(name, name);
    const onStop = () => pipeline.request('stop');
    const pipeline = new PipelineRun({
      ...options,
      onEnd(report) {
        for (const name of signals) emitter.off(name, onSignal);
        stop?.removeEventListener('abort', onStop);
        if (report.outcome === 'failed') reject(new RunError(report, { cause: report.error }));
        else resolve(report);
      },
    });
    try {
      for (const name of signals) emitter.on(name, onSignal);
      if (stop?.aborted) onStop();
      else stop?.addEventListener('abort', onStop, { once: true });
      pipeline.start(outcomes$);
    } catch (error) {
      pipeline.fail(error);
    }
  });
}
