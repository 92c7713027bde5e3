import { writeSync } from 'node:fs';
import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import {
  PipelineRun,
  type PipelineRunOptions,
  type RequestEffect,
  RUN_OPTIONS,
} from '../operators/running/pipelineRun.js';
import type { RunReport } from '../operators/running/runReport.js';
import { func, having, listOf, type OptionsOf, readArgument, readOptions, text } from '../primitives/options.js';
import { RunError } from './runError.js';

/** Where signals come from: `process`, or a stand-in for it. */
export interface SignalEmitter {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface RunConfig extends PipelineRunOptions {
  /** The signals that start a drain. Default `SIGINT` and `SIGTERM`; an empty list for none. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Starts a drain when it is aborted, for programs that stop for reasons of their own. */
  readonly stop?: AbortSignal;
  /**
   * Receives a sentence at each signal: what the run does now, and what the next signal would do. Default: it is written to
   * standard error, or, where there is an `emitter`, to nowhere. `false` for nowhere.
   */
  readonly say?: ((sentence: string) => void) | false;
  /** The clock of the deadline. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Default `process`. */
  readonly emitter?: SignalEmitter;
}

const OPTIONS = {
  ...RUN_OPTIONS,
  signals: listOf(text()).default(['SIGINT', 'SIGTERM']),
  stop: having('addEventListener'),
  say: func().or(false),
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
 * The first signal starts a drain: sources complete, buffers empty, partial batches are flushed. In the last second of a drain, or
 * in its second half if it is shorter than two seconds, the drain has expired: writers with dead letters give up what they are
 * writing, and everything still held goes there. A second signal has it expire immediately, a third ends it. Signals within half a
 * second are one, because a runner such as npm passes on what its child receives as well. What is left at the deadline is reported
 * as `held`, by stage: it is lost unless its source can give it again.
 *
 * A writer that cannot go on, such as one whose table is missing, also starts a drain, in which everything that it holds goes to
 * the dead letters; then the run fails with its error.
 *
 * **Emits when**: it does not. The promise resolves with the {@link RunReport} when the pipeline has ended.
 * **Backpressure**: none of its own. Outcomes are counted and discarded.
 * **Completes when**: the pipeline completes, or the deadline of a drain has passed, whatever its parts are waiting for.
 * **Errors when**: the pipeline does: the promise rejects with a {@link RunError} that carries cause and report.
 * **On unsubscribe**: at the deadline everything upstream is torn down; writes in flight are not waited for.
 *
 * **Delivery**: what is reported as written is committed. An item held at the deadline may have been committed too if its write
 * was in flight: write it again. What is held is lost with the process unless the source can redeliver it.
 *
 * **Gotchas**:
 * - A foreign source does not notice the request to stop; put `untilStopped()` behind it (`writeCoordinator` includes one). The report
 *   names such sources as `unstopped`.
 * - The second that belongs to the dead letters is longer by the clock where the event loop is blocked meanwhile.
 * - A program should end with an exit code other than 0 where `isSettled(report)` is false.
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
  const {
    signals,
    stop,
    emitter,
    say = config.emitter ? false : toStandardError,
    ...options
  } = readOptions('run', config, OPTIONS);

  return new Promise((resolve, reject) => {
    const onSignal = (name: NodeJS.Signals) => {
      pipeline.request(name, name, (effect) => {
        try {
          if (say) say(`${name}: ${sentenceOf(effect, options.drainTimeoutMs)}`);
        } catch {
          // A stop must not fail for want of someone to tell it to.
        }
      });
    };
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
      pipeline.end('failed', error);
    }
  });
}

function sentenceOf(effect: RequestEffect, drainTimeoutMs: number): string {
  if (effect === 'drain') {
    return `writing what is held, for at most ${drainTimeoutMs / 1_000} s; a second signal ends the writing`;
  }
  if (effect === 'end') return 'ending now; what is still held is lost unless its source gives it again';
  return (
    'nothing more is written; what is held goes to the dead letters, within a second ' +
    '(without dead letters it is lost unless its source gives it again); a third signal ends that too'
  );
}

/** At once, because the process may end before a stream has written. */
function toStandardError(sentence: string): void {
  writeSync(2, `${sentence}\n`);
}
