import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TelemetryError } from './telemetryError.js';

/**
 * The port to prom-client, and the only place that names it. A metric is read when it is scraped: it has a function that returns its
 * samples, and does nothing in between.
 */

/** The registry of prom-client, for programs that show metrics of their own beside these. */
export type MetricsRegistry = Registry;

export type Labels = Readonly<Record<string, string | number>>;

export interface MetricInfo {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** One exported value; its name is that of the metric unless it says otherwise. */
export interface Series {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** The text format of Prometheus 0.0.4, or OpenMetrics 1.0.0. */
export type MetricsFormat = 'text' | 'openmetrics';

/** What a scrape is answered with. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly body: string;
}

const CLASSES = { counter: Counter, gauge: Gauge, histogram: Histogram };

/** The metrics of one owner, in a registry that may also hold metrics of others. */
export class Metrics {
  readonly #registry: Registry;
  readonly #names: string[] = [];

  constructor(registry?: MetricsRegistry) {
    this.#registry = registry ?? new Registry();
  }

  add({ name, type, help, labels }: MetricInfo, read: () => Iterable<Series>): void {
    // By the name that it has then: the library renames counters when it writes OpenMetrics.
    async function get(this: { readonly name: string }) {
      return { name: this.name, help, type, aggregator: 'sum', values: [...read()] };
    }
    try {
      const metric = new CLASSES[type]({ name, help, labelNames: [...labels], registers: [this.#registry] });
      // The library calls one for text and the other for objects.
      Object.assign(metric, { get, getForPromString: get });
    } catch (cause) {
      this.close();
      const remedy = 'give each telemetry its own registry, or share one telemetry';
      throw new TelemetryError('SLUICE_TELEMETRY_REGISTRY', `the registry refused ${name}: ${remedy}`, { cause });
    }
    this.#names.push(name);
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
}
