import type { PipelineMonitor, Stage } from '../flow/monitor.js';
import type { BoundedLabels } from './boundedLabels.js';
import { type Coordinator, coordinatorsOf } from './coordinators.js';
import { type GateTimes, ownGateOf } from './gateTimes.js';
import type { Scrape } from './scrape.js';
import { WriterRecord } from './writerRecord.js';

interface Letters {
  readonly letters: number;
}

/** The part of a queue of dead letters that the metrics show. A folder that several pipelines share belongs to one of them. */
export interface DeadLetterCounts {
  /** Set while the pipeline holds its items because letters cannot be stored. */
  readonly holding: object | undefined;
  stats(): {
    /** Waiting to be replayed. */
    readonly open: Letters;
    /** Parked for manual review. */
    readonly parked: Letters;
    /** Stored, and written later, since the process started. */
    readonly appended: Letters;
    readonly replayed: Letters;
    /** Damaged parts of the folder, set aside. */
    readonly quarantined: number;
  };
}

/** What the metrics of a pipeline are read from, besides its stages. */
export interface MetricSources {
  readonly records: WeakMap<Stage, WriterRecord>;
  readonly gates: GateTimes;
  readonly dropReasons: BoundedLabels;
  readonly divertReasons: BoundedLabels;
}

/** Reasons that are shown from the start, so that their first item is an increase. */
const DROPPED = ['overflow'];
const DROPPED_BY_BUFFER = ['dropOldest', 'dropIncoming', ...DROPPED];
const DIVERTED = ['poison', 'exhausted', 'fatal', 'drain', 'decode'];

const NO_RECORD = new WriterRecord();

/** A pipeline under its name. */
export class PipelineView {
  readonly name: string;
  readonly monitor: PipelineMonitor;
  readonly deadLetters: DeadLetterCounts | undefined;
  /** Its run has ended, and another one may take its name. */
  isOver = false;

  constructor(name: string, monitor: PipelineMonitor, deadLetters: DeadLetterCounts | undefined) {
    this.name = name;
    this.monitor = monitor;
    this.deadLetters = deadLetters;
  }

  /** Adds the values of this pipeline. */
  addTo(scrape: Scrape, sources: MetricSources): void {
    for (const coordinator of coordinatorsOf(this.monitor.stages)) countCoordinator(scrape, coordinator, sources);
    this.#countItems(scrape, sources);
    this.#countGates(scrape, sources);
    this.#countDeadLetters(scrape);
  }

  #countItems(scrape: Scrape, { dropReasons, divertReasons }: MetricSources): void {
    const { name, monitor } = this;
    const account = monitor.account();
    scrape.add('received', [name], account.received);
    scrape.add('written', [name], account.written);
    scrape.add('delivered', [name], account.delivered);
    for (const reason of DROPPED) scrape.add('dropped', [name, reason], 0);
    for (const [reason, count] of Object.entries(account.dropped)) {
      scrape.add('dropped', [name, dropReasons.of(reason)], count);
    }
    for (const reason of DIVERTED) scrape.add('diverted', [name, divertReasons.of(reason)], 0);
    for (const [reason, count] of Object.entries(account.divertedBy)) {
      scrape.add('diverted', [name, divertReasons.of(reason)], count);
    }
    scrape.add('held', [name], account.held);
    scrape.add('filtered', [name], account.filtered);
    scrape.add('conservation', [name], account.conservation);
  }

  #countGates(scrape: Scrape, { gates }: MetricSources): void {
    for (const stage of this.monitor.stages) {
      gates.look(stage);
      const closedSeconds = gates.closedSeconds(stage);
      if (closedSeconds === undefined) continue;
      scrape.add('gateClosed', [this.name, stage.id], closedSeconds);
      const gate = ownGateOf(stage);
      if (gate && stage.isLive) scrape.add('gateOpen', [this.name, stage.id], gate.isOpen ? 1 : 0);
    }
  }

  #countDeadLetters(scrape: Scrape): void {
    if (!this.deadLetters) return;
    const { open, parked, appended, replayed, quarantined } = this.deadLetters.stats();
    scrape.add('lettersOpen', [this.name], open.letters);
    scrape.add('lettersParked', [this.name], parked.letters);
    scrape.add('lettersQuarantined', [this.name], quarantined);
    scrape.add('lettersHolding', [this.name], this.deadLetters.holding ? 1 : 0);
    scrape.add('lettersAppended', [this.name], appended.letters);
    scrape.add('lettersReplayed', [this.name], replayed.letters);
  }
}

function countCoordinator(scrape: Scrape, coordinator: Coordinator, { records, dropReasons }: MetricSources): void {
  const { id, buffers, workers, between } = coordinator;
  const writers = workers.map(({ stage }) => stage);
  // A writer that stands alone is its own queue.
  for (const stage of buffers.length > 0 ? buffers : writers) {
    scrape.add('submitted', [id], stage.in);
    scrape.add('queueDepth', [id], stage.held);
  }
  for (const reason of buffers.length > 0 ? DROPPED_BY_BUFFER : DROPPED) scrape.add('coordDropped', [id, reason], 0);
  for (const stage of [...buffers, ...between, ...writers]) {
    for (const [reason, count] of stage.dropped) scrape.add('coordDropped', [id, dropReasons.of(reason)], count);
  }
  for (const { stage, id: workerId } of workers) {
    const record = records.get(stage) ?? NO_RECORD;
    scrape.add('workersAlive', [id], stage.isLive ? 1 : 0);
    scrape.add('batchesWritten', [id, workerId], record.batches);
    for (const [type, count] of record.failuresBy) scrape.add('writeErrors', [id, workerId, type], count);
    scrape.add('writeLatency', [id, workerId], record.latency);
    const sink = stage.sink ?? id;
    scrape.add('sinkWrites', [sink, 'success'], record.batches);
    scrape.add('sinkWrites', [sink, 'failure'], record.failures);
    scrape.add('sinkLatency', [sink], record.latency);
    scrape.add('retries', [id], record.retries);
    scrape.add('freshness', [id], record.freshness);
    scrape.keepHighest('circuitState', [id], circuitState(record.breaker?.state), (state) => [0, 2, 1][state] ?? 0);
  }
}

/** For the dashboards: 0 closed, 1 open, 2 half-open. Without a breaker, or with one that is off, it counts as closed. */
export function circuitState(state: string | undefined): number {
  if (state === 'open' || state === 'forcedOpen') return 1;
  return state === 'halfOpen' ? 2 : 0;
}
