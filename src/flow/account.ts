import type { Deliveries } from './pipelineEnd.js';
import { type Stage, sumOf } from './stage.js';

/**
 * The account of a whole pipeline, in items: `received = written + diverted + dropped + filtered + delivered + held`.
 *
 * Each stage weighs a value when it comes in: a batch counts as its items, and an array that is an item itself as one.
 * Writers and `batch()` say which is which to the stages above them. What a stage cannot see, it cannot tell:
 *
 * - What operators of RxJS add and take out between two stages shows only as a difference. Items that a foreign source
 *   adds and items that a `filter` takes out cancel out where both feed one stage and nobody looked in between.
 * - A transform such as `boundedMergeMap` says nothing to the stages above it: an array counts as its items there if
 *   `batch()` made it, and else as one. What its projection writes or throws away by itself counts as filtered.
 * - Items that are arrays, batched by a foreign operator such as `bufferCount()`, count by their length above it. Use `batch()`.
 */
export interface Account {
  /** Items that sources emitted, hold or gave up, and those that came from outside Sluice's own stages. */
  readonly received: number;
  readonly written: number;
  readonly diverted: number;
  /** Diverted, by reason. */
  readonly divertedBy: Readonly<Record<string, number>>;
  /** Dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Taken out by operators of RxJS between two stages, or between the last one and the subscriber: `filter`, `switchMap`. */
  readonly filtered: number;
  /** What the subscriber got, in a pipeline without a writer; in one with both, what the last stages of its other branches handed on. */
  readonly delivered: number;
  /** Still in a stage, or in it when it was torn down. */
  readonly held: number;
  /** Of that, what operators of RxJS had that hold without a bound when the pipeline broke: by the stage below them. */
  readonly heldAbove?: Readonly<Record<string, number>>;
  /** What came into the stages, less all that became of it there: zero unless there is a fault. */
  readonly conservation: number;
}

/**
 * The account of all these stages, by what each has counted and where it sent it. Without `deliveries`, what the last stages hand on
 * counts as delivered.
 */
export function accountOf(all: readonly Stage[], deliveries?: Deliveries): Account {
  const afterWrite = stagesAfterWriters(all);
  const stages = all.filter((stage) => !afterWrite.has(stage));
  const known = new Set(stages);
  const forks = new Set(stages.map(({ branchOf }) => branchOf));
  /** What others handed to a stage. */
  const handed = new Map<Stage, number>();
  const dropped = new Map<string, number>();
  const divertedBy = new Map<string, number>();
  let received = 0;
  let written = 0;
  let filtered = 0;
  let delivered = 0;
  let held = 0;
  let handedToEnds = 0;
  const heldAbove: Record<string, number> = {};

  for (const stage of stages) {
    written += stage.written;
    held += stage.held + stage.abandoned;
    for (const [reason, count] of stage.dropped) add(dropped, reason, count);
    for (const [reason, count] of stage.divertedBy) add(divertedBy, reason, count);
    if (stage.role === 'source') {
      received += stage.out + stage.diverted + stage.droppedTotal + stage.held + stage.abandoned;
    }
    // What a stage with branches hands on goes through them. Those of other monitors are the outside.
    const { feeds } = stage;
    if (forks.has(stage)) continue;
    if (feeds && known.has(feeds)) add(handed, feeds, stage.out);
    else if (deliveries && stage.isCountedBelow) handedToEnds += stage.out;
    else delivered += stage.out;
  }

  for (const stage of stages) {
    if (stage.role === 'source' || (stage.branchOf && known.has(stage.branchOf))) continue;
    const seen = seenOf(stage);
    if (stage.role === 'transform') {
      filtered += stage.removed;
      // One that does not count item by item shows only how much more or less it made than it took.
      seen.made = Math.max(seen.made, -stage.balance);
      filtered += stage.balance + seen.made;
    }
    // What a stage took in beyond what was handed to it came from elsewhere; what it lacks was taken out on the way, or is lost.
    const surplus = stage.in + stage.added + seen.made - (handed.get(stage) ?? 0);
    seen.surplus = Math.max(seen.surplus, surplus);
    received += seen.surplus;
    const missing = seen.surplus - surplus;
    if (!stage.losesAbove) {
      filtered += missing;
    } else if (missing > 0) {
      held += missing;
      heldAbove[stage.id] = missing;
    }
  }
  for (const fork of forks) {
    if (!fork || !known.has(fork)) continue;
    // A broadcast hands each item to several branches, and each copy is an item from there on.
    let taken = 0;
    for (const stage of stages) if (stage.branchOf === fork) taken += stage.in;
    received += Math.max(0, taken - fork.out);
    filtered += Math.max(0, fork.out - taken);
  }
  if (deliveries) {
    const { total } = deliveries;
    delivered += total;
    const seen = seenOf(deliveries);
    seen.surplus = Math.max(seen.surplus, total - handedToEnds);
    received += seen.surplus;
    filtered += seen.surplus - (total - handedToEnds);
  }
  return {
    received,
    written,
    diverted: sumOf(divertedBy),
    divertedBy: Object.fromEntries(divertedBy),
    dropped: Object.fromEntries(dropped),
    filtered,
    delivered,
    held,
    ...(Object.keys(heldAbove).length > 0 && { heldAbove }),
    conservation: all.reduce((sum, stage) => sum + stage.conservation, 0),
  };
}

/**
 * The most that was ever seen of what a stage, or a subscriber, took beyond what was handed to it, and of what it made beyond what
 * it took; 0 or more.
 */
interface Seen {
  surplus: number;
  made: number;
}

/**
 * By stage, so that `received` never falls. Of a difference, items that were added cannot be told from those that are taken out
 * later: what counted as received once stays received, and the rest is filtered.
 */
const SEEN = new WeakMap<Stage | Deliveries, Seen>();

function seenOf(taker: Stage | Deliveries): Seen {
  let seen = SEEN.get(taker);
  if (!seen) {
    seen = { surplus: 0, made: 0 };
    SEEN.set(taker, seen);
  }
  return seen;
}

/** What comes after a write is the outcome of writes, and no item. */
function stagesAfterWriters(all: readonly Stage[]): ReadonlySet<Stage> {
  const after = new Set<Stage>();
  const visit = (stage: Stage) => {
    for (const next of all) {
      if ((next !== stage.feeds && next.branchOf !== stage) || after.has(next)) continue;
      after.add(next);
      visit(next);
    }
  };
  for (const stage of all) if (stage.role === 'writer') visit(stage);
  return after;
}

function add<K>(map: Map<K, number>, key: K, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}
