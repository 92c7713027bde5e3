import type { Account, Stage, StageObserver, WatchedBreaker } from '../flow/monitor.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { requireDuration, requireFunction, requireKnownOptions } from '../primitives/validate.js';
import type { Logger } from './createLogger.js';

export interface LogPipelineConfig {
  /** How often the same trouble of the same stage is told at most, in milliseconds, 0 or more. Default 10,000. */
  readonly repeatMs?: number;
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** As much of a report of `run()` as the log tells. */
export interface FinishedRun extends Account {
  readonly outcome: string;
  readonly durationMs: number;
  readonly batches: number;
  readonly rows: number;
  readonly heldBy: Readonly<Record<string, number>>;
  readonly signal?: string;
  readonly error?: unknown;
}

export interface PipelineLog {
  /** For `new PipelineMonitor({ observer })`, alone or among `observers()`. */
  readonly observer: StageObserver;
  /** The pipeline holds its items, because dead letters cannot be stored; or goes on again. */
  holding(isHolding: boolean, error?: unknown): void;
  /** A drain was asked for: by a signal, or for another reason. */
  draining(reason: string): void;
  /** The run is over: its report. */
  finished(report: FinishedRun): void;
  /** Lets go of what it watches. */
  close(): void;
}

/** How many troubles are remembered: stages times types of error. */
const MAX_FAULTS = 256;

/**
 * Logs what is worth knowing of a pipeline: changes of breakers, failed and repeated writes, diverted items, holds, the drain
 * and the final report. The same trouble is told at most every `repeatMs`, with how often it was there in between.
 *
 * @example
 * ```ts
 * import { createLogger, logPipeline } from 'sluice/telemetry';
 * import { PipelineMonitor, run } from 'sluice';
 * import { writeCoordinator } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const log = logPipeline(createLogger());
 * const monitor = new PipelineMonitor({ observer: log.observer });
 * log.finished(await run(synthetic({ count: 1_000, seed: 7 }).pipe(writeCoordinator(memorySink())), { monitor }));
 * ```
 */
export function logPipeline(logger: Logger, config: LogPipelineConfig = {}): PipelineLog {
  const owner = 'logPipeline';
  requireFunction(owner, 'the warn of its logger', logger?.warn);
  requireKnownOptions(owner, config, ['repeatMs', 'now']);
  const repeatMs = requireDuration(owner, 'repeatMs', config.repeatMs ?? 10_000);
  const now = requireFunction(owner, 'now', config.now ?? Date.now);
  const steady = new MonotonicClock();
  const troubles = new Map<string, { toldAt: number; untold: number }>();
  const breakers = new Map<WatchedBreaker, () => void>();
  const breakerOf = new Map<Stage, WatchedBreaker>();

  /** A log that cannot be written must not end the pipeline it is about. */
  const say = (level: 'info' | 'warn' | 'error', fields: object, message: string): void => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nowhere left to say it.
    }
  };

  const sayNowAndThen = (key: string, fields: object, message: string): void => {
    const at = steady.at(now());
    const known = troubles.get(key);
    if (known && at - known.toldAt < repeatMs) {
      known.untold += 1;
      return;
    }
    troubles.delete(key);
    for (const oldest of troubles.keys()) {
      if (troubles.size < MAX_FAULTS) break;
      troubles.delete(oldest);
    }
    troubles.set(key, { toldAt: at, untold: 0 });
    say('warn', known?.untold ? { ...fields, repeated: known.untold } : fields, message);
  };

  const listenTo = (name: string, breaker: WatchedBreaker): void => {
    // Workers share theirs.
    if (breakers.has(breaker)) return;
    let former = breaker.state;
    const stop = breaker.onChange((state) => {
      if (state === former) return;
      const isTrouble = state === 'open' || state === 'forcedOpen';
      say(isTrouble ? 'warn' : 'info', { stage: name, from: former, to: state }, `the circuit breaker is ${state}`);
      former = state;
    });
    breakers.set(breaker, stop);
  };

  const observer: StageObserver = {
    guarded(stage, breaker) {
      // A stage that is retried may come with another than it had.
      const former = breakerOf.get(stage);
      breakerOf.set(stage, breaker);
      listenTo(stage.name, breaker);
      if (!former || [...breakerOf.values()].includes(former)) return;
      breakers.get(former)?.();
      breakers.delete(former);
    },
    writeFailed({ name }, { type, class: failureClass }) {
      const fields = { stage: name, type, class: failureClass };
      if (failureClass === 'fatal') say('error', fields, 'the sink cannot be written to');
      else sayNowAndThen(`failed ${name} ${type}`, fields, 'a write failed');
    },
    retrying({ name }, delayMs) {
      sayNowAndThen(`retrying ${name}`, { stage: name, delayMs }, 'a write will be tried again');
    },
    settled({ name }, { status, items, attempts }) {
      if (status !== 'diverted') return;
      const fields = { stage: name, items: items.length, attempts };
      sayNowAndThen(`diverted ${name}`, fields, 'items went to the dead letters');
    },
  };

  return {
    observer,
    holding(isHolding, error) {
      if (isHolding) say('error', { error }, 'dead letters cannot be stored: the pipeline holds its items');
      else say('info', {}, 'dead letters can be stored again: the pipeline goes on');
    },
    draining: (reason) => say('info', { reason }, 'draining'),
    finished(report) {
      const { outcome, durationMs, received, written, diverted, divertedBy, dropped, filtered } = report;
      const { delivered, held, conservation, batches, rows, heldBy, signal, error } = report;
      const account = { received, written, diverted, divertedBy, dropped, filtered, delivered, held, conservation };
      const fields = { outcome, durationMs, ...account, batches, rows, heldBy, signal, error };
      const isWhole = outcome !== 'failed' && conservation === 0;
      if (!isWhole) say('error', fields, conservation === 0 ? 'the pipeline failed' : 'items are unaccounted for');
      else say(held > 0 ? 'warn' : 'info', fields, 'the pipeline is over');
    },
    close() {
      for (const stop of breakers.values()) stop();
      breakers.clear();
      breakerOf.clear();
    },
  };
}
