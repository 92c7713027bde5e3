/** Starts a wait whose end calls `resume`, perhaps before it returns; returns how to cancel the wait. */
export type Register = (resume: () => void) => () => void;

/**
 * At most one pending callback that can be cancelled. It copes with registrations that call back before they return, as
 * an open gate does and some schedulers do.
 */
export class Wait {
  #cancel: (() => void) | undefined;
  /** The latest wait or cancellation: an earlier wait may no longer resume. */
  #latest = 0;

  get isPending(): boolean {
    return this.#cancel !== undefined;
  }

  /** Begins to wait, instead of any wait that is pending. `resume` is called once, perhaps right here. */
  begin(register: Register, resume: () => void): void {
    this.cancel();
    const id = this.#latest;
    let isOver = false;
    const cancel = register(() => {
      isOver = true;
      if (id !== this.#latest) return;
      this.#cancel = undefined;
      resume();
    });
    if (isOver) return;
    // Cancelled or replaced while it was being registered, it must not outlive that.
    if (id === this.#latest) this.#cancel = cancel;
    else cancel();
  }

  cancel(): void {
    this.#latest += 1;
    const cancel = this.#cancel;
    this.#cancel = undefined;
    cancel?.();
  }
}
