/**
 * One thing after the other: what comes while something is under way, such as a frame that a transport delivers inside `send`,
 * waits until that is done.
 */
export class Turns {
  readonly #onError: (error: unknown) => void;
  readonly #waiting: { readonly task: (argument: never) => void; readonly argument: unknown }[] = [];
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
    this.runWith(task, undefined);
  }

  /** The same with an argument: no closure is needed for it. */
  runWith<A>(task: (argument: A) => void, argument: A): void {
    if (this.#isBusy) {
      this.#waiting.push({ task, argument });
      return;
    }
    this.#isBusy = true;
    this.#attempt(task, argument);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#attempt(next.task as (argument: unknown) => void, next.argument);
    }
    this.#isBusy = false;
  }

  #attempt<A>(task: (argument: A) => void, argument: A): void {
    try {
      task(argument);
    } catch (error) {
      this.#onError(error);
    }
  }
}
