import { withoutSecrets } from '../stream/streamErrors.js';

/** The same pages. What they throw has no secret, which a vendor may have echoed; `return()` takes effect as it would without. */
export function maskingErrors<T>(pages: AsyncIterable<T>, secrets: readonly string[]): AsyncIterable<T> {
  if (secrets.length === 0) return pages;
  return { [Symbol.asyncIterator]: () => new MaskingIterator(pages[Symbol.asyncIterator](), secrets) };
}

class MaskingIterator<T> implements AsyncIterator<T> {
  readonly #inner: AsyncIterator<T>;
  readonly #secrets: readonly string[];

  constructor(inner: AsyncIterator<T>, secrets: readonly string[]) {
    this.#inner = inner;
    this.#secrets = secrets;
  }

  async next(): Promise<IteratorResult<T>> {
    try {
      return await this.#inner.next();
    } catch (error) {
      throw withoutSecrets(error, this.#secrets);
    }
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    try {
      return (await this.#inner.return?.(value)) ?? { done: true, value };
    } catch (error) {
      throw withoutSecrets(error, this.#secrets);
    }
  }
}
