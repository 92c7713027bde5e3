/**
 * One thing after the other: what comes while something is under way, such as a frame that a transport delivers inside `send`,
 * waits until that is done.
 */
export class Turns {
  readonly #onError: (error: unknown) => void;
  readonly #waiting: { readonly task: (a: never, b: never) => void; readonly a: unknown; readonly b: unknown }[] = [];
  #isBusy = false;

  /** `onError` receives what a task throws, and must not throw. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Runs `task` now, or after what is under way. */
  run(task: () => void): void {
    this.runWith(task, undefined, undefined);
  }

  /** The same with arguments: no closure is needed for them. */
  runWith<A, B>(task: (a: A, b: B) => void, a: A, b: B): void {
    if (this.#isBusy) {
      this.#waiting.push({ task, a, b });
      return;
    }
    this.#isBusy = true;
    this.#attempt(task, a, b);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#attempt(next.task as (a: unknown, b: unknown) => void, next.a, next.b);
    }
    this.#isBusy = false;
  }

  #attempt<A, B>(task: (a: A, b: B) => void, a: A, b: B): void {
    try {
      task(a, b);
    } catch (error) {
      this.#onError(error);
    }
  }
}
