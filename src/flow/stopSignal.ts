import { NEVER, type Observable, type Subscription, throwError } from 'rxjs';

const signals = new WeakMap<Observable<void>, StopSignal>();
const nothing = () => {};

/**
 * The `stopping` of a context, as sources hear it. An observable tells its subscribers one after another, and those downstream
 * subscribe first: a stage that flushes when it is told may open the gate of a source that is told only later. All sources
 * therefore share one signal per `stopping`, which knows that it has fired before anyone acts on it.
 */
export class StopSignal {
  /** The signal that everybody who has this `stopping` shares. */
  static of(stopping: Observable<void>): StopSignal {
    const signal = signals.get(stopping) ?? new StopSignal(stopping);
    signals.set(stopping, signal);
    return signal;
  }

  /** Whether the pipeline was asked to drain, while anyone listens. */
  hasFired = false;
  readonly #stopping: Observable<void>;
  readonly #listeners: { readonly tell: () => void }[] = [];
  #connection: Subscription | undefined;

  private constructor(stopping: Observable<void>) {
    this.#stopping = stopping;
  }

  /**
   * Calls `tell` once, when the pipeline is asked to drain; not if it was before, which {@link hasFired} tells. Returns how
   * to withdraw.
   */
  listen(tell: () => void = nothing): () => void {
    if (this.#stopping === NEVER) return nothing;
    const listeners = this.#listeners;
    const listener = { tell };
    listeners.push(listener);
    if (listeners.length === 1) this.#connect();
    return () => {
      const place = listeners.indexOf(listener);
      if (place < 0) return;
      listeners.splice(place, 1);
      if (listeners.length === 0) this.#connection?.unsubscribe();
    };
  }

  #connect(): void {
    this.hasFired = false;
    let isConnecting = true;
    this.#connection = this.#stopping.subscribe(() => {
      this.hasFired = true;
      if (!isConnecting) this.#tell();
    });
    isConnecting = false;
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener.tell();
      } catch (error) {
        // What one pipeline cannot tear down must not keep the sources of another running: reported as RxJS reports its own.
        throwError(() => error).subscribe();
      }
    }
  }
}

/** The signal of a source that runs to its end. */
export const NEVER_STOPS = StopSignal.of(NEVER);
