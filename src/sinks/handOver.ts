import { asyncScheduler, type Observable, type SchedulerLike } from 'rxjs';
import { operateQueued } from '../flow/operateQueued.js';
import { PipelineRun, type PipelineRunOptions, RUN_OPTIONS } from '../operators/running/pipelineRun.js';
import type { RunReport } from '../operators/running/runReport.js';
import { untilStopped } from '../operators/untilStopped.js';
import { func, having, integer, type OptionsOf, type Read, readArgument, text } from '../primitives/options.js';
import { DrainDeadlineError } from './drainDeadlineError.js';

/** The options of `toAsyncIterable()` and `toReadable()`. */
export interface HandOverConfig extends PipelineRunOptions {
  /**
   * How many items are taken in before the consumer asks for them: the gate closes when this many wait. Integer of at least 1, at
   * most `capacity`; default 16, or `capacity` where that is less.
   */
  readonly readAhead?: number;
  /**
   * The most items that may wait, where a source does not obey the gate; one more is a `BufferOverflowError`. Integer of at least 1,
   * default 1,024.
   */
  readonly capacity?: number;
  /** Starts a drain when it is aborted: sources stop, and what is held is handed over, within `drainTimeoutMs`. */
  readonly stop?: AbortSignal;
  /** The clock of the deadline. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and the report. Default: that of the function. */
  readonly name?: string;
}

export const HAND_OVER_OPTIONS = {
  ...RUN_OPTIONS,
  readAhead: integer({ min: 1 }),
  capacity: integer({ min: 1 }).default(1_024),
  stop: having('addEventListener'),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  name: text(),
} satisfies OptionsOf<HandOverConfig>;

const READ_AHEAD = 16;

/** What was asked for, with its defaults, and the function that was called. */
export interface HandOverSettings extends Read<HandOverConfig, typeof HAND_OVER_OPTIONS> {
  readonly owner: string;
  readonly readAhead: number;
}

/** Checks what is to be handed over, and how. */
export function handOverSettings(
  owner: string,
  source$: Observable<unknown>,
  options: Read<HandOverConfig, typeof HAND_OVER_OPTIONS>,
): HandOverSettings {
  readArgument(owner, 'the subscribe of its source', source$?.subscribe, func());
  const { capacity, readAhead = Math.min(READ_AHEAD, capacity) } = options;
  readArgument(owner, 'readAhead', readAhead, integer({ min: 1, max: capacity }));
  return { ...options, owner, readAhead };
}

/** Who asks for items, one at a time. */
export interface Consumer<T> {
  /** Whether it takes an item now. */
  wants(): boolean;
  take(item: T): void;
  /** The pipeline is over: there is no more, or why. */
  ended(failure?: { readonly error: unknown }): void;
}

/** One subscription of a pipeline whose items are taken by a consumer at its own pace: its queue is the gate. */
export class HandOver<T> {
  readonly #pipeline: PipelineRun;
  readonly #items$: Observable<T>;
  readonly #stop: AbortSignal | undefined;
  readonly #onStop = () => this.#pipeline.request('stop');
  #ask: (() => void) | undefined;

  constructor(source$: Observable<T>, settings: HandOverSettings, consumer: Consumer<T>) {
    const { owner, name, capacity, readAhead, stop, ...options } = settings;
    this.#stop = stop;
    this.#pipeline = new PipelineRun({
      ...options,
      onEnd: (report) => {
        stop?.removeEventListener('abort', this.#onStop);
        consumer.ended(failureOf(owner, options.drainTimeoutMs, report));
      },
    });
    const handOver = operateQueued<T, T>({ kind: owner, name }, ({ emit, flush }) => {
      this.#ask = flush;
      return {
        capacity,
        high: readAhead,
        low: Math.floor(readAhead / 2),
        offer(item) {
          if (!consumer.wants()) return false;
          consumer.take(item);
          emit(item);
          return true;
        },
      };
    });
    // What is not one of Sluice's sources does not hear the request to stop.
    this.#items$ = source$.pipe(untilStopped({ foreignOnly: true }), handOver);
  }

  /** The consumer wants an item. The first time subscribes. */
  ask(): void {
    if (this.#ask) {
      this.#ask();
      return;
    }
    this.#ask = () => {};
    if (this.#stop?.aborted) this.#onStop();
    else this.#stop?.addEventListener('abort', this.#onStop, { once: true });
    this.#pipeline.start(this.#items$);
  }

  /** Nobody wants any more: what is held is abandoned, which the report shows. */
  cancel(): void {
    this.#pipeline.end('unsubscribed');
  }
}

function failureOf(owner: string, drainTimeoutMs: number, report: RunReport): { readonly error: unknown } | undefined {
  if (report.outcome === 'failed') return { error: report.error };
  if (report.outcome !== 'deadline' || report.held === 0) return undefined;
  return { error: new DrainDeadlineError(owner, drainTimeoutMs, report) };
}
