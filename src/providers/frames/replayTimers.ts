import { type SchedulerAction, Subscription } from 'rxjs';

type Work<S> = (this: SchedulerAction<S>, state?: S) => void;

interface Timed {
  due: number;
  run(): void;
}

/** Work that is to be done at a time, and perhaps again. */
class ReplayTimer<S> extends Subscription implements SchedulerAction<S>, Timed {
  due = 0;
  readonly #timers: ReplayTimers;
  readonly #work: Work<S>;
  #state: S | undefined;
  #isSet = false;

  constructor(timers: ReplayTimers, work: Work<S>) {
    super();
    this.#timers = timers;
    this.#work = work;
  }

  schedule(state?: S, delay = 0): Subscription {
    if (this.closed) return this;
    this.#timers.remove(this);
    this.#state = state;
    this.#isSet = true;
    this.#timers.insert(this, delay);
    return this;
  }

  run(): void {
    this.#isSet = false;
    this.#work.call(this, this.#state);
    if (!this.#isSet) this.unsubscribe();
  }

  override unsubscribe(): void {
    this.#timers.remove(this);
    super.unsubscribe();
  }
}

/** The timers of a replay, in the order of their times; of one time, as they were set. */
export class ReplayTimers {
  readonly #now: () => number;
  readonly #onAdd: () => void;
  readonly #timers: Timed[] = [];

  constructor(now: () => number, onAdd: () => void) {
    this.#now = now;
    this.#onAdd = onAdd;
  }

  /** When the next one is due; `Infinity` without one. */
  get nextDue(): number {
    return this.#timers[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  add<S>(work: Work<S>, delay: number, state?: S): Subscription {
    return new ReplayTimer<S>(this, work).schedule(state, delay);
  }

  /** Runs the next one, whenever it is due. */
  runNext(): void {
    this.#timers.shift()?.run();
  }

  insert(timer: Timed, delay: number): void {
    const timers = this.#timers;
    timer.due = this.#now() + Math.max(0, delay);
    let at = timers.length;
    while (at > 0 && timers[at - 1]!.due > timer.due) at -= 1;
    timers.splice(at, 0, timer);
    this.#onAdd();
  }

  remove(timer: Timed): void {
    const at = this.#timers.indexOf(timer);
    if (at >= 0) this.#timers.splice(at, 1);
  }
}
