import { asyncScheduler, type Observable, ReplaySubject, type SchedulerLike, Subscription } from 'rxjs';
import { isWriteOutcome } from '../contracts/sink.js';
import { withFallbackContext } from '../flow/context.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { requireFunction, requireKnownOptions, requireNumber } from '../primitives/validate.js';
import { RunError } from './runError.js';
import { type RunOutcome, type RunReport, reportOf } from './runReport.js';

/** Where signals come from: `process`, or a stand-in for it. */
export interface SignalEmitter {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface RunConfig {
  /** How long a drain may take before what is left is given up, in milliseconds, from 0 to 2³¹ − 1. Default 10,000. */
  readonly drainTimeoutMs?: number;
  /** The signals that ask for a drain. Default `SIGINT` and `SIGTERM`; an empty list for none. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Asks for a drain when it is aborted: for programs that stop for reasons of their own. */
  readonly stop?: AbortSignal;
  /**
   * Told once, when the drain begins, why: a signal, `stop`, or `failure` for a writer that cannot go on. What it throws fails
   * the run. Default: nobody is told.
   */
  readonly onDrain?: (reason: string) => void;
  /** Where stages register. Default: a new one; give one to read levels while the pipeline runs. */
  readonly monitor?: PipelineMonitor;
  /** The clock of the deadline. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Default `process`. */
  readonly emitter?: SignalEmitter;
}

/** A longer timer fires at once in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a second signal leaves of the time to drain, in milliseconds. */
const HURRY_MS = 1_000;

/** The end of a drain that belongs to the dead letters: this long, but no more than half of it. */
const SPILL_MS = 1_000;

const OPTIONS = ['drainTimeoutMs', 'signals', 'stop', 'onDrain', 'monitor', 'scheduler', 'emitter'];

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
  requireKnownOptions('run', config, OPTIONS);
  requireFunction('run', 'the subscribe of its pipeline', outcomes$?.subscribe);
  const drainTimeoutMs = requireNumber('run', 'drainTimeoutMs', config.drainTimeoutMs ?? 10_000, 0, MAX_TIMER_MS);
  const { signals = ['SIGINT', 'SIGTERM'], stop, scheduler = asyncScheduler } = config;
  const onDrain = config.onDrain && requireFunction('run', 'onDrain', config.onDrain);
  const emitter: SignalEmitter = config.emitter ?? process;
  const monitor = config.monitor ?? new PipelineMonitor();

  return new Promise((resolve, reject) => {
    const startedAt = scheduler.now();
    const stopping = new ReplaySubject<void>(1);
    const expired = new ReplaySubject<unknown>(1);
    const subscription = new Subscription();
    let requests = 0;
    let signal: string | undefined;
    let deadlineAt = Number.POSITIVE_INFINITY;
    let deadline: Subscription | undefined;
    let failure: { readonly error: unknown } | undefined;
    let batches = 0;
    let rows = 0;
    let ended = false;

    const end = (how: RunOutcome, cause?: unknown) => {
      if (ended) return;
      ended = true;
      let outcome = how;
      let error = cause;
      deadline?.unsubscribe();
      for (const name of signals) emitter.off(name, onSignal);
      stop?.removeEventListener('abort', onStop);
      try {
        subscription.unsubscribe();
      } catch (thrown) {
        // A part that cannot be torn down fails the run, and hides nothing that failed it before.
        error = how === 'failed' ? new AggregateError([cause, thrown], messageOf(cause)) : thrown;
        outcome = 'failed';
      }
      const durationMs = scheduler.now() - startedAt;
      const failed = outcome === 'failed';
      const report = reportOf(monitor, {
        outcome,
        durationMs,
        batches,
        rows,
        ...(signal === undefined ? {} : { signal }),
        ...(failed ? { error } : {}),
      });
      if (failed) reject(new RunError(report, { cause: error }));
      else resolve(report);
    };

    /** Everything in hand is settled, or the time for it is over. */
    const endDrain = (how: RunOutcome) => (failure ? end('failed', failure.error) : end(how));

    const drainWithin = (ms: number) => {
      const at = scheduler.now() + ms;
      if (at >= deadlineAt) return;
      deadlineAt = at;
      deadline?.unsubscribe();
      const spillMs = Math.min(SPILL_MS, ms / 2);
      deadline = scheduler.schedule(() => {
        // A span, and not what the clock says is left: it may have been set meanwhile.
        deadline = scheduler.schedule(() => endDrain('deadline'), spillMs);
        expired.next(undefined);
      }, ms - spillMs);
    };

    let isDraining = false;
    const drain = (reason: string) => {
      drainWithin(drainTimeoutMs);
      if (isDraining) return;
      isDraining = true;
      stopping.next();
      stopping.complete();
      try {
        onDrain?.(reason);
      } catch (error) {
        end('failed', error);
      }
    };

    const abort = (error: unknown) => {
      if (failure || ended) return;
      failure = { error };
      drain('failure');
    };

    const requestStop = () => {
      requests += 1;
      if (requests === 1) {
        drain(signal ?? 'stop');
      } else if (requests === 2) {
        drainWithin(HURRY_MS);
      } else {
        endDrain('deadline');
      }
    };
    const onSignal = (name: NodeJS.Signals) => {
      signal ??= name;
      requestStop();
    };
    const onStop = () => requestStop();

    const subscribe = () => {
      for (const name of signals) emitter.on(name, onSignal);
      if (stop?.aborted) requestStop();
      else stop?.addEventListener('abort', onStop, { once: true });
      subscription.add(
        outcomes$.pipe(withContext({ stopping, expired, abort, monitor })).subscribe({
          next(outcome) {
            if (!isWriteOutcome(outcome)) return;
            if (outcome.status === 'written') batches += 1;
            rows += outcome.rows;
          },
          error: (error) => end('failed', error),
          complete: () => endDrain(requests > 0 ? 'drained' : 'completed'),
        }),
      );
    };
    try {
      // A pipeline of its own, also where it is run in a callback of another.
      withFallbackContext(undefined, subscribe);
    } catch (error) {
      end('failed', error);
    }
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
