import { Observable, type Subscriber } from 'rxjs';

export type GateState = 'open' | 'closed';

/** Withdraws a wait; harmless once the wait is over. */
export type CancelWait = () => void;

/** What those who only look see of a gate: they can neither move it nor wait at it. */
export type GateView = Pick<Gate, 'isOpen' | 'state' | 'waiting' | 'state$' | 'watch'>;

/**
 * The upstream half of backpressure: a stage that can be full closes its gate, and sources wait at it.
 *
 * `open()` and `close()` are idempotent. Those who wait are woken in the order in which they came, each once, and only
 * while the gate stays open: a waiter that fills the stage again leaves the rest waiting, first in line for next time.
 */
export class Gate {
  #view: GateView | undefined;
  #isOpen: boolean;
  readonly #waiters: { readonly resume: () => void }[] = [];
  #waking = false;
  #listeners: Subscriber<GateState>[] = [];
  #unsaid: GateState[] = [];
  #watchers: readonly ((isOpen: boolean) => void)[] = [];
  #speaking = false;

  constructor(state: GateState = 'open') {
    this.#isOpen = state === 'open';
  }

  /** Whether an item may be emitted now. Read it before each emission. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get state(): GateState {
    return this.#isOpen ? 'open' : 'closed';
  }

  /** How many wait to be woken. */
  get waiting(): number {
    return this.#waiters.length;
  }

  /** The same gate for those who only look: always the same object. */
  get view(): GateView {
    this.#view ??= new View(this);
    return this.#view;
  }

  /** The current state at once, then each change, in order. Hot, and never completes by itself. */
  readonly state$: Observable<GateState> = new Observable((listener) => {
    listener.next(this.state);
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    };
  });

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const watcher of this.#watchers) watcher(false);
    if (this.#listeners.length > 0) this.#say('closed');
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    for (const watcher of this.#watchers) watcher(true);
    if (this.#listeners.length > 0) this.#say('open');
    if (this.#waiters.length > 0) this.#wake();
  }

  /**
   * Calls `resume` once, as soon as the gate is open: immediately if it is already open and no one is ahead in the queue.
   * First come, first served. A `resume` that throws does not keep the next from being woken; its error is thrown to
   * whoever opened the gate.
   */
  whenOpen(resume: () => void): CancelWait {
    const waiter = { resume };
    this.#waiters.push(waiter);
    if (this.#isOpen) this.#wake();
    return () => {
      const place = this.#waiters.indexOf(waiter);
      if (place >= 0) this.#waiters.splice(place, 1);
    };
  }

  /**
   * Calls `watcher` at each change, before anyone is woken: for measuring, at a fraction of the cost of `state$`. It must
   * neither throw nor move the gate. Returns a function that stops it.
   */
  watch(watcher: (isOpen: boolean) => void): () => void {
    this.#watchers = [...this.#watchers, watcher];
    return () => {
      this.#watchers = this.#watchers.filter((other) => other !== watcher);
    };
  }

  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    let failed = false;
    let failure: unknown;
    while (this.#isOpen) {
      const waiter = this.#waiters.shift();
      if (!waiter) break;
      try {
        waiter.resume();
      } catch (error) {
        failure = failed ? failure : error;
        failed = true;
      }
    }
    this.#waking = false;
    if (failed) throw failure;
  }

  /** A listener may open or close the gate itself; everyone must still get the changes in the order they happened. */
  #say(state: GateState): void {
    this.#unsaid.push(state);
    if (this.#speaking) return;
    this.#speaking = true;
    for (let next = this.#unsaid.shift(); next !== undefined; next = this.#unsaid.shift()) {
      for (const listener of this.#listeners) listener.next(next);
    }
    this.#speaking = false;
  }
}

class View implements GateView {
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
    Object.freeze(this);
  }

  get isOpen(): boolean {
    return this.#gate.isOpen;
  }

  get state(): GateState {
    return this.#gate.state;
  }

  get waiting(): number {
    return this.#gate.waiting;
  }

  get state$(): Observable<GateState> {
    return this.#gate.state$;
  }

  watch(watcher: (isOpen: boolean) => void): () => void {
    return this.#gate.watch(watcher);
  }
}

class AlwaysOpenGate extends Gate {
  override close(): void {}
}

/** The gate downstream of whatever has no Sluice stage below it: it cannot be closed. */
export const ALWAYS_OPEN: Gate = new AlwaysOpenGate();
