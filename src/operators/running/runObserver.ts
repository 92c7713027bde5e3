import { combineObservers } from '../../flow/combineObservers.js';
import type { PipelineMonitor } from '../../flow/monitor.js';
import type { StageObserver } from '../../flow/stage.js';
import { messageOf } from '../../primitives/messageOf.js';
import { checked, listOf } from '../../primitives/options.js';
import { redactText } from '../../primitives/redact.js';
import type { RunReport } from './runReport.js';

/**
 * Follows a run, for metrics, logs and the like; one run at a time.
 *
 * It cannot hurt the pipeline: what `draining`, `hurrying`, `finished` or a stage event throws becomes a warning of the process
 * (`SLUICE_OBSERVER_FAILED`), once per observer and run, and the run goes on. Only what `attach` throws fails the run, because
 * nothing has been read by then.
 */
export interface RunObserver {
  /** Called before the pipeline is subscribed. The observer that is returned receives the events of its stages. */
  attach?(monitor: PipelineMonitor): StageObserver | undefined;
  /** The drain begins, because of a signal, of `stop`, or of the `failure` of a writer that cannot go on. */
  draining?(reason: string): void;
  /**
   * The end was asked for again while the pipeline drains. `hurry`: nothing more is written, and what is held goes to the dead
   * letters. `end`: the run ends now, whatever it holds.
   */
  hurrying?(reason: string, effect: 'hurry' | 'end'): void;
  /** The run is over. */
  finished?(report: RunReport): void;
}

const METHODS = ['attach', 'draining', 'hurrying', 'finished'] as const;

/** The option `observe`. */
export const OBSERVERS = listOf(
  checked('an observer with attach, draining, hurrying or finished', (value): value is RunObserver =>
    METHODS.some((method) => typeof (value as RunObserver | null | undefined)?.[method] === 'function'),
  ),
).default([]);

/** The observers of one run. */
export class RunObservers {
  readonly #observers: readonly RunObserver[];
  readonly #attached = new Set<RunObserver>();
  readonly #warned = new Set<object>();
  #detach: () => void = () => {};

  constructor(observers: readonly RunObserver[]) {
    this.#observers = observers;
  }

  attach(monitor: PipelineMonitor): void {
    const stageObservers: StageObserver[] = [];
    for (const observer of this.#observers) {
      const stages = observer.attach?.(monitor);
      if (stages) stageObservers.push(stages);
      this.#attached.add(observer);
    }
    if (stageObservers.length === 0) return;
    this.#detach = monitor.observe(combineObservers(stageObservers, (error, observer) => this.#warn(error, observer)));
  }

  draining(reason: string): void {
    this.#tell((observer) => observer.draining?.(reason));
  }

  hurrying(reason: string, effect: 'hurry' | 'end'): void {
    this.#tell((observer) => observer.hurrying?.(reason, effect));
  }

  finished(report: RunReport): void {
    this.#detach();
    this.#tell((observer) => observer.finished?.(report));
  }

  #tell(call: (observer: RunObserver) => void): void {
    for (const observer of this.#attached) {
      try {
        call(observer);
      } catch (error) {
        this.#warn(error, observer);
      }
    }
  }

  #warn(error: unknown, observer: object): void {
    if (this.#warned.has(observer)) return;
    this.#warned.add(observer);
    const detail = error instanceof Error && error.stack ? { detail: redactText(error.stack) } : {};
    const message = redactText(`an observer of the pipeline failed, and the pipeline goes on: ${messageOf(error)}`);
    process.emitWarning(message, { type: 'SluiceWarning', code: 'SLUICE_OBSERVER_FAILED', ...detail });
  }
}
