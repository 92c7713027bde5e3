import { METRICS, type MetricKey } from './catalogue.js';
import { Distribution } from './distribution.js';
import type { Series } from './metrics.js';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  value: number | Distribution;
}

/** The values of all metrics at one moment. Labels are given by their values, in the order of the catalogue. */
export class Scrape {
  readonly #metrics = new Map<MetricKey, Map<string, Sample>>();

  /** Adds to the sample with these labels, which starts at zero, or subtracts from it with the sign -1. */
  add(metric: MetricKey, labels: readonly string[], value: number | Distribution, sign: 1 | -1 = 1): void {
    const sample = this.#sampleOf(metric, labels);
    if (value instanceof Distribution) {
      if (!(sample.value instanceof Distribution)) sample.value = new Distribution(value.bounds);
      sample.value.add(value, sign);
    } else {
      sample.value = (sample.value as number) + sign * value;
    }
  }

  /** For states, which do not add up: keeps the one of the higher rank. */
  keepHighest(metric: MetricKey, labels: readonly string[], state: number, ranks: readonly number[]): void {
    const sample = this.#sampleOf(metric, labels);
    if (ranks[state]! > ranks[sample.value as number]!) sample.value = state;
  }

  addTo(other: Scrape): void {
    for (const [metric, samples] of this.#metrics) {
      for (const { labels, value } of samples.values()) other.add(metric, Object.values(labels), value);
    }
  }

  /** Adds its counters to another scrape, or subtracts them. Its gauges are left out: they end with their pipeline. */
  addCountsTo(other: Scrape, sign: 1 | -1 = 1): void {
    for (const [metric, samples] of this.#metrics) {
      if (METRICS[metric].type === 'gauge') continue;
      for (const { labels, value } of samples.values()) other.add(metric, Object.values(labels), value, sign);
    }
  }

  /** What is exported of a metric. */
  *series(metric: MetricKey): Iterable<Series> {
    const { name } = METRICS[metric];
    for (const { labels, value } of this.#metrics.get(metric)?.values() ?? []) {
      if (value instanceof Distribution) yield* value.series(name, labels);
      else yield { labels, value };
    }
  }

  #sampleOf(metric: MetricKey, values: readonly string[]): Sample {
    const samples = this.#metrics.get(metric) ?? new Map<string, Sample>();
    this.#metrics.set(metric, samples);
    const key = values.join('\u0000');
    const sample = samples.get(key) ?? {
      labels: Object.fromEntries(METRICS[metric].labels.map((label, i) => [label, values[i] ?? ''])),
      value: 0,
    };
    samples.set(key, sample);
    return sample;
  }
}
