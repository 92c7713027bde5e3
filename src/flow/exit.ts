import type { Subscriber } from 'rxjs';
import type { CancelWait, Gate } from './gate.js';
import type { Operation } from './operate.js';

/**
 * The way out of an operator that holds items: says whether one may be emitted, and waits at the gate downstream, once
 * for all that is held, when none may.
 */
export class Exit {
  readonly #destination: Subscriber<never>;
  readonly #gate: Gate;
  readonly #onOpen: () => void;
  #cancelWait: CancelWait | undefined;

  /** `onOpen` is called when the gate opens after something was refused. It may be refused again. */
  constructor({ destination, downstream }: Pick<Operation<never>, 'destination' | 'downstream'>, onOpen: () => void) {
    this.#destination = destination;
    this.#gate = downstream.gate;
    this.#onOpen = onOpen;
    destination.add(() => this.#cancelWait?.());
  }

  /** Whether an item may be emitted now. If the gate is closed, `onOpen` is called when it opens. */
  mayEmit(): boolean {
    if (this.#destination.closed) return false;
    if (this.#gate.isOpen) return true;
    this.wait();
    return false;
  }

  /** Has `onOpen` called when the gate is open: at once, if it is. */
  wait(): void {
    if (this.#cancelWait || this.#destination.closed) return;
    let opened = false;
    const cancel = this.#gate.whenOpen(() => {
      opened = true;
      this.#cancelWait = undefined;
      this.#onOpen();
    });
    if (!opened) this.#cancelWait = cancel;
  }
}
