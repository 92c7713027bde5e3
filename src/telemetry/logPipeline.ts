import type { PipelineMonitor } from '../flow/monitor.js';
import type { Stage, StageObserver, WatchedBreaker } from '../flow/stage.js';
import type { RunObserver } from '../operators/running/runObserver.js';
import type { RunReport } from '../operators/running/runReport.js';
import { InsertionOrderMap } from '../primitives/insertionOrderMap.js';
import { messageOf } from '../primitives/messageOf.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { duration, func, type OptionsOf, readArgument, readOptions } from '../primitives/options.js';
import { redactText } from '../primitives/redact.js';
import type { Logger } from './createLogger.js';

export interface LogPipelineConfig {
  /** The shortest time between two entries about the same problem of the same stage, in milliseconds, 0 or more. Default 10,000. */
  readonly repeatMs?: number;
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Logs one run at a time: give it to `observe`. */
export interface PipelineLog extends RunObserver {
  /** The observer to log what happens at the stages of a pipeline that is subscribed without `run()`. */
  attach(monitor?: PipelineMonitor): StageObserver;
  draining(reason: string): void;
  hurrying(reason: string, effect: 'hurry' | 'end'): void;
  /** Logs the report, and stops watching the breakers. */
  finished(report: RunReport): void;
  /** Logs that the pipeline holds its items because dead letters cannot be stored, or that it goes on: for `onHold`. */
  holding(isHolding: boolean, error?: unknown): void;
  /** Stops watching the breakers. */
  close(): void;
}

/** A message of a sink, which may quote what it was given, is cut off here. */
const MAX_MESSAGE = 2_000;

/** How many problems are remembered: stages times types of error. */
const MAX_PROBLEMS = 256;

const OPTIONS = {
  repeatMs: duration().default(10_000),
  now: func().default(Date.now),
} satisfies OptionsOf<LogPipelineConfig>;

/**
 * Logs what is worth knowing about a run: changes of breakers, failed and retried writes and diverted items, with what the error
 * says about its cause and remedy, the states of providers and what they say, the drain and the final report. Secrets in errors are masked. The same problem is logged at most once per `repeatMs`, with how often it occurred in between.
 *
 * @example
 * ```ts
 * import { run } from 'sluice';
 * import { createLogger, logPipeline } from 'sluice/telemetry';
 * import { writeCoordinator } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const bars$ = synthetic({ count: 1_000, seed: 7 });
 * await run(bars$.pipe(writeCoordinator(memorySink())), { observe: [logPipeline(createLogger())] });
 * ```
 */
export function logPipeline(logger: Logger, config: LogPipelineConfig = {}): PipelineLog {
  const owner = 'logPipeline';
  readArgument(owner, 'the warn of its logger', logger?.warn, func());
  const { repeatMs, now } = readOptions(owner, config, OPTIONS);
  const clock = new MonotonicClock();
  const problems = new InsertionOrderMap<string, { loggedAt: number; repeated: number }>();
  const breakers = new Map<WatchedBreaker, () => void>();
  const breakerOf = new Map<Stage, WatchedBreaker>();

  /** A log that cannot be written must not end the pipeline that it is about. */
  const write = (level: 'info' | 'warn' | 'error', fields: object, message: string): void => {
    try {
      logger[level](fields, message);
    } catch {
      // There is nowhere left to log it.
    }
  };

  const nowAndThen = (key: string, fields: object, message: string, level: 'info' | 'warn' = 'warn'): void => {
    const at = clock.at(now());
    const known = problems.get(key);
    if (known && at - known.loggedAt < repeatMs) {
      known.repeated += 1;
      return;
    }
    problems.put(key, { loggedAt: at, repeated: 0 });
    if (problems.size > MAX_PROBLEMS) problems.delete(problems.oldest()![0]);
    write(level, known?.repeated ? { ...fields, repeated: known.repeated } : fields, message);
  };

  const watch = (name: string, breaker: WatchedBreaker): void => {
    // Workers share theirs.
    if (breakers.has(breaker)) return;
    let former = breaker.state;
    const stop = breaker.onChange((state) => {
      if (state === former) return;
      const level = state === 'open' || state === 'forcedOpen' ? 'warn' : 'info';
      write(level, { stage: name, from: former, to: state }, `the circuit breaker is ${state}`);
      former = state;
    });
    breakers.set(breaker, stop);
  };

  const close = () => {
    for (const stop of breakers.values()) stop();
    breakers.clear();
    breakerOf.clear();
  };

  return {
    attach: () => ({
      guarded(stage, breaker) {
        // A stage that is retried may come with another breaker than it had.
        const former = breakerOf.get(stage);
        breakerOf.set(stage, breaker);
        watch(stage.name, breaker);
        if (!former || [...breakerOf.values()].includes(former)) return;
        breakers.get(former)?.();
        breakers.delete(former);
      },
      writeFailed({ name }, { type, class: failureClass, error }) {
        const fields = { stage: name, type, class: failureClass, ...whatIsWrong(error) };
        if (failureClass === 'fatal') write('error', fields, 'the sink cannot be written to');
        else nowAndThen(`failed ${name} ${type}`, fields, 'a write failed');
      },
      retrying({ name }, delayMs) {
        nowAndThen(`retrying ${name}`, { stage: name, delayMs }, 'a write will be retried');
      },
      settled({ name }, { status, items, attempts, reason, error }) {
        if (status !== 'diverted') return;
        const fields = { stage: name, items: items.length, attempts, reason, ...whatIsWrong(error) };
        nowAndThen(`diverted ${name}`, fields, 'items went to the dead letters');
      },
      feedChanged({ id, state, lastError, asked, confirmed, refused }, from) {
        const fields = { provider: id, from, to: state };
        if (state === 'connecting') return;
        const level = state === 'live' ? 'info' : 'warn';
        const more = level === 'info' ? { asked, confirmed, refused } : whatIsWrong(lastError);
        nowAndThen(`feed ${id} ${state}`, { ...fields, ...more }, `the provider is ${state}`, level);
      },
      feedNoticed({ id }, notice) {
        const fields = { provider: id, notice: redactText(notice).slice(0, MAX_MESSAGE) };
        nowAndThen(`notice ${id} ${fields.notice}`, fields, 'the provider says');
      },
      routeSwitched({ id }, { from, to, reason, error, symbols }) {
        const fields = {
          router: id,
          from,
          to,
          reason,
          ...whatIsWrong(error),
          ...(symbols && { symbols: symbols.length }),
        };
        const level = reason === 'preferred' ? 'info' : 'warn';
        nowAndThen(`switch ${id} ${from} ${to} ${reason}`, fields, `${to} delivers in place of ${from}`, level);
      },
      routeEnded({ id }, provider, error) {
        write('error', { router: id, provider, ...whatIsWrong(error) }, 'the provider has ended for good');
      },
    }),
    draining: (reason) => write('info', { reason }, 'draining'),
    hurrying(reason, effect) {
      const what =
        effect === 'hurry' ? 'writing ends now, and what is held goes to the dead letters' : 'the run ends now';
      write('warn', { reason }, `asked again to stop: ${what}`);
    },
    finished(report) {
      close();
      const { stages, ...fields } = report;
      const { outcome, conservation, held } = report;
      if (conservation !== 0) write('error', fields, 'items are unaccounted for');
      else if (outcome === 'failed') write('error', fields, 'the pipeline failed');
      else if (held > 0)
        write('error', fields, 'items were held at the end: lost unless their source gives them again');
      else write('info', fields, 'the pipeline has ended');
    },
    holding(isHolding, error) {
      if (isHolding) write('error', { error }, 'dead letters cannot be stored: the pipeline holds its items');
      else write('info', {}, 'dead letters can be stored again: the pipeline goes on');
    },
    close,
  };
}

/** What the error says, which for a `StoreError` includes what to do, without the secrets in it. */
function whatIsWrong(error: unknown): { readonly error?: string } {
  return error === undefined ? {} : { error: redactText(messageOf(error)).slice(0, MAX_MESSAGE) };
}
