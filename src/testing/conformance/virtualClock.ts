import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

/** The opening of a regular session in New York: Monday, 5 January 2026, 14:30 UTC. */
const BEGINNING = Date.UTC(2026, 0, 5, 14, 30);

/**
 * A scheduler for work beside real sockets: its time moves only when it is told to, so that a wait of a minute takes no time
 * and a slow machine fires no timer. What has no delay runs in the next turn of the event loop.
 */
export class VirtualClock implements SchedulerLike {
  readonly #waiting: VirtualAction<never>[] = [];
  #now: number;
  #immediates = 0;

  /** `beginning` in epoch milliseconds. */
  constructor(beginning = BEGINNING) {
    this.#now = beginning;
  }

  now(): number {
    return this.#now;
  }

  schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S): Subscription {
    return new VirtualAction<S>(this, work).schedule(state, delay);
  }

  /** When the next timer fires; `undefined` without one. */
  get nextAt(): number | undefined {
    return this.#waiting[0]?.at;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#waiting.length;
  }

  /** How much is to run in the next turn of the event loop. */
  get immediates(): number {
    return this.#immediates;
  }

  /** Moves to this time, or to that of the first timer before it, and fires the timers that are due. */
  moveTo(at: number): void {
    this.jumpTo(Math.min(at, this.nextAt ?? at));
  }

  /** Moves to this time, and fires all timers that are due by then: late, as on a machine that was busy. */
  jumpTo(at: number): void {
    this.#now = Math.max(this.#now, at);
    const now = this.#now;
    // What they set for the same moment waits for the next turn.
    const due = this.#waiting.filter((action) => action.at <= now);
    for (const action of due) if (this.remove(action)) action.execute();
  }

  /** Sets a timer. */
  add(action: VirtualAction<never>, delay: number): void {
    action.at = this.#now + delay;
    const after = this.#waiting.findIndex((other) => other.at > action.at);
    this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, action);
  }

  /** Runs work in the next turn of the event loop. */
  soon(work: () => void): NodeJS.Immediate {
    this.#immediates += 1;
    return setImmediate(() => {
      this.#immediates -= 1;
      work();
    });
  }

  /** Takes back what {@link soon} has not run. */
  notSoon(immediate: NodeJS.Immediate): void {
    clearImmediate(immediate);
    this.#immediates -= 1;
  }

  /** Cancels a timer; says whether it was set. */
  remove(action: VirtualAction<never>): boolean {
    const index = this.#waiting.indexOf(action);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }
}

class VirtualAction<S> extends Subscription implements SchedulerAction<S> {
  at = 0;
  readonly #clock: VirtualClock;
  readonly #work: (this: SchedulerAction<S>, state?: S) => void;
  #state: S | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isPending = false;

  constructor(clock: VirtualClock, work: (this: SchedulerAction<S>, state?: S) => void) {
    super();
    this.#clock = clock;
    this.#work = work;
    this.add(() => this.#cancel());
  }

  schedule(state?: S, delay = 0): Subscription {
    if (this.closed) return this;
    this.#cancel();
    this.#state = state;
    this.#isPending = true;
    if (delay > 0) this.#clock.add(this as never, delay);
    else this.#immediate = this.#clock.soon(() => this.execute());
    return this;
  }

  execute(): void {
    this.#isPending = false;
    this.#immediate = undefined;
    this.#work.call(this, this.#state);
    // Done unless its work has scheduled it again.
    if (!this.#isPending) this.unsubscribe();
  }

  #cancel(): void {
    this.#isPending = false;
    if (this.#immediate) this.#clock.notSoon(this.#immediate);
    this.#immediate = undefined;
    this.#clock.remove(this as never);
  }
}
