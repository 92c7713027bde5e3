import type { Stage } from './stage.js';

/**
 * The account of a whole pipeline, in items.
 *
 * Stages between a `batch()` and a writer hold and drop arrays. What came out of the batches and did not reach the writers
 * is shared out among those stages by the arrays that each has: exact where there is one reason, or batches of one size,
 * and otherwise by their average size.
 *
 * What stands between two stages shows only as a difference, so some things cannot be told apart: items that a foreign
 * source adds and items that a `filter` takes out, where both feed one stage, cancel out; what the projection of a
 * transform writes or throws away by itself counts as filtered; arrays that a source emits are items until a writer takes
 * them.
 */
export interface Account {
  /** Items that sources emitted or refused, and those that came from outside Sluice's own stages. */
  readonly received: number;
  readonly written: number;
  readonly diverted: number;
  /** Dropped, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Taken out by stock operators between two stages: `filter`, `take`, `switchMap`. */
  readonly filtered: number;
  /** Handed to the subscriber, in a pipeline that does not end in a write. */
  readonly delivered: number;
  /** Still in a stage, or in its hands when it was torn down. */
  readonly held: number;
  /**
   * What came into the stages, less all that became of it there: zero, or there is a fault. While it is zero, `received` is
   * the sum of the rest. A stage between a batch and a writer counts arrays.
   */
  readonly conservation: number;
}

/** The account of all these stages, by what each has counted and where it sent it. */
export function accountOf(all: readonly Stage[]): Account {
  const flow = new Flow(all);
  const tally = new Tally();
  for (const stage of flow.stages) {
    if (stage.role === 'source') tally.received += stage.out + stage.droppedTotal;
    // What stages hold that carry arrays is counted in items, by their section.
    if (!flow.isCarrier(stage)) countStage(stage, flow, tally);
  }
  for (const section of flow.sections()) countSection(section, flow, tally);
  const { received, written, diverted, dropped, filtered, delivered, held } = tally;
  const conservation = all.reduce((sum, stage) => sum + stage.conservation, 0);
  return { received, written, diverted, dropped: Object.fromEntries(dropped), filtered, delivered, held, conservation };
}

class Tally {
  received = 0;
  written = 0;
  diverted = 0;
  filtered = 0;
  delivered = 0;
  held = 0;
  readonly dropped = new Map<string, number>();

  drop(reason: string, count: number): void {
    if (count > 0) add(this.dropped, reason, count);
  }

  /** What a stage took in beyond what was handed to it came from elsewhere; what it lacks was taken out on the way. */
  difference(count: number): void {
    if (count > 0) this.received += count;
    else this.filtered -= count;
  }
}

function countStage(stage: Stage, flow: Flow, tally: Tally): void {
  tally.written += stage.written;
  tally.diverted += stage.diverted;
  tally.held += stage.held + stage.abandoned;
  for (const [reason, count] of stage.dropped) tally.drop(reason, count);
  const branches = flow.branchesOf(stage);
  // A broadcast hands each item to several branches, and each copy is an item from there on.
  if (branches) tally.difference(sumOf(branches, ({ in: taken }) => taken) - stage.out);
  else if (!flow.feedOf(stage)) tally.delivered += stage.out;
}

/** Stages between which items are passed in arrays; or, elsewhere, a single one. */
interface Section {
  readonly stages: Stage[];
  /** Items handed to it by stages outside. */
  items: number;
  /** The same in values: of a batch, arrays. */
  values: number;
}

/** Arrays that are somewhere in a section, and what the items in them count as. */
interface Share {
  readonly arrays: number;
  readonly count: (items: number) => void;
}

function countSection({ stages, items, values }: Section, flow: Flow, tally: Tally): void {
  const shares: Share[] = [];
  let copies = 0;
  let missing = items;
  const share = (arrays: number, count: Share['count']) => {
    if (arrays > 0) shares.push({ arrays, count });
  };
  const filter = (count: number) => tally.difference(-count);

  for (const stage of stages) {
    // Of a transform: what it made. It may be more or less than it took, and counts as the same items all the same.
    const became = stage.role === 'transform' ? stage.in - stage.balance : stage.in;
    if (!flow.isCarrier(stage)) {
      if (stage.role === 'transform' && stages.length > 1) share(stage.in, (count) => tally.difference(became - count));
      else missing -= became;
    } else {
      const branches = flow.branchesOf(stage);
      const beyond = branches ? sumOf(branches, ({ in: taken }) => taken) - stage.out : 0;
      copies += Math.max(0, beyond);
      share(-beyond, filter);
      share(stage.held + stage.abandoned, (count) => {
        tally.held += count;
      });
      share(stage.diverted, (count) => {
        tally.diverted += count;
      });
      for (const [reason, arrays] of stage.dropped) share(arrays, (count) => tally.drop(reason, count));
      if (!branches && !flow.feedOf(stage)) {
        share(stage.out, (count) => {
          tally.delivered += count;
        });
      }
      // Unaccounted for: that is for `conservation` to say, and must not pass for anything else.
      share(stage.balance, () => {});
    }
    if (stages.length > 1 && !flow.isBranch(stage)) share(flow.valuesTo(stage) - (stage.batchesIn || stage.in), filter);
  }

  if (shares.length === 0) {
    tally.difference(-missing);
    return;
  }
  // Copies of arrays are items too; how many, their average size says.
  const copied = values > 0 ? Math.round((copies * items) / values) : 0;
  tally.received += copied + Math.max(0, -(missing + copied));
  shareOut(Math.max(0, missing + copied), shares);
}

/** Gives each its part of `items` in whole numbers that add up. */
function shareOut(items: number, shares: readonly Share[]): void {
  let rest = items;
  let arraysLeft = sumOf(shares, ({ arrays }) => arrays);
  for (const { arrays, count } of shares) {
    const part = Math.round(rest * (arrays / arraysLeft));
    rest -= part;
    arraysLeft -= arrays;
    count(part);
  }
}

/** Which way items go, and in what unit. What comes after a write is the outcome of writes, and no item. */
class Flow {
  /** All up to the writes. */
  readonly stages: readonly Stage[];
  readonly #known: ReadonlySet<Stage>;
  readonly #branches = new Map<Stage, Stage[]>();
  readonly #afterWrite = new Set<Stage>();
  readonly #carriers = new Set<Stage>();
  readonly #valuesTo = new Map<Stage, number>();
  readonly #leading = new Map<Stage, boolean>();

  constructor(all: readonly Stage[]) {
    this.#known = new Set(all);
    for (const stage of all) {
      if (!stage.branchOf || !this.#known.has(stage.branchOf)) continue;
      const branches = this.#branches.get(stage.branchOf);
      if (branches) branches.push(stage);
      else this.#branches.set(stage.branchOf, [stage]);
    }
    for (const stage of all) {
      if (stage.role === 'writer') this.#markAfterWrite(stage);
    }
    this.stages = all.filter((stage) => !this.#afterWrite.has(stage));
    for (const stage of this.stages) {
      if (stage.batchesOut > 0) this.#markCarriers(stage);
    }
    for (const stage of this.stages) {
      const feed = this.feedOf(stage);
      if (feed) add(this.#valuesTo, feed, stage.batchesOut || stage.out);
    }
  }

  /** What a stage with branches hands on goes through them. */
  branchesOf(stage: Stage): readonly Stage[] | undefined {
    return this.#branches.get(stage);
  }

  /** The stage that takes what `stage` hands on itself; those of other monitors are the outside. */
  feedOf(stage: Stage): Stage | undefined {
    const { feeds } = stage;
    return feeds && !this.#branches.has(stage) && this.#known.has(feeds) && !this.#afterWrite.has(feeds)
      ? feeds
      : undefined;
  }

  /** Whether its values are arrays, and counted as such. */
  isCarrier(stage: Stage): boolean {
    return this.#carriers.has(stage);
  }

  /** How many values were handed to it. */
  valuesTo(stage: Stage): number {
    return this.#valuesTo.get(stage) ?? 0;
  }

  /** Every stage that takes items from others, in its section. */
  sections(): ReadonlySet<Section> {
    const sections = new Map<Stage, Section>();
    for (const stage of this.stages) {
      if (stage.role === 'source' || (this.isBranch(stage) && !this.isCarrier(stage))) continue;
      sections.set(stage, { stages: [stage], items: 0, values: 0 });
    }
    for (const carrier of this.#carriers) {
      for (const next of this.#nextOf(carrier)) {
        const one = sections.get(carrier)!;
        const other = sections.get(next)!;
        if (one === other) continue;
        one.stages.push(...other.stages);
        for (const stage of other.stages) sections.set(stage, one);
      }
    }
    for (const stage of this.stages) {
      const feed = this.feedOf(stage);
      if (!feed || this.isCarrier(stage)) continue;
      const section = sections.get(feed)!;
      section.items += stage.out;
      section.values += stage.batchesOut || stage.out;
    }
    return new Set(sections.values());
  }

  isBranch({ branchOf }: Stage): boolean {
    return branchOf !== undefined && this.#branches.has(branchOf);
  }

  /** Where values go from `stage` while they are items. */
  #nextOf(stage: Stage): readonly Stage[] {
    const feed = this.feedOf(stage);
    return this.#branches.get(stage) ?? (feed ? [feed] : []);
  }

  #markAfterWrite(stage: Stage): void {
    const { feeds } = stage;
    for (const next of [...(this.#branches.get(stage) ?? []), ...(feeds ? [feeds] : [])]) {
      if (this.#afterWrite.has(next)) continue;
      this.#afterWrite.add(next);
      this.#markAfterWrite(next);
    }
  }

  #markCarriers(stage: Stage): void {
    for (const next of this.#nextOf(stage)) {
      if (this.#carriers.has(next) || unpacks(next) || this.#leadsToBatch(next)) continue;
      this.#carriers.add(next);
      this.#markCarriers(next);
    }
  }

  /** Whether `stage` is a batch or stands before one: then the arrays were made items again by then. */
  #leadsToBatch(stage: Stage): boolean {
    const known = this.#leading.get(stage);
    if (known !== undefined) return known;
    const leads =
      stage.batchesOut > 0 || (!unpacks(stage) && this.#nextOf(stage).some((next) => this.#leadsToBatch(next)));
    this.#leading.set(stage, leads);
    return leads;
  }
}

/** Whether arrays end here. */
function unpacks({ role }: Stage): boolean {
  return role === 'writer' || role === 'transform';
}

function add<K>(map: Map<K, number>, key: K, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

function sumOf<T>(list: readonly T[], numberOf: (element: T) => number): number {
  return list.reduce((sum, element) => sum + numberOf(element), 0);
}
