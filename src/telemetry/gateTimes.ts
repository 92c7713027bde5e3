import { ALWAYS_OPEN, type GateView } from '../flow/gate.js';
import type { Stage } from '../flow/stage.js';

/** How long a stage's gate has been closed, over all the gates that it has had. */
class GateTime {
  #gate: GateView | undefined;
  #stopWatching: (() => void) | undefined;
  #closedMs = 0;
  #closedAt: number | undefined;

  watch(gate: GateView | undefined, now: () => number): void {
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
    return this.#closedMs + (this.#closedAt === undefined ? 0 : Math.max(0, now - this.#closedAt));
  }

  #opened(now: number): void {
    this.#closedMs = this.closedMs(now);
    this.#closedAt = undefined;
  }
}

/** The gates of stages, and how long each has been closed. */
export class GateTimes {
  readonly #now: () => number;
  readonly #times = new Map<Stage, GateTime>();
  readonly #announced = new Set<Stage>();

  /** `now`: a clock in milliseconds that does not go back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * A stage registers before it has its gate, and gets another one when it is retried. Its gate is looked up once the subscription
   * that is in progress is done.
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

  /** Watches the current gate of the stage. Returns its {@link closedSeconds}. */
  look(stage: Stage): number | undefined {
    const gate = ownGateOf(stage);
    if (gate && !this.#times.has(stage)) this.#times.set(stage, new GateTime());
    this.#times.get(stage)?.watch(gate, this.#now);
    return this.closedSeconds(stage);
  }

  /** Seconds closed until now; `undefined` for a stage without a gate. */
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

/** The gate that the stage itself closes. A branch shows the gate of the stage that it leads to, which is not its own. */
export function ownGateOf({ gate, feeds }: Stage): GateView | undefined {
  if (gate === ALWAYS_OPEN.view) return undefined;
  for (let next = feeds; next; next = next.feeds) if (next.gate) return next.gate === gate ? undefined : gate;
  return gate;
}
