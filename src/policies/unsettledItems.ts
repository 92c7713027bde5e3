import type { BatchPart } from './batchFate.js';

/** What is left of a batch whose items are settled one after the other, and how often the sink has refused each. */
export class UnsettledItems<T> {
  #batch: BatchPart<T>;
  /** How often each item was refused; those that never were may be missing. */
  #refusals: number[] = [];
  /** Everything left of it is settled. */
  from = 0;

  constructor(batch: BatchPart<T>) {
    this.#batch = batch;
  }

  get length(): number {
    return this.#batch.items.length;
  }

  get rest(): BatchPart<T> {
    return this.from === 0 ? this.#batch : this.slice(this.from);
  }

  slice(from: number, to?: number): BatchPart<T> {
    const { items, given } = this.#batch;
    const part = items.slice(from, to);
    return { items: part, given: given === items ? part : given.slice(from, to) };
  }

  /** The items from one place to before another were refused, as one part. */
  refused(from: number, to: number): void {
    for (let at = from; at < to; at += 1) this.#refusals[at] = this.attemptsAt(at) + 1;
  }

  /** How often the item at this place was refused, alone and among others. */
  attemptsAt(at: number): number {
    return this.#refusals[at] ?? 0;
  }

  /** The batch is from now on what is kept of it. */
  keep(isKept: (at: number) => boolean): void {
    const { items, given } = this.#batch;
    const isItemKept = (_: T, at: number) => isKept(at);
    const kept = items.filter(isItemKept);
    this.#refusals = items.map((_, at) => this.attemptsAt(at)).filter((_, at) => isKept(at));
    this.#batch = { items: kept, given: given === items ? kept : given.filter(isItemKept) };
    this.from = 0;
  }
}
