import type { PipelineMonitor, Stage, StageObserver } from '../flow/monitor.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import {
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireOneOf,
  requireText,
} from '../primitives/validate.js';
import { BoundedLabels } from './boundedLabels.js';
import { METRICS, type MetricKey, PROVIDER_STATES, type ProviderState } from './catalogue.js';
import { EventLoopDelay, type EventLoopDelayReading } from './eventLoopDelay.js';
import { GateTimes } from './gateTimes.js';
import { Metrics, type MetricsFormat, type MetricsRegistry, type RenderedMetrics } from './metrics.js';
import { type CountedDeadLetters, type Readings, WatchedPipeline } from './pipelineTally.js';
import { Tally } from './tally.js';
import { type Topology, topologyOf } from './topology.js';
import { type EventTimeOf, eventTimeOf, WriterRecord } from './writerRecord.js';

export interface PipelineTelemetryConfig {
  /** Where the metrics are registered, if a program shows others beside them. Default: a registry of their own. */
  readonly registry?: MetricsRegistry;
  /** The clock, in Unix epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** When the event of an item was, for freshness. Default: its `ts`, else its `publishedAt`. */
  readonly eventTimeOf?: EventTimeOf;
}

export interface BindConfig {
  /** The label `pipeline`. Default `default`. */
  readonly pipeline?: string;
  /** The queue of dead letters whose numbers belong to this pipeline. Default: none. */
  readonly deadLetters?: CountedDeadLetters;
}

/** What keeps a program from taking work, as far as its pipelines know. */
export interface Obstacles {
  readonly draining: boolean;
  /** Coordinators whose breaker is open. */
  readonly open: readonly string[];
  /** Pipelines whose dead letters cannot be stored. */
  readonly holding: readonly string[];
}

export interface PipelineTelemetry {
  /** For `new PipelineMonitor({ observer })`: told of batches, never of items. */
  readonly observer: StageObserver;
  /** Shows what the stages of a monitor count. Give it back when the pipeline is over: its counters stay, its gauges end. */
  bind(monitor: PipelineMonitor, config?: BindConfig): () => void;
  /** What a provider is doing now. */
  providerState(provider: string, state: ProviderState): void;
  /** How many gaps in the data are not filled yet. */
  gapsOpen(count: number): void;
  /** The program takes no more work. */
  draining(): void;
  metrics(format?: MetricsFormat): Promise<RenderedMetrics>;
  topology(): readonly Topology[];
  eventLoopDelay(): EventLoopDelayReading;
  obstacles(): Obstacles;
  /** Stops watching, and takes the metrics out of their registry. */
  close(): void;
}

/**
 * Metrics of pipelines for Prometheus: what their stages count, how long their gates are closed, what becomes of batches.
 *
 * Give `observer` to the monitor and bind the monitor. Numbers are read when somebody asks for them; between that, a batch
 * costs a few additions and an item nothing.
 *
 * @example
 * ```ts
 * import { PipelineMonitor } from 'sluice';
 * import { pipelineTelemetry } from 'sluice/telemetry';
 * import { writeCoordinator } from 'sluice/operators';
 * import { run } from 'sluice/pipelines';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const telemetry = pipelineTelemetry();
 * const monitor = new PipelineMonitor({ observer: telemetry.observer });
 * telemetry.bind(monitor, { pipeline: 'bars' });
 * await run(synthetic({ count: 1_000, seed: 7 }).pipe(writeCoordinator(memorySink())), { monitor });
 * console.log((await telemetry.metrics()).body);
 * telemetry.close();
 * ```
 */
export function pipelineTelemetry(config: PipelineTelemetryConfig = {}): PipelineTelemetry {
  const owner = 'pipelineTelemetry';
  requireKnownOptions(owner, config, ['registry', 'now', 'eventTimeOf']);
  const now = requireFunction(owner, 'now', config.now ?? Date.now);
  const timeOf = requireFunction(owner, 'eventTimeOf', config.eventTimeOf ?? eventTimeOf);
  const steady = new MonotonicClock();
  const gates = new GateTimes(() => steady.at(now()));
  const records = new WeakMap<Stage, WriterRecord>();
  const errorTypes = new BoundedLabels();
  const readings: Readings = { records, gates, dropReasons: new BoundedLabels(), divertReasons: new BoundedLabels() };
  const pipelines = new Map<PipelineMonitor, WatchedPipeline>();
  const providers = new Map<string, ProviderState>();
  /** What pipelines counted that are over. */
  const former = new Tally();
  let gaps = 0;
  let isDraining = false;
  let latest: Tally | undefined;

  const recordOf = (stage: Stage): WriterRecord => {
    let record = records.get(stage);
    if (!record) {
      record = new WriterRecord();
      records.set(stage, record);
    }
    return record;
  };

  const observer: StageObserver = {
    registered: (stage) => gates.announce(stage),
    settled(stage, outcome) {
      if (outcome.status === 'written') recordOf(stage).written(outcome, now(), timeOf);
    },
    writeFailed: (stage, failure) => recordOf(stage).failed(failure, errorTypes),
    retrying(stage) {
      recordOf(stage).retries += 1;
    },
    guarded(stage, breaker) {
      recordOf(stage).breaker = breaker;
      gates.announce(stage);
    },
  };

  /** All metrics of one scrape are of one moment: they are read in one go, without a turn of the event loop between. */
  const tally = (): Tally => {
    if (latest) return latest;
    const fresh = new Tally();
    fresh.addCounted(former);
    for (const pipeline of pipelines.values()) pipeline.addTo(fresh, readings);
    for (const [provider, current] of providers) {
      for (const state of PROVIDER_STATES) fresh.add('providerState', [provider, state], state === current ? 1 : 0);
    }
    fresh.add('gapsOpen', [], gaps);
    fresh.add('draining', [], isDraining ? 1 : 0);
    const { mean, p99, max } = delay.read();
    fresh.add('loopMean', [], mean);
    fresh.add('loopP99', [], p99);
    fresh.add('loopMax', [], max);
    latest = fresh;
    queueMicrotask(() => {
      latest = undefined;
    });
    return fresh;
  };

  const metrics = new Metrics(config.registry);
  for (const [key, info] of Object.entries(METRICS) as [MetricKey, (typeof METRICS)[MetricKey]][]) {
    if (info.type === 'histogram') metrics.histogram(info, () => tally().distributions(key));
    else metrics.number(info, () => tally().numbers(key));
  }
  const delay = new EventLoopDelay(now);

  return {
    observer,
    bind(monitor, bindConfig = {}) {
      requireKnownOptions(`${owner}: bind`, bindConfig, ['pipeline', 'deadLetters']);
      const name = requireText(`${owner}: bind`, 'pipeline', bindConfig.pipeline ?? 'default');
      if (pipelines.has(monitor)) throw new RangeError(`${owner}: bind: this monitor is bound already`);
      if ([...pipelines.values()].some((other) => other.name === name)) {
        throw new RangeError(
          `${owner}: bind: pipeline must be a name of its own, and there is a ${JSON.stringify(name)}`,
        );
      }
      const pipeline = new WatchedPipeline(name, monitor, bindConfig.deadLetters);
      pipelines.set(monitor, pipeline);
      return () => {
        if (pipelines.get(monitor) !== pipeline) return;
        const last = new Tally();
        pipeline.addTo(last, readings);
        former.addCounted(last);
        pipelines.delete(monitor);
        for (const stage of monitor.stages) gates.forget(stage);
        latest = undefined;
      };
    },
    providerState(provider, state) {
      requireText(owner, 'provider', provider);
      providers.set(provider, requireOneOf(owner, 'state', state, PROVIDER_STATES));
    },
    gapsOpen(count) {
      gaps = requireInteger(owner, 'gapsOpen', count, 0);
    },
    draining() {
      isDraining = true;
    },
    metrics: (format = 'text') => metrics.render(requireOneOf(owner, 'format', format, ['text', 'openmetrics'])),
    topology: () =>
      [...pipelines.values()].map(({ name, monitor }) =>
        topologyOf(name, monitor, (stage) => {
          gates.look(stage);
          return gates.closedSeconds(stage);
        }),
      ),
    eventLoopDelay: () => delay.read(),
    obstacles() {
      const open = [...tally().numbers('circuitState')].filter(({ value }) => value === 1);
      const holding = [...pipelines.values()].filter(({ deadLetters }) => deadLetters?.holding);
      return {
        draining: isDraining,
        open: open.map(({ labels }) => labels.coord_id ?? ''),
        holding: holding.map(({ name }) => name),
      };
    },
    close() {
      metrics.close();
      delay.close();
      gates.close();
      pipelines.clear();
    },
  };
}
