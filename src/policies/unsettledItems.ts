import type { BatchPart } from './batchFate.js';

/** What is left of a batch whose items are settled one after the other, and how often the sink has refused each. */
export class UnsettledItems<T> {
  #batch: BatchPart<T>;
  /** Where each part ended that was refused. */
  #refusedTo: number[] = [];
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

  /** The items from the unsettled ones up to this place were refused, in whatever parts. */
  refusedUpTo(end: number): void {
    this.#refusedTo = this.#refusedTo.filter((other) => other > this.from);
    this.#refusedTo.push(end);
  }

  /** How often the item at this place was refused, alone and among others. */
  attemptsAt(at: number): number {
    return this.#refusedTo.reduce((count, end) => count + Number(end > at), 0);
  }

  /** The batch is from now on what is kept of it. */
  keep(isKept: (at: number) => boolean): void {
    const { items, given } = this.#batch;
    const isItemKept = (_: T, at: number) => isKept(at);
    const kept = items.filter(isItemKept);
    this.#refusedTo = this.#refusedTo.map((end) => items.slice(0, end).filter(isItemKept).length);
    this.#batch = { items: kept, given: given === items ? kept : given.filter(isItemKept) };
    this.from = 0;
  }
}
