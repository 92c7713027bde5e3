/**
 * A histogram of plain numbers. The library's own hashes its labels at each observation, which is too dear for what happens
 * with every batch; this one costs a few comparisons, and is turned into text when somebody asks.
 */
export class Distribution {
  readonly bounds: readonly number[];
  /** How many values were at most the bound of the same index and above the one before; the last, above all bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value > bounds[middle]!) low = middle + 1;
      else high = middle;
    }
    counts[low]! += 1;
    this.sum += value;
    this.count += 1;
  }

  /** Adds what another of the same bounds has seen. */
  add(other: Distribution): void {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += other.counts[i]!;
    this.sum += other.sum;
    this.count += other.count;
  }
}
