import { asyncScheduler, Observable, type SchedulerLike, type Subscriber, type TeardownLogic } from 'rxjs';
import { Wait } from '../primitives/wait.js';
import { alone, contextOf, type FlowContext, isEnding, registerStage } from './context.js';
import { type Produce, Pump, type PumpHost } from './pump.js';
import type { SourceProgress, Stage, StageAccount } from './stage.js';
import { NEVER_STOPS, StopSignal } from './stopSignal.js';
import { weigher } from './unit.js';

export interface GatedSourceConfig {
  /** The name of the stage in topology, metrics and the report. */
  readonly name: string;
  /**
   * Where the source resumes after it has yielded to the event loop. Its clock decides when to yield. Default:
   * `asyncScheduler`.
   */
  readonly scheduler?: SchedulerLike;
  /**
   * How long the source may run before it yields, in milliseconds. Default 20. All sources on one scheduler share that
   * time: a source that starts, or is woken, once it is used up waits for its turn before it emits anything.
   */
  readonly yieldAfterMs?: number;
  /**
   * Whether the source completes when the pipeline is asked to drain. Default true. With `false` it runs to its end: for the
   * content of one item, such as the pages of a request, which must not be cut short.
   */
  readonly stops?: boolean;
}

/** The downstream side of a source that can pause, one per subscription. */
export class Outlet<T> implements PumpHost {
  /** The context downstream, whose `stopping` has completed this outlet already when it fires. */
  readonly context: FlowContext;
  readonly #destination: Subscriber<T>;
  readonly #account: StageAccount;
  readonly #scheduler: SchedulerLike;
  readonly #yieldAfterMs: number;
  readonly #stop: StopSignal;
  readonly #wait = new Wait();
  /** What former subscriptions of the same source had done. */
  readonly #formerProgress: SourceProgress | undefined;
  #pump: Pump | undefined;
  /** Set before the end is passed on: a gate that opens while that happens resumes nothing. */
  #ended = false;
  /** Work that was begun and has not ended. */
  #underWay = 0;

  constructor(destination: Subscriber<T>, config: GatedSourceConfig) {
    this.#destination = destination;
    this.context = contextOf(destination);
    this.#account = registerStage(
      this.context,
      { kind: config.name, role: 'source' },
      this.context.monitor,
      destination,
    );
    this.#account.weigh = weigher(this.context.unit);
    this.#formerProgress = this.#account.stage.progress;
    this.#account.progress = () => undefined;
    this.#scheduler = config.scheduler ?? asyncScheduler;
    this.#yieldAfterMs = config.yieldAfterMs ?? 20;
    this.#stop = config.stops === false ? NEVER_STOPS : StopSignal.of(this.context.stopping);
    const deafen = this.#stop.listen(() => {
      if (this.#underWay === 0) this.complete();
    });
    destination.add(() => {
      this.#ended = true;
      deafen();
      this.#wait.cancel();
      this.#pump?.cancel();
      this.#account.close();
    });
    // Not at once: a `repeat()` would subscribe again inside it, and so on until the stack overflows.
    if (this.#stop.hasFired) {
      this.#ended = true;
      destination.add(this.#scheduler.schedule(() => this.complete()));
    }
  }

  /** Whether an item may be emitted now. */
  get isOpen(): boolean {
    return this.context.gate.isOpen && !this.closed && !this.#stop.hasFired;
  }

  /** Whether the source has ended: unsubscribed, completed, failed or asked to stop. */
  get closed(): boolean {
    return this.#ended || this.#destination.closed;
  }

  /** Whether the source has ended, or is about to be told: what is downstream is passing its end on, or the pipeline drains. */
  get isEnding(): boolean {
    return this.closed || this.#stop.hasFired || isEnding(this.#destination);
  }

  /** Emits. Check {@link isOpen} first: an item emitted while it is false reaches the buffer as overflow. */
  next(value: T): void {
    if (this.closed) return;
    const account = this.#account;
    // Written out, because a call is not inlined everywhere, and this is the hottest line of a source.
    account.out += account.weigh === undefined ? 1 : account.weigh(value);
    this.#destination.next(value);
  }

  /** Counts items that this source refuses to emit, such as unreadable rows. */
  drop(reason: string, count = 1): void {
    this.#account.drop(reason, count);
  }

  /** Counts a value that it gives up, once: `diverted` when its letter is durable, or `dropped`. */
  settle(fate: 'diverted' | 'dropped', value: unknown, reason: string): void {
    this.#account.settle(fate, value, reason);
  }

  /** Gives the way to ask how many items wait here, of a source that cannot make what it reads from wait. */
  holds(held: () => number): void {
    this.#account.holds(held);
  }

  /**
   * Begins work that is not cut short by a drain, such as a letter that is being written: a source that is asked to stop completes
   * once it has ended. Returns how to end it.
   */
  begin(): () => void {
    let isOver = false;
    this.#underWay += 1;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#underWay -= 1;
      if (this.#underWay === 0 && this.#stop.hasFired && !this.closed) this.complete();
    };
  }

  /**
   * Gives the way to ask how far the source has come, of a source that knows how much there is: how many of its items it has
   * emitted, or how many bytes of a file it has read. It is asked a few times a second at most, while someone looks, so nothing
   * has to be counted for it item by item. `undefined` while it is not known.
   */
  progress(progress: () => SourceProgress | undefined): void {
    const former = this.#formerProgress;
    this.#account.progress = former === undefined ? progress : () => following(former, progress());
  }

  /** Tells whoever follows the pipeline what was refused, for people: a source does so where nobody else is told. */
  refused(reason: string, sentence: string): void {
    const { stage, observer } = this.#account;
    observer?.refused?.(stage, reason, sentence);
  }

  /** What everybody else sees of the source. */
  get stage(): Stage {
    return this.#account.stage;
  }

  error(error: unknown): void {
    this.#ended = true;
    this.#destination.error(error);
  }

  complete(): void {
    this.#ended = true;
    this.#destination.complete();
  }

  /**
   * Calls `resume` once, as soon as an item may be emitted: immediately if that is now. An error that it throws goes
   * downstream. A later wait replaces an earlier one.
   */
  whenOpen(resume: () => void): void {
    this.#wait.begin(
      (open) => this.context.gate.whenOpen(open),
      () => {
        if (this.isEnding) return;
        try {
          alone(resume);
        } catch (error) {
          this.error(error);
        }
      },
    );
  }

  /**
   * Drives the source: calls `produce` again and again while the gate is open, waits while it is closed, yields to the
   * event loop now and then, and ends when the outlet is closed. `produce` emits one item, or completes; it returns false
   * when it has nothing for now, and is called again after {@link wake}. A pump is started once; starting it again wakes it.
   */
  pump(produce: Produce): void {
    this.#pump ??= new Pump(this, this.context.gate, this.#scheduler, this.#yieldAfterMs, produce);
    this.#pump.wake();
  }

  /** Has a pump that rests call `produce` again. Harmless at any time. */
  wake(): void {
    this.#pump?.wake();
  }

  /**
   * The clock of the pump: milliseconds since the first call. It stands still while the source waits at the gate and when
   * the scheduler's clock is set back. Call it inside `produce`.
   */
  now(): number {
    return this.#pump?.now() ?? 0;
  }

  /** Wakes the pump when {@link now} has reached `time`, or slightly earlier. Call it inside `produce`, and return false. */
  sleepUntil(time: number): void {
    this.#pump?.sleepUntil(time);
  }
}

/**
 * Writes a source that can pause: `connect` emits through the outlet while it is open, and waits while it is not.
 *
 * Each subscription gets its own outlet, which completes when the pipeline is asked to drain, unless `stops` is false.
 * Release what the source holds in the teardown that `connect` returns. A subscription that comes after the request to
 * drain completes on its scheduler without calling `connect`. Put `untilStopped()` directly behind `repeat()`: otherwise
 * `repeat()` subscribes to the empty source forever, and the drain never ends.
 *
 * A source that knows how much there is says so with `outlet.progress()`: `run(outcomes$, { progress: true })` then shows a bar.
 *
 * @example
 * ```ts
 * import { gatedSource } from 'sluice';
 *
 * const naturals = (count: number) =>
 *   gatedSource<number>({ name: 'naturals' }, (outlet) => {
 *     let n = 0;
 *     outlet.progress(() => ({ done: n, total: count, unit: 'items' }));
 *     outlet.pump(() => (n < count ? outlet.next(n++) : outlet.complete()));
 *   });
 * ```
 */
export function gatedSource<T>(
  config: GatedSourceConfig,
  connect: (outlet: Outlet<T>) => TeardownLogic,
): Observable<T> {
  return new Observable<T>((destination) => {
    const outlet = new Outlet<T>(destination, config);
    return outlet.closed ? undefined : alone(() => connect(outlet));
  });
}

/** A source that is subscribed again, or another of its name, begins where the former one ended: what that had left is not to come. */
function following(former: SourceProgress, progress: SourceProgress | undefined): SourceProgress | undefined {
  if (progress?.unit !== former.unit) return undefined;
  return { ...progress, done: former.done + progress.done, total: former.done + progress.total };
}
