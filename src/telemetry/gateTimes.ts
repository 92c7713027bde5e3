import { ALWAYS_OPEN, type Gate } from '../flow/gate.js';
import type { Stage } from '../flow/monitor.js';

/** How long the gate of a stage was closed, through all the gates that it has had. */
class GateTime {
  #gate: Gate | undefined;
  #stopWatching: (() => void) | undefined;
  #closedMs = 0;
  #closedAt: number | undefined;

  watch(gate: Gate | undefined, now: () => number): void {
    if (gate === this.#gate) return;
    this.stop(now());
    this.#gate = gate;
    if (gate && !gate.isOpen) this.#closedAt = now();
    this.#stopWatching = gate?.watch((isOpen) => {
      if (isOpen) this.#opened(now());
      else this.#closedAt ??= now();
    });
  }

  stop(now: number): void {
    this.#stopWatching?.();
    this.#opened(now);
  }

  closedMs(now: number): number {
    return this.#closedMs + this.#sinceClosed(now);
  }

  #opened(now: number): void {
    this.#closedMs += this.#sinceClosed(now);
    this.#closedAt = undefined;
  }

  #sinceClosed(now: number): number {
    return this.#closedAt === undefined ? 0 : Math.max(0, now - this.#closedAt);
  }
}

/** The gates of stages, and how long each was closed. */
export class GateTimes {
  readonly #now: () => number;
  readonly #times = new Map<Stage, GateTime>();
  readonly #announced = new Set<Stage>();

  /** `now`: a clock in milliseconds that is not set back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * A stage says that it is there before it has its gate, and one that is retried gets another: it is looked at when what
   * subscribes it is done.
   */
  announce(stage: Stage): void {
    if (this.#announced.size === 0) {
      queueMicrotask(() => {
        for (const one of [...this.#announced, ...this.#times.keys()]) this.look(one);
        this.#announced.clear();
      });
    }
    this.#announced.add(stage);
  }

  /** Watches the gate that the stage has now. */
  look(stage: Stage): void {
    const gate = ownGateOf(stage);
    let time = this.#times.get(stage);
    if (!gate && !time) return;
    if (!time) {
      time = new GateTime();
      this.#times.set(stage, time);
    }
    time.watch(gate, this.#now);
  }

  /** Seconds closed until now; `undefined` for a stage that has no gate. */
  closedSeconds(stage: Stage): number | undefined {
    const time = this.#times.get(stage);
    return time && time.closedMs(this.#now()) / 1_000;
  }

  forget(stage: Stage): void {
    this.#times.get(stage)?.stop(this.#now());
    this.#times.delete(stage);
    this.#announced.delete(stage);
  }

  close(): void {
    for (const stage of [...this.#times.keys()]) this.forget(stage);
    this.#announced.clear();
  }
}

/** The gate that a stage closes itself. A branch shows the gate it leads to, which is that of another stage further down. */
export function ownGateOf({ gate, feeds }: Stage): Gate | undefined {
  if (gate === ALWAYS_OPEN) return undefined;
  for (let next = feeds; next; next = next.feeds) if (next.gate) return next.gate === gate ? undefined : gate;
  return gate;
}
