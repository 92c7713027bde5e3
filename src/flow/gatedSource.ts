import { asyncScheduler, Observable, type SchedulerLike, type Subscriber, type TeardownLogic } from 'rxjs';
import { contextOf, type FlowContext, withFallbackContext } from './context.js';
import type { CancelWait } from './gate.js';
import type { Stage } from './monitor.js';
import { SourceTurn } from './timeSlice.js';

export interface GatedSourceConfig {
  /** The name of the stage in topology, metrics and the report. */
  readonly name: string;
  /**
   * Where a synchronous source resumes after it has yielded to the event loop. Its clock decides when to.
   * Default: `asyncScheduler`.
   */
  readonly scheduler?: SchedulerLike;
  /**
   * How long a synchronous source may run before it yields, in milliseconds. Default 20. All sources on one scheduler
   * share that time: what starts, or is woken, when it is used up waits for its turn before it emits anything.
   */
  readonly yieldAfterMs?: number;
  /**
   * Whether the source completes when the pipeline is asked to drain. Default true. `false` for what is the content of an
   * item, such as the pages of a request, and must not be cut half-way: it runs to its end.
   */
  readonly stops?: boolean;
}

/** Why a run of `produce` has come back. */
type RunEnd = 'closed' | 'held' | 'over';

/** The downstream side of a source that can pause, one a subscription. */
export class Outlet<T> {
  /** The context downstream, whose `stopping` has completed this outlet already when it fires. */
  readonly context: FlowContext;
  readonly #destination: Subscriber<T>;
  readonly #stage: Stage;
  readonly #turn: SourceTurn;
  readonly #stopped: boolean;
  #cancelWait: CancelWait | undefined;
  #pumping = false;

  constructor(destination: Subscriber<T>, config: GatedSourceConfig) {
    const downstream = contextOf(destination);
    const scheduler = config.scheduler ?? asyncScheduler;
    this.#destination = destination;
    this.context = downstream;
    this.#stage = downstream.monitor.register({ kind: config.name, role: 'source', feeds: downstream.stage });
    this.#turn = new SourceTurn(scheduler, config.yieldAfterMs ?? 20);
    destination.add(() => {
      this.#cancelWait?.();
      this.#turn.cancel();
      this.#stage.close();
    });
    this.#stopped = config.stops !== false && this.#completeOnStopping(scheduler);
  }

  /** Returns whether the pipeline is stopping already. */
  #completeOnStopping(scheduler: SchedulerLike): boolean {
    const destination = this.#destination;
    let subscribing = true;
    let stopped = false;
    const stopping = this.context.stopping.subscribe(() => {
      if (subscribing) stopped = true;
      else this.complete();
    });
    subscribing = false;
    destination.add(stopping);
    // Not at once: a `repeat()` would subscribe again inside of it, and so on until the stack is full.
    if (stopped) destination.add(scheduler.schedule(() => this.complete()));
    return stopped;
  }

  /** Whether an item may be emitted now. */
  get isOpen(): boolean {
    return this.context.gate.isOpen && !this.closed;
  }

  /** Whether nobody listens any more: unsubscribed, completed, failed or asked to stop. */
  get closed(): boolean {
    return this.#stopped || this.#destination.closed;
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
    if (this.#pumping || this.#turn.isWaiting) return;
    if (this.#turn.mustWait) this.#turn.wait(() => this.#run(produce));
    else this.#run(produce);
  }

  #run(produce: () => void): void {
    let end: RunEnd = 'closed';
    this.#pumping = true;
    // What `produce` reaches by accident (a subscription inside a `tap`, say) is not upstream of this pipeline.
    withFallbackContext(undefined, () => {
      this.#turn.run(() => {
        try {
          end = this.#produceAll(produce);
        } catch (error) {
          this.error(error);
        }
      });
    });
    this.#pumping = false;
    // Not before, as both may resume right here: some schedulers run their work inside of schedule().
    this.#waitFor(end, produce);
  }

  #produceAll(produce: () => void): RunEnd {
    const gate = this.context.gate;
    const destination = this.#destination;
    const turn = this.#turn;
    while (!destination.closed) {
      if (!gate.isOpen) return 'held';
      produce();
      if (++turn.items >= turn.itemsPerCheck && turn.isOver() && !destination.closed) return 'over';
    }
    return 'closed';
  }

  #waitFor(end: RunEnd, produce: () => void): void {
    if (end === 'held') this.whenOpen(() => this.pump(produce));
    else if (end === 'over') this.#turn.wait(() => this.#run(produce));
  }
}

/**
 * How an author writes a source that can pause: emit through the outlet while it is open, wait at it while it is not.
 *
 * Every subscription gets an outlet of its own. The outlet completes when the pipeline is asked to drain, unless `stops`
 * is false; release what the source holds in the teardown that `connect` returns. Subscribed after that request, the
 * source completes on its scheduler without calling `connect`: behind `repeat()` put `untilStopped()` at once, or it
 * goes on repeating a source that has nothing any more, and the drain never ends.
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
