/** Checks the answer of a foreign iterator: one that is no object would pass for an endless stream of `undefined`. */
export function iteratorResult<T>(owner: string, verb: string, result: unknown): IteratorResult<T, unknown> {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) {
    throw new TypeError(`${owner}: next() of the iterator must ${verb} { done, value }, got ${String(result)}`);
  }
  return result as IteratorResult<T, unknown>;
}
