import type { FeedState } from '../flow/feed.js';
import type { PipelineMonitor } from '../flow/monitor.js';
import type { Stage, StageObserver } from '../flow/stage.js';
import type { RunObserver } from '../operators/running/runObserver.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import {
  checked,
  func,
  having,
  type OptionsOf,
  oneOf,
  readArgument,
  readOptions,
  reject,
  text,
} from '../primitives/options.js';
import { BoundedLabels } from './boundedLabels.js';
import { METRICS, type MetricKey } from './catalogue.js';
import { EventLoopDelay, type EventLoopDelayReading } from './eventLoopDelay.js';
import { FormerCounts } from './formerCounts.js';
import { GateTimes } from './gateTimes.js';
import { Metrics, type MetricsFormat, type MetricsRegistry, type RenderedMetrics } from './metrics.js';
import {
  type DeadLetterCounts,
  type MetricSources,
  type OpenGaps,
  type PipelineView,
  scrapeCircuits,
  scrapePipeline,
} from './pipelineView.js';
import { Scrape } from './scrape.js';
import { type Topology, topologyOf } from './topology.js';
import { type EventTimeOf, eventTimeOf, WriterRecord } from './writerRecord.js';

export interface PipelineTelemetryConfig {
  /** Where the metrics are registered, if a program shows others beside them. Default: a registry of their own. */
  readonly registry?: MetricsRegistry;
  /** The clock, in Unix epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** When the event of an item happened, for freshness. Default: its `ts`, else its `publishedAt`. */
  readonly eventTimeOf?: EventTimeOf;
}

/** What belongs to the pipeline that telemetry is bound to. */
export interface BindConfig {
  /** The label `pipeline`. Default `default`. */
  readonly pipeline?: string;
  /** The queue of dead letters whose numbers belong to this pipeline. Default: none. */
  readonly deadLetters?: DeadLetterCounts;
  /** Where the open gaps of the store come from. Default: they are not shown. */
  readonly gaps?: OpenGaps;
}

/** What keeps a program from taking work, as far as its pipelines know: those that run, or those that have ended if none does. */
export interface ReadinessBlockers {
  readonly draining: boolean;
  /** Coordinators whose breaker is open. */
  readonly open: readonly string[];
  /** Pipelines whose dead letters cannot be stored. */
  readonly holding: readonly string[];
  /** The providers of these pipelines, which keep nobody from taking work. */
  readonly feeds: readonly FeedStatus[];
}

/** How the stream of a provider is doing. */
export interface FeedStatus {
  readonly pipeline: string;
  readonly provider: string;
  readonly state: FeedState;
}

/** Give it to `observe` of a run, which it shows as the pipeline `default`; `pipeline()` observes one under another name. */
export interface PipelineTelemetry extends Required<Omit<RunObserver, 'hurrying'>> {
  /**
   * The observer that shows a run under this label, and the numbers of its dead letters. After the run its last values stay until
   * another of this name begins; counters then go on where they were.
   */
  pipeline(name: string, config?: Omit<BindConfig, 'pipeline'>): RunObserver;
  /**
   * Shows a pipeline that is subscribed without `run()`; call it before that. The function that is returned ends it: the counters
   * of the pipeline stay, its gauges end.
   */
  bind(monitor: PipelineMonitor, config?: BindConfig): () => void;
  /** The program takes no more work. */
  draining(reason?: string): void;
  metrics(format?: MetricsFormat): Promise<RenderedMetrics>;
  topology(): readonly Topology[];
  eventLoopDelay(): EventLoopDelayReading;
  blockers(): ReadinessBlockers;
  /** Stops watching, and takes the metrics out of their registry. */
  close(): void;
}

const DEFAULT_PIPELINE = 'default';

const OPTIONS = {
  registry: having('registerMetric'),
  now: func().default(Date.now),
  eventTimeOf: func().default(eventTimeOf),
} satisfies OptionsOf<PipelineTelemetryConfig>;

const hasOpen = (value: unknown): value is object => typeof value === 'object' && value !== null && 'open' in value;

const BIND_OPTIONS = {
  pipeline: text().default(DEFAULT_PIPELINE),
  deadLetters: having('stats'),
  gaps: checked('an object with open', hasOpen),
} satisfies OptionsOf<BindConfig>;

const FORMAT = oneOf(['text', 'openmetrics']);

/**
 * Metrics of pipelines for Prometheus: what their stages count, how long their gates are closed, what becomes of batches. The
 * numbers are read when they are scraped; in between a batch costs a few additions, and an item nothing.
 *
 * @example
 * ```ts
 * import { pipelineTelemetry } from 'sluice/telemetry';
 * import { writeCoordinator } from 'sluice/operators';
 * import { run } from 'sluice/pipelines';
 * import { memorySink } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 *
 * const telemetry = pipelineTelemetry();
 * const bars$ = synthetic({ count: 1_000, seed: 7 });
 * await run(bars$.pipe(writeCoordinator(memorySink())), { observe: [telemetry.pipeline('bars')] });
 * console.log((await telemetry.metrics()).body);
 * telemetry.close();
 * ```
 */
export function pipelineTelemetry(config: PipelineTelemetryConfig = {}): PipelineTelemetry {
  const owner = 'pipelineTelemetry';
  const { registry, now, eventTimeOf: timeOf } = readOptions(owner, config, OPTIONS);
  const clock = new MonotonicClock();
  const gates = new GateTimes(() => clock.at(now()));
  const records = new WeakMap<Stage, WriterRecord>();
  const errorTypes = new BoundedLabels();
  const sources: MetricSources = {
    records,
    gates,
    dropReasons: new BoundedLabels(),
    divertReasons: new BoundedLabels(),
    gapCauses: new BoundedLabels(),
    now,
  };
  const pipelines = new Map<PipelineMonitor, PipelineView>();
  /** Names under which a drain was announced while no pipeline of that name was running. */
  const announced = new Set<string>();
  const former = new FormerCounts();
  let latest: Scrape | undefined;

  /** The pipelines that say how the program is: one that has ended keeps no other from taking work. */
  const concerned = (): readonly PipelineView[] => {
    const all = [...pipelines.values()];
    const running = all.filter(({ isOver }) => !isOver);
    return running.length > 0 ? running : all;
  };
  const isDraining = () => announced.size > 0 || concerned().some(({ draining }) => draining !== undefined);

  const recordOf = (stage: Stage): WriterRecord => {
    const record = records.get(stage) ?? new WriterRecord();
    records.set(stage, record);
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

  /** All metrics of one scrape are of one moment: they are read at once, without a turn of the event loop in between. */
  const scrape = (): Scrape => {
    if (latest) return latest;
    const fresh = new Scrape();
    former.addTo(fresh);
    for (const pipeline of pipelines.values()) {
      scrapePipeline(pipeline, fresh, sources);
      // A breaker says nothing of a sink that nobody writes to any more.
      if (!pipeline.isOver) scrapeCircuits(pipeline, fresh, sources);
    }
    fresh.add('draining', [], isDraining() ? 1 : 0);
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

  const metrics = new Metrics(registry);
  for (const [key, info] of Object.entries(METRICS) as [MetricKey, (typeof METRICS)[MetricKey]][]) {
    metrics.add(info, () => scrape().series(key));
  }
  const delay = new EventLoopDelay(now);

  /** The counters of the pipeline stay, its gauges end. */
  const retire = (view: PipelineView): void => {
    if (pipelines.get(view.monitor) !== view) return;
    former.add(view, sources);
    pipelines.delete(view.monitor);
    for (const stage of view.monitor.stages) gates.forget(stage);
    latest = undefined;
  };

  const show = (monitor: PipelineMonitor, bindConfig: BindConfig): PipelineView => {
    const { pipeline: name, deadLetters, gaps } = readOptions(`${owner}: bind`, bindConfig, BIND_OPTIONS);
    for (const view of pipelines.values()) {
      if (view.isOver && (view.monitor === monitor || view.name === name)) retire(view);
      else if (view.monitor === monitor) throw new RangeError(`${owner}: bind: this monitor is bound already`);
      else if (view.name === name) {
        reject(`${owner}: bind`, 'pipeline', 'a name that no running pipeline has', name);
      }
    }
    const shown = { name, monitor, deadLetters, gaps, draining: undefined, isOver: false };
    const view: PipelineView = { ...shown, before: former.before(shown, sources) };
    pipelines.set(monitor, view);
    gaps?.begin?.();
    // A pipeline that runs again takes work again.
    announced.delete(name);
    return view;
  };

  const observe = (
    name: string,
    bindConfig: BindConfig,
  ): Pick<PipelineTelemetry, keyof RunObserver & keyof PipelineTelemetry> => {
    let view: PipelineView | undefined;
    return {
      attach(monitor) {
        view = show(monitor, { ...bindConfig, pipeline: name });
        return observer;
      },
      draining(reason?: string) {
        if (!view || view.isOver) announced.add(name);
        else view.draining = reason === 'failure' ? 'failing' : 'asked';
      },
      finished() {
        if (!view || view.isOver) return;
        view.isOver = true;
        view.gaps?.end?.();
      },
    };
  };

  return {
    ...observe(DEFAULT_PIPELINE, {}),
    pipeline: (name, bindConfig = {}) =>
      observe(readArgument(owner, 'the name of a pipeline', name, text()), bindConfig),
    bind(monitor, bindConfig = {}) {
      const view = show(monitor, bindConfig);
      const detach = monitor.observe(observer);
      return () => {
        detach();
        if (!view.isOver) view.gaps?.end?.();
        retire(view);
      };
    },
    metrics: (format = 'text') => metrics.render(readArgument(owner, 'format', format, FORMAT)),
    topology: () =>
      [...pipelines.values()].map(({ name, monitor }) => topologyOf(name, monitor, (stage) => gates.look(stage))),
    eventLoopDelay: () => delay.read(),
    blockers() {
      const views = concerned();
      const current = new Scrape();
      for (const view of views) scrapeCircuits(view, current, sources);
      const open = [...current.series('circuitState')].filter(({ value }) => value === 1);
      const holding = views.filter(({ deadLetters }) => deadLetters?.holding);
      return {
        draining: isDraining(),
        open: open.map(({ labels }) => String(labels.coord_id)),
        holding: holding.map(({ name }) => name),
        feeds: views.flatMap(({ name: pipeline, monitor }) =>
          monitor.feeds
            .filter(({ isLive }) => isLive)
            .map(({ id: provider, state }) => ({ pipeline, provider, state })),
        ),
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
