import type { Labels, Series } from './metrics.js';

/**
 * A histogram of plain numbers. prom-client's own hashes its labels at each observation, which is too expensive for every batch;
 * this one costs a few comparisons, and becomes text when it is scraped.
 */
export class Distribution {
  readonly bounds: readonly number[];
  /** The number of values up to the bound of the same index and above the one before; the last counts those above all bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const index = this.bounds.findIndex((bound) => value <= bound);
    this.counts[index < 0 ? this.bounds.length : index]! += 1;
    this.sum += value;
    this.count += 1;
  }

  /** Adds the values of a distribution with the same bounds, or takes them out with the sign -1. */
  add(other: Distribution, sign: 1 | -1 = 1): void {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += sign * other.counts[i]!;
    this.sum += sign * other.sum;
    this.count += sign * other.count;
  }

  /** How it is exported: a bucket per bound, each with all values up to it, and the sum and the count. */
  *series(name: string, labels: Labels): Iterable<Series> {
    let below = 0;
    for (const [i, bound] of this.bounds.entries()) {
      below += this.counts[i]!;
      yield { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below };
    }
    yield { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: this.count };
    yield { metricName: `${name}_sum`, labels, value: this.sum };
    yield { metricName: `${name}_count`, labels, value: this.count };
  }
}
