import {
  asyncScheduler,
  Observable,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
  type TeardownLogic,
} from 'rxjs';
import { contextOf, type FlowContext, withAmbient } from './context.js';
import type { CancelWait } from './gate.js';
import type { Stage } from './monitor.js';

export interface GatedSourceConfig {
  /** The name of the stage in topology, metrics and the report. */
  readonly name: string;
  /**
   * Where a synchronous source resumes after it has yielded to the event loop. Its clock decides when to.
   * Default: `asyncScheduler`.
   */
  readonly scheduler?: SchedulerLike;
  /** How long a synchronous source may run before it yields, in milliseconds. Default 20. */
  readonly yieldAfterMs?: number;
}

/** How many items between two looks at the clock: a look costs about as much as an item. */
const ITEMS_PER_CLOCK_CHECK = 256;

/** The downstream side of a source that can pause, one a subscription. */
export class Outlet<T> {
  /** The context downstream, whose `stopping` has completed this outlet already when it fires. */
  readonly context: FlowContext;
  readonly #destination: Subscriber<T>;
  readonly #stage: Stage;
  readonly #scheduler: SchedulerLike;
  readonly #yieldAfterMs: number;
  #cancelWait: CancelWait | undefined;
  #yielding: Subscription | undefined;
  #pumping = false;
  #sinceCheck = 0;
  #ranSince: number;

  constructor(destination: Subscriber<T>, config: GatedSourceConfig) {
    const downstream = contextOf(destination);
    this.#destination = destination;
    this.context = downstream;
    this.#stage = downstream.monitor.register({ kind: config.name, role: 'source', feeds: downstream.stage });
    this.#scheduler = config.scheduler ?? asyncScheduler;
    this.#yieldAfterMs = config.yieldAfterMs ?? 20;
    this.#ranSince = this.#scheduler.now();
    destination.add(() => {
      this.#cancelWait?.();
      this.#yielding?.unsubscribe();
      this.#stage.close();
    });
    destination.add(downstream.stopping.subscribe(() => this.complete()));
  }

  /** Whether an item may be emitted now. */
  get isOpen(): boolean {
    return this.context.gate.isOpen && !this.#destination.closed;
  }

  /** Whether nobody listens any more: unsubscribed, completed, failed or asked to stop. */
  get closed(): boolean {
    return this.#destination.closed;
  }

  /** Emits. Ask {@link isOpen} first; an item emitted while closed reaches the buffer as overflow. */
  next(value: T): void {
    if (this.#destination.closed) return;
    this.#stage.out += 1;
    this.#destination.next(value);
  }

  /** Counts items that this source refuses to emit: unreadable rows, for one. */
  drop(reason: string, count = 1): void {
    this.#stage.drop(reason, count);
  }

  error(error: unknown): void {
    this.#destination.error(error);
  }

  complete(): void {
    this.#destination.complete();
  }

  /** Calls `resume` once, when an item may be emitted: at once if that is now. What it throws is an error downstream. */
  whenOpen(resume: () => void): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    let resumed = false;
    const cancel = this.context.gate.whenOpen(() => {
      resumed = true;
      this.#cancelWait = undefined;
      if (this.closed) return;
      try {
        resume();
      } catch (error) {
        this.error(error);
      }
    });
    // Resumed at once, it may be waiting again already: that wait is the one to keep.
    if (!resumed) this.#cancelWait = cancel;
  }

  /**
   * Drives a synchronous source: calls `produce` again and again while the gate is open, waits while it is closed,
   * yields to the event loop now and then, and ends when the outlet is closed. `produce` emits one item, or completes.
   */
  pump(produce: () => void): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // What `produce` reaches by accident (a subscription inside a `tap`, say) is not upstream of this pipeline.
    withAmbient(undefined, () => this.#run(produce));
    this.#pumping = false;
  }

  #run(produce: () => void): void {
    const gate = this.context.gate;
    const destination = this.#destination;
    try {
      while (!destination.closed) {
        if (!gate.isOpen) {
          this.whenOpen(() => this.pump(produce));
          return;
        }
        if (++this.#sinceCheck >= ITEMS_PER_CLOCK_CHECK) {
          this.#sinceCheck = 0;
          if (this.#scheduler.now() - this.#ranSince >= this.#yieldAfterMs) {
            this.#yield(produce);
            return;
          }
        }
        produce();
      }
    } catch (error) {
      this.error(error);
    }
  }

  #yield(produce: () => void): void {
    this.#yielding = this.#scheduler.schedule(() => {
      this.#ranSince = this.#scheduler.now();
      this.pump(produce);
    });
  }
}

/**
 * How an author writes a source that can pause: emit through the outlet while it is open, wait at it while it is not.
 *
 * Every subscription gets an outlet of its own. The outlet completes when the pipeline is asked to drain; release what
 * the source holds in the teardown that `connect` returns.
 *
 * @example
 * ```ts
 * import { gatedSource } from 'sluice';
 *
 * const naturals = () =>
 *   gatedSource<number>({ name: 'naturals' }, (outlet) => {
 *     let n = 0;
 *     outlet.pump(() => outlet.next(n++));
 *   });
 * ```
 */
export function gatedSource<T>(
  config: GatedSourceConfig,
  connect: (outlet: Outlet<T>) => TeardownLogic,
): Observable<T> {
  return new Observable<T>((destination) => {
    const outlet = new Outlet<T>(destination, config);
    return outlet.closed ? undefined : connect(outlet);
  });
}
