interface Listener<E> {
  hear: ((event: E) => void) | undefined;
}

/**
 * Those who want to hear of changes. They hear in the order in which they came, and hear the changes in the order in which
 * those happened, also where one of them makes another change. What one of them throws becomes an unhandled rejection: it
 * keeps nobody from hearing, and does not end up with whoever made the change.
 */
export class Listeners<E> {
  #all: readonly Listener<E>[] = [];
  readonly #untold: E[] = [];
  #telling = false;

  /** Until the returned function is called, which holds from then on, in the middle of a change too. */
  add(hear: (event: E) => void): () => void {
    const added: Listener<E> = { hear };
    this.#all = [...this.#all, added];
    return () => {
      added.hear = undefined;
      this.#all = this.#all.filter((other) => other !== added);
    };
  }

  /** Notes a change, to be told by {@link tell} once whoever makes it has made it whole. */
  note(event: E): void {
    this.#untold.push(event);
  }

  tell(): void {
    if (this.#telling || this.#untold.length === 0) return;
    this.#telling = true;
    while (this.#untold.length > 0) {
      const event = this.#untold.shift() as E;
      for (const listener of this.#all) {
        try {
          listener.hear?.(event);
        } catch (error) {
          void Promise.reject(error);
        }
      }
    }
    this.#telling = false;
  }
}
