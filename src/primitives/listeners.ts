/**
 * Notifies listeners in the order in which they were added, and of events in the order in which they happened, even if a
 * listener causes another event. An error that a listener throws becomes an unhandled rejection: it neither keeps others from
 * being notified nor reaches the caller that caused the event.
 */
export class Listeners<E> {
  readonly #entries = new Set<{ readonly listener: (event: E) => void }>();
  readonly #pending: E[] = [];
  #isNotifying = false;

  /** The returned function removes the listener, with immediate effect even during a notification. */
  add(listener: (event: E) => void): () => void {
    const entry = { listener };
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  /** Records an event. {@link notify} delivers it once its cause has finished. */
  record(event: E): void {
    this.#pending.push(event);
  }

  notify(): void {
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    for (let event = this.#pending.shift(); event !== undefined; event = this.#pending.shift()) {
      for (const entry of [...this.#entries]) {
        try {
          if (this.#entries.has(entry)) entry.listener(event);
        } catch (error) {
          void Promise.reject(error);
        }
      }
    }
    this.#isNotifying = false;
  }
}
