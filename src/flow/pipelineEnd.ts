import { byLength, type Unit, type Weigh, weigher } from './unit.js';

/** Where one subscription of a pipeline ends: counts what its subscriber got. */
export class PipelineEnd {
  /** What the subscriber got, in items. */
  got = 0;
  /** Set by a writer upstream: then the subscriber gets the outcomes of writes, which are no items. */
  hasWriter = false;
  #weigh: Weigh | undefined;

  constructor(unit: Unit) {
    this.#weigh = weigher(unit);
  }

  /** A `batch()` upstream hands on batches. */
  takeBatches(): void {
    if (this.got === 0) this.#weigh ??= byLength;
  }

  count(value: unknown): void {
    this.got += this.#weigh === undefined ? 1 : this.#weigh(value);
  }
}

/** What the subscribers of all pipelines of a monitor got, where no writer is upstream of them. */
export class Deliveries {
  readonly #live: PipelineEnd[] = [];
  #ended = 0;

  open(unit: Unit): PipelineEnd {
    const end = new PipelineEnd(unit);
    this.#live.push(end);
    return end;
  }

  close(end: PipelineEnd): void {
    const place = this.#live.indexOf(end);
    if (place < 0) return;
    this.#live.splice(place, 1);
    if (!end.hasWriter) this.#ended += end.got;
  }

  get total(): number {
    let sum = this.#ended;
    for (const end of this.#live) if (!end.hasWriter) sum += end.got;
    return sum;
  }
}
