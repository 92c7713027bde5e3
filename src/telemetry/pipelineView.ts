import type { PipelineMonitor } from '../flow/monitor.js';
import type { Stage } from '../flow/stage.js';
import type { BoundedLabels } from './boundedLabels.js';
import { type Coordinator, coordinatorsOf } from './coordinators.js';
import { ALL_CAUSES, scrapeFeedCounts, scrapeFeedStates } from './feedScrape.js';
import { type GateTimes, ownGateOf } from './gateTimes.js';
import { scrapeRouterCounts, scrapeRouterStates } from './routerScrape.js';
import { Scrape } from './scrape.js';
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
  readonly gapCauses: BoundedLabels;
  /** The clock, in Unix epoch milliseconds. */
  readonly now: () => number;
}

/** The open gaps of one cause. */
export interface OpenGapsOfCause {
  readonly cause: string;
  readonly open: number;
  /** The end of the span of the oldest one, in epoch milliseconds; `undefined` where none is open. */
  readonly oldest?: number | undefined;
}

/** Where the open gaps of a store come from: `openGaps()` of `sluice/postgres`, or an object of your own. */
export interface OpenGaps {
  /** How many are open; `undefined` while it is not known. */
  readonly open: number | undefined;
  /** The same by cause. Default: shown without one. */
  readonly byCause?: readonly OpenGapsOfCause[] | undefined;
  /** Called when a pipeline begins that they are shown for. */
  begin?(): void;
  /** Called when that pipeline is over. */
  end?(): void;
}

/** Reasons that are shown from the start, so that their first item is an increase. */
const DROPPED = ['overflow'];
const DROPPED_BY_BUFFER = ['dropOldest', 'dropIncoming', ...DROPPED];
const DIVERTED = ['poison', 'exhausted', 'fatal', 'drain', 'decode'];

/** What the account and the metrics call the same. */
const ACCOUNT = ['received', 'written', 'delivered', 'held', 'filtered', 'conservation'] as const;

const NO_RECORD = new WriterRecord();

/** A pipeline under its name. */
export interface PipelineView {
  readonly name: string;
  readonly monitor: PipelineMonitor;
  readonly deadLetters: DeadLetterCounts | undefined;
  readonly gaps: OpenGaps | undefined;
  /** What its monitor and its dead letters had counted before, which was shown then. */
  readonly before: Scrape;
  /** Whether it drains, or has drained: because it was asked to, or because it could not go on. */
  draining: 'asked' | 'failing' | undefined;
  /** Its run has ended, and another one may take its name. */
  isOver: boolean;
}

/** Adds the values of a pipeline to a scrape, but for its circuits. */
export function scrapePipeline(view: PipelineView, scrape: Scrape, sources: MetricSources): void {
  const { name, monitor, deadLetters, before } = view;
  const own = new Scrape();
  scrapeStages(name, monitor, own, sources);
  if (deadLetters) scrapeLetters(name, deadLetters, own);
  // Subtracted before anything is added, so that no rounding makes a sum of seconds fall.
  before.addCountsTo(own, -1);
  own.addTo(scrape);
  const { gaps, isOver, draining } = view;
  if (gaps) scrapeGaps(name, gaps, scrape, sources);
  // Nobody misses the writers and the providers of a pipeline that was asked to end.
  if (isOver && draining === 'asked') return;
  scrapeFeedStates(name, monitor, scrape, sources.now(), ({ isLive }) => isLive || isOver);
  scrapeRouterStates(name, monitor, scrape, ({ isLive }) => isLive || isOver);
  for (const { id, workers } of coordinatorsOf(monitor.stages)) {
    for (const { stage } of workers) scrape.add('workersAlive', [id], stage.isLive ? 1 : 0);
  }
}

/** Adds the open gaps, if they are known: a cause without any is 0, so that its series does not end while it is above. */
function scrapeGaps(name: string, gaps: OpenGaps, scrape: Scrape, { gapCauses, now }: MetricSources): void {
  const { open, byCause } = gaps;
  if (open === undefined) return;
  if (!byCause) {
    scrape.add('gapsOpen', [name, 'any'], open);
    return;
  }
  for (const cause of ALL_CAUSES) {
    scrape.add('gapsOpen', [name, gapCauses.of(cause)], 0);
    scrape.add('gapsOldest', [name, gapCauses.of(cause)], 0);
  }
  const at = now();
  const ages = new Map<string, number>();
  for (const { cause, open, oldest } of byCause) {
    const label = gapCauses.of(cause);
    scrape.add('gapsOpen', [name, label], open);
    if (oldest !== undefined) ages.set(label, Math.max(ages.get(label) ?? 0, (at - oldest) / 1_000));
  }
  for (const [label, age] of ages) scrape.add('gapsOldest', [name, label], age);
}

/** Adds the circuits of a pipeline to a scrape. */
export function scrapeCircuits({ monitor }: PipelineView, scrape: Scrape, { records }: MetricSources): void {
  for (const { id, workers } of coordinatorsOf(monitor.stages)) {
    for (const { stage } of workers) {
      const { breaker } = records.get(stage) ?? NO_RECORD;
      scrape.keepHighest('circuitState', [id], CIRCUIT[breaker?.state ?? 'closed'] ?? 0, RANK);
    }
  }
}

/** Adds what the stages of a pipeline have and have counted. */
export function scrapeStages(name: string, monitor: PipelineMonitor, scrape: Scrape, sources: MetricSources): void {
  const { gates, dropReasons, divertReasons } = sources;
  for (const coordinator of coordinatorsOf(monitor.stages)) scrapeCoordinator(coordinator, scrape, sources);

  scrapeFeedCounts(name, monitor, scrape, sources.gapCauses);
  scrapeRouterCounts(name, monitor, scrape);

  const account = monitor.account();
  for (const key of ACCOUNT) scrape.add(key, [name], account[key]);
  for (const reason of DROPPED) scrape.add('dropped', [name, reason], 0);
  for (const [reason, count] of Object.entries(account.dropped)) {
    scrape.add('dropped', [name, dropReasons.of(reason)], count);
  }
  for (const reason of DIVERTED) scrape.add('diverted', [name, divertReasons.of(reason)], 0);
  for (const [reason, count] of Object.entries(account.divertedBy)) {
    scrape.add('diverted', [name, divertReasons.of(reason)], count);
  }

  for (const stage of monitor.stages) {
    const closedSeconds = gates.look(stage);
    if (closedSeconds === undefined) continue;
    scrape.add('gateClosed', [name, stage.id], closedSeconds);
    const gate = ownGateOf(stage);
    if (gate && stage.isLive) scrape.add('gateOpen', [name, stage.id], gate.isOpen ? 1 : 0);
  }
}

function scrapeLetters(name: string, deadLetters: DeadLetterCounts, scrape: Scrape): void {
  const { open, parked, appended, replayed, quarantined } = deadLetters.stats();
  scrape.add('lettersOpen', [name], open.letters);
  scrape.add('lettersParked', [name], parked.letters);
  scrape.add('lettersQuarantined', [name], quarantined);
  scrape.add('lettersHolding', [name], deadLetters.holding ? 1 : 0);
  scrape.add('lettersAppended', [name], appended.letters);
  scrape.add('lettersReplayed', [name], replayed.letters);
}

function scrapeCoordinator(coordinator: Coordinator, scrape: Scrape, { records, dropReasons }: MetricSources): void {
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
    scrape.add('batchesWritten', [id, workerId], record.batches);
    for (const [type, count] of record.failuresBy) scrape.add('writeErrors', [id, workerId, type], count);
    scrape.add('writeLatency', [id, workerId], record.latency);
    const sink = stage.sink ?? id;
    scrape.add('sinkWrites', [sink, 'success'], record.batches);
    scrape.add('sinkWrites', [sink, 'failure'], record.failures);
    scrape.add('sinkLatency', [sink], record.latency);
    scrape.add('retries', [id], record.retries);
    scrape.add('freshness', [id], record.freshness);
  }
}

/** For the dashboards. Without a breaker, or with one that is off, the circuit counts as closed. */
const CIRCUIT: Readonly<Record<string, number>> = { closed: 0, open: 1, forcedOpen: 1, halfOpen: 2 };
/** Of the writers of one coordinator, the worst is shown: open, then half-open, then closed. */
const RANK = [0, 2, 1];
