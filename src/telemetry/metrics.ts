import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Distribution } from './distribution.js';
import { TelemetryError } from './telemetryError.js';

/**
 * The port to prom-client, and the only place that names it. A metric is read when it is scraped: it has a function that returns its
 * samples, and does nothing in between.
 */

/** The registry of prom-client, for programs that show metrics of their own beside these. */
export type MetricsRegistry = Registry;

export type Labels = Readonly<Record<string, string>>;

export interface MetricInfo {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export interface Sample<V> {
  readonly labels: Labels;
  readonly value: V;
}

/** The text format of Prometheus 0.0.4, or OpenMetrics 1.0.0. */
export type MetricsFormat = 'text' | 'openmetrics';

export interface RenderedMetrics {
  readonly contentType: string;
  readonly body: string;
}

/** The metrics of one owner, in a registry that may also hold metrics of others. */
export class Metrics {
  readonly #registry: Registry;
  readonly #names: string[] = [];

  constructor(registry?: MetricsRegistry) {
    this.#registry = registry ?? new Registry();
  }

  /** A counter or gauge. Samples with equal labels are added up. */
  number(info: MetricInfo, read: () => Iterable<Sample<number>>): void {
    const config = this.#configOf(info);
    // A counter is set to what was counted each time that it is read.
    this.#register(info, () =>
      info.type === 'counter'
        ? new Counter({
            ...config,
            collect() {
              this.reset();
              for (const { labels, value } of read()) this.inc(labels, value);
            },
          })
        : new Gauge({
            ...config,
            collect() {
              this.reset();
              for (const { labels, value } of read()) this.inc(labels, value);
            },
          }),
    );
  }

  histogram(info: MetricInfo, read: () => Iterable<Sample<Distribution>>): void {
    this.#register(info, () => {
      const metric = new Histogram(this.#configOf(info));
      const described = { name: info.name, help: info.help, type: 'histogram', aggregator: 'sum' };
      const get = async () => ({
        ...described,
        values: [...read()].flatMap((sample) => [...seriesOf(info.name, sample)]),
      });
      // The library calls one for text and the other for objects.
      return Object.assign(metric, { get, getForPromString: get });
    });
  }

  async render(format: MetricsFormat): Promise<RenderedMetrics> {
    const { PROMETHEUS_CONTENT_TYPE, OPENMETRICS_CONTENT_TYPE } = Registry;
    const contentType = format === 'text' ? PROMETHEUS_CONTENT_TYPE : OPENMETRICS_CONTENT_TYPE;
    // When it writes OpenMetrics, the library removes `_total` from the name of a counter for good: it gets a copy.
    const metrics = this.#registry
      .getMetricsAsArray()
      .map((metric) => Object.create(metric, { name: { value: metric.name, writable: true, enumerable: true } }));
    const view: Registry = Object.create(this.#registry, {
      contentType: { value: contentType },
      getMetricsAsArray: { value: () => metrics },
    });
    return { contentType, body: await view.metrics() };
  }

  /** Removes the metrics from the registry. */
  close(): void {
    for (const name of this.#names.splice(0)) this.#registry.removeSingleMetric(name);
  }

  #configOf({ name, help, labels }: MetricInfo) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }

  #register({ name }: MetricInfo, make: () => unknown): void {
    try {
      make();
    } catch (cause) {
      this.close();
      const remedy = 'give each telemetry its own registry, or share one telemetry';
      throw new TelemetryError('SLUICE_TELEMETRY_REGISTRY', `the registry refused ${name}: ${remedy}`, { cause });
    }
    this.#names.push(name);
  }
}

function* seriesOf(name: string, { labels, value }: Sample<Distribution>) {
  let below = 0;
  for (const [index, bound] of value.bounds.entries()) {
    below += value.counts[index]!;
    yield { metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: below };
  }
  yield { metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: value.count };
  yield { metricName: `${name}_sum`, labels, value: value.sum };
  yield { metricName: `${name}_count`, labels, value: value.count };
}
