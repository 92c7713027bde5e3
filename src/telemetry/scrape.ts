import { METRICS, type MetricKey } from './catalogue.js';
import { Distribution } from './distribution.js';
import type { Labels, Sample } from './metrics.js';

interface Entry<V> extends Sample<V> {
  value: V;
}

type Group<V> = Map<string, Entry<V>>;

/** The values of all metrics at one moment. */
export class Scrape {
  readonly #numbers = new Map<MetricKey, Group<number>>();
  readonly #distributions = new Map<MetricKey, Group<Distribution>>();

  /** Adds to the sample with these labels, which starts at zero. The values are in the order of the catalogue's labels. */
  add(metric: MetricKey, values: readonly string[], count: number): void {
    const entry = entryOf(this.#numbers, metric, values, () => 0);
    entry.value += count;
  }

  /** For numbers that do not add up: keeps what `choose` makes of the present one and this one. */
  choose(metric: MetricKey, values: readonly string[], value: number, choose: (a: number, b: number) => number): void {
    const entry = entryOf(this.#numbers, metric, values, () => value);
    entry.value = choose(entry.value, value);
  }

  merge(metric: MetricKey, values: readonly string[], distribution: Distribution): void {
    entryOf(this.#distributions, metric, values, () => new Distribution(distribution.bounds)).value.add(distribution);
  }

  /** Takes over the counts of another scrape. Its gauges are left out: they end with their pipeline. */
  addCounted(other: Scrape): void {
    for (const [metric, group] of other.#numbers) {
      if (METRICS[metric].type !== 'counter') continue;
      for (const { labels, value } of group.values()) this.add(metric, Object.values(labels), value);
    }
    for (const [metric, group] of other.#distributions) {
      for (const { labels, value } of group.values()) this.merge(metric, Object.values(labels), value);
    }
  }

  numbers(metric: MetricKey): Iterable<Sample<number>> {
    return this.#numbers.get(metric)?.values() ?? [];
  }

  distributions(metric: MetricKey): Iterable<Sample<Distribution>> {
    return this.#distributions.get(metric)?.values() ?? [];
  }
}

function entryOf<V>(
  groups: Map<MetricKey, Group<V>>,
  metric: MetricKey,
  values: readonly string[],
  zero: () => V,
): Entry<V> {
  let group = groups.get(metric);
  if (!group) {
    group = new Map();
    groups.set(metric, group);
  }
  const key = values.join('\u0000');
  let entry = group.get(key);
  if (!entry) {
    entry = { labels: labelsOf(metric, values), value: zero() };
    group.set(key, entry);
  }
  return entry;
}

function labelsOf(metric: MetricKey, values: readonly string[]): Labels {
  return Object.fromEntries(METRICS[metric].labels.map((label, index) => [label, values[index] ?? '']));
}
