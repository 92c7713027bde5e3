import { writeSync } from 'node:fs';
import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import {
  PipelineRun,
  type PipelineRunOptions,
  type RequestEffect,
  RUN_OPTIONS,
} from '../operators/running/pipelineRun.js';
import type { RunReport } from '../operators/running/runReport.js';
import {
  checked,
  func,
  having,
  listOf,
  type OptionsOf,
  readArgument,
  readOptions,
  text,
} from '../primitives/options.js';
import { type RunLogger, type RunLogLevel, runLog } from './log/runLog.js';
import { type ProgressConfig, runProgress } from './progress/runProgress.js';
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
  /**
   * Whether to show how far the run is, on standard error: on a terminal one line that is redrawn a few times a second, elsewhere a
   * line now and then. Where every source knows how much there is, as an array, `synthetic({ count })` or a file does, it has a bar
   * with the share that is settled, the rate and the time left; else counts and the rate. Default false.
   */
  readonly progress?: boolean | ProgressConfig;
  /**
   * Receives what must not stay unnoticed, a sentence at a time: a write that fails, the circuit breaker, a source that is subscribed
   * again, a gate that stays closed, what goes to the dead letters and what could not be read. Each has a few lines and is then
   * counted, without secrets and control characters. A function, a logger such as one of pino, or `false` for nowhere. Default: standard
   * error, or, where there is an `emitter`, nowhere.
   */
  readonly log?: ((sentence: string) => void) | RunLogger | false;
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
  progress: checked(
    'true, false or the options of a progress',
    (value): value is boolean | ProgressConfig =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null),
  ).default(false),
  log: checked<false | object | ((...args: never[]) => unknown)>(
    'a function, a logger with info, warn and error, or false',
    (value): value is false | object => value === false || typeof value === 'function' || isLogger(value),
  ),
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
 * **Progress**: with `progress: true` a line on standard error shows how far the run is, by what is settled rather than by what was
 * read. It has a bar with the share and the time left where every source knows how much there is: `fromIterable()` of an array,
 * `synthetic({ count })`, `replayFile()` by the bytes of the file, and your own sources by `outlet.progress()` of `gatedSource()`. On a
 * terminal it is redrawn five times a second at most, also where writes block the event loop; elsewhere it is a line after two
 * seconds, and later ones less and less often.
 *
 * **Log**: what must not stay unnoticed is said on standard error, unless `log` says otherwise: writes that fail, with their next try,
 * changes of a breaker, sources that are subscribed again, a gate that stays closed for 30 seconds while nothing moves, dead letters,
 * a full disk that holds them up, and rows of a file that cannot be read and have no `onBadRow`. Of each kind the first three lines come as they happen;
 * then one line after 10 s says how many there were, the next after 20 s, and so on. For metrics and structured logs use `observe`.
 *
 * **Exit codes**: `run()` sets none, and never ends the process. A rejection that nobody catches ends it with 1, and its error prints
 * about ten lines. Of a run that resolves, end with another code than 0 where `isSettled(report)` is false, or where dead letters must
 * be looked at: `if (!isSettled(report) || report.diverted > 0) process.exitCode = 1`.
 *
 * **Gotchas**:
 * - A foreign source does not notice the request to stop; put `untilStopped()` behind it (`writeCoordinator` includes one). The report
 *   names such sources as `unstopped`.
 * - The second that belongs to the dead letters is longer by the clock where the event loop is blocked meanwhile.
 *
 * @example
 * ```ts
 * import { formatReport, run } from 'sluice/pipelines';
 * import { writeCoordinator } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const bars$ = synthetic({ symbols: 10, count: 1_000, seed: 7 });
 * const report = await run(bars$.pipe(writeCoordinator(memorySink())), { progress: true });
 * console.log(formatReport(report));
 * ```
 */
export function run<R>(outcomes$: Observable<R>, config: RunConfig = {}): Promise<RunReport> {
  readArgument('run', 'the subscribe of its pipeline', outcomes$?.subscribe, func());
  const {
    signals,
    stop,
    emitter,
    say: given,
    progress: progressOptions,
    log = config.emitter ? false : toStandardError,
    observe,
    ...options
  } = readOptions('run', config, OPTIONS);
  const progress =
    progressOptions === false
      ? undefined
      : runProgress('run: progress', progressOptions === true ? {} : progressOptions);
  const toPerson = progress ? (sentence: string) => progress.say(sentence) : toStandardError;
  const say = given ?? (config.emitter ? false : toPerson);
  const observers = [...observe];
  if (log !== false) observers.push(runLog(writerTo(log === toStandardError ? toPerson : log), REAL_TIME));
  if (progress) observers.push(progress);

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
      observe: observers,
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

function isLogger(value: unknown): value is RunLogger {
  const { info, warn, error } = (value ?? {}) as Partial<RunLogger>;
  return [info, warn, error].every((method) => typeof method === 'function');
}

/** Hands the lines of the log to whoever receives them. */
function writerTo(log: ((sentence: string) => void) | RunLogger): (level: RunLogLevel, line: string) => void {
  return typeof log === 'function' ? (_, line) => log(line) : (level, line) => log[level]({}, line);
}

/** The log is for people, whatever the clock of the pipeline; its timer keeps no process alive. */
const REAL_TIME = {
  now: () => performance.now(),
  every(ms: number, work: () => void) {
    const timer = setInterval(work, ms).unref();
    return () => clearInterval(timer);
  },
};
