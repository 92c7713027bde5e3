import type { PipelineMonitor, Stage } from '../flow/monitor.js';
import type { BoundedLabels } from './boundedLabels.js';
import type { MetricKey } from './catalogue.js';
import { type CoordinatorStages, coordinatesOf, coordinatorsOf, isBuffer } from './coordinates.js';
import { type GateTimes, ownGateOf } from './gateTimes.js';
import type { Tally } from './tally.js';
import { WriterRecord } from './writerRecord.js';

interface Letters {
  readonly letters: number;
}

/** As much of a queue of dead letters as the metrics show. A folder that several pipelines share belongs to one of them. */
export interface CountedDeadLetters {
  /** Set while letters cannot be stored, so that the pipeline holds its items. */
  readonly holding: object | undefined;
  stats(): {
    /** Waiting to be replayed. */
    readonly open: Letters;
    /** Waiting for a person. */
    readonly parked: Letters;
    /** Stored and written again since the process began. */
    readonly appended: Letters;
    readonly replayed: Letters;
    /** Damaged parts of the folder, put aside. */
    readonly quarantined: number;
  };
}

/** Where what the metrics say of a pipeline is read from. */
export interface Readings {
  readonly records: WeakMap<Stage, WriterRecord>;
  readonly gates: GateTimes;
  readonly dropReasons: BoundedLabels;
  readonly divertReasons: BoundedLabels;
}

/** Reasons that are there from the beginning, so that their first item is seen as an increase. */
const DROPPED = ['overflow'];
const DROPPED_BY_BUFFER = ['dropOldest', 'dropIncoming', ...DROPPED];
const DIVERTED = ['poison', 'exhausted', 'fatal', 'drain', 'decode'];

const NO_RECORD = new WriterRecord();

/** A pipeline under its name, and the highest that its counters have shown. */
export class WatchedPipeline {
  readonly name: string;
  readonly monitor: PipelineMonitor;
  readonly deadLetters: CountedDeadLetters | undefined;
  readonly #peaks = new Map<string, number>();

  constructor(name: string, monitor: PipelineMonitor, deadLetters: CountedDeadLetters | undefined) {
    this.name = name;
    this.monitor = monitor;
    this.deadLetters = deadLetters;
  }

  /** Adds what this pipeline stands at. */
  addTo(tally: Tally, readings: Readings): void {
    const { stages } = this.monitor;
    for (const coordinator of coordinatorsOf(stages)) countCoordinator(tally, coordinator, stages, readings);
    this.#countItems(tally, readings);
    this.#countGates(tally, readings);
    this.#countDeadLetters(tally);
  }

  #countItems(tally: Tally, { dropReasons, divertReasons }: Readings): void {
    const { name, monitor } = this;
    const account = monitor.account();
    this.#count(tally, 'received', [name], account.received);
    this.#count(tally, 'written', [name], account.written);
    this.#count(tally, 'delivered', [name], account.delivered);
    for (const reason of DROPPED) tally.add('dropped', [name, reason], 0);
    for (const [reason, count] of Object.entries(account.dropped)) {
      this.#count(tally, 'dropped', [name, dropReasons.of(reason)], count, reason);
    }
    for (const reason of DIVERTED) tally.add('diverted', [name, divertReasons.of(reason)], 0);
    for (const [reason, count] of Object.entries(account.divertedBy)) {
      tally.add('diverted', [name, divertReasons.of(reason)], count);
    }
    tally.add('held', [name], account.held);
    tally.add('filtered', [name], account.filtered);
    tally.add('conservation', [name], account.conservation);
  }

  #countGates(tally: Tally, { gates }: Readings): void {
    for (const stage of this.monitor.stages) {
      gates.look(stage);
      const closedSeconds = gates.closedSeconds(stage);
      if (closedSeconds === undefined) continue;
      tally.add('gateClosed', [this.name, stage.id], closedSeconds);
      const gate = ownGateOf(stage);
      if (gate && stage.isLive) tally.add('gateOpen', [this.name, stage.id], gate.isOpen ? 1 : 0);
    }
  }

  #countDeadLetters(tally: Tally): void {
    if (!this.deadLetters) return;
    const { open, parked, appended, replayed, quarantined } = this.deadLetters.stats();
    tally.add('lettersOpen', [this.name], open.letters);
    tally.add('lettersParked', [this.name], parked.letters);
    tally.add('lettersQuarantined', [this.name], quarantined);
    tally.add('lettersHolding', [this.name], this.deadLetters.holding ? 1 : 0);
    this.#count(tally, 'lettersAppended', [this.name], appended.letters);
    this.#count(tally, 'lettersReplayed', [this.name], replayed.letters);
  }

  /**
   * Of a number that is worked out of others, the highest so far: where a section holds arrays the account shares items out by
   * their average, and a counter must not go back by one for that.
   */
  #count(tally: Tally, metric: MetricKey, values: readonly string[], count: number, key = values.join('\u0000')): void {
    const peak = Math.max(count, this.#peaks.get(`${metric}\u0000${key}`) ?? 0);
    this.#peaks.set(`${metric}\u0000${key}`, peak);
    tally.add(metric, values, peak);
  }
}

function countCoordinator(
  tally: Tally,
  { id, buffers, writers, between }: CoordinatorStages,
  stages: readonly Stage[],
  readings: Readings,
): void {
  const { records, dropReasons } = readings;
  // A writer that stands alone is its own queue.
  const entrances = buffers.length > 0 ? buffers : writers;
  for (const stage of entrances) {
    tally.add('submitted', [id], stage.in);
    tally.add('queueDepth', [id], stage.held);
  }
  for (const reason of buffers.length > 0 ? DROPPED_BY_BUFFER : DROPPED) tally.add('coordDropped', [id, reason], 0);
  for (const stage of [...buffers, ...between, ...writers]) {
    for (const [reason, count] of stage.dropped) tally.add('coordDropped', [id, dropReasons.of(reason)], count);
  }
  const isBufferName = (name: string) => stages.some((stage) => isBuffer(stage) && stage.name === name);
  for (const stage of writers) {
    const { workerId } = coordinatesOf(stage, isBufferName);
    const record = records.get(stage) ?? NO_RECORD;
    tally.add('workersAlive', [id], stage.isLive ? 1 : 0);
    tally.add('batchesWritten', [id, workerId], record.batches);
    for (const [type, count] of record.failuresBy) tally.add('writeErrors', [id, workerId, type], count);
    tally.merge('writeLatency', [id, workerId], record.latency);
    const sink = stage.sink ?? id;
    tally.add('sinkWrites', [sink, 'success'], record.batches);
    tally.add('sinkWrites', [sink, 'failure'], record.failures);
    tally.merge('sinkLatency', [sink], record.latency);
    tally.add('retries', [id], record.retries);
    tally.merge('freshness', [id], record.freshness);
    tally.choose('circuitState', [id], circuitState(record.breaker?.state), worseCircuit);
  }
}

/** As the dashboards know it: 0 closed, 1 open, 2 half-open. Without a breaker, or past one that is off, all goes through. */
export function circuitState(state: string | undefined): number {
  if (state === 'open' || state === 'forcedOpen') return 1;
  return state === 'halfOpen' ? 2 : 0;
}

/** Of several breakers, that of the writer that is worst off: open before half-open before closed. */
function worseCircuit(one: number, other: number): number {
  return one === 1 || other === 1 ? 1 : Math.max(one, other);
}
