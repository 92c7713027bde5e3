/**
 * An iterable whose `return()` takes effect at once: it aborts the signal that `make` was given, and a `next()` that is under way
 * ends. A generator alone would finish its request first.
 */
export function cancellable<T>(make: (signal: AbortSignal) => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new CancellableIterator(make) };
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

class CancellableIterator<T> implements AsyncIterator<T, undefined> {
  readonly #abort = new AbortController();
  readonly #make: (signal: AbortSignal) => AsyncIterable<T>;
  #inner: AsyncIterator<T> | undefined;

  constructor(make: (signal: AbortSignal) => AsyncIterable<T>) {
    this.#make = make;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const { signal } = this.#abort;
    if (signal.aborted) return DONE;
    this.#inner ??= this.#make(signal)[Symbol.asyncIterator]();
    try {
      const result = await this.#inner.next();
      return signal.aborted || result.done ? this.#end() : result;
    } catch (error) {
      if (signal.aborted) return DONE;
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    return this.#end();
  }

  #end(): IteratorReturnResult<undefined> {
    this.#abort.abort();
    // Not awaited: a generator returns only when its step is over, which the signal ends.
    this.#inner?.return?.().then(undefined, () => {});
    return DONE;
  }
}
