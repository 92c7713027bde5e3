import type { Gate } from './gate.js';

/**
 * A source begins an account and a writer ends it; an operator passes items on, and a transform turns some into others,
 * as many as its projection likes.
 */
export type StageRole = 'source' | 'operator' | 'transform' | 'writer';

/** What a stage says of itself when it is subscribed. */
export interface StageInfo {
  /** The operator or source: `boundedBuffer`, `writeTo`, … */
  readonly kind: string;
  /** Default `operator`. */
  readonly role?: StageRole | undefined;
  /** What the user calls it; the kind where there is no name. */
  readonly name?: string | undefined;
  /** The stage that its items go to next; `undefined` at the end of a pipeline. */
  readonly feeds?: Stage | undefined;
  /** The stage that this one is a branch of: a lane, a route. */
  readonly branchOf?: Stage | undefined;
  /** The gate that it closes to those upstream, where it has one. */
  readonly gate?: Gate | undefined;
}

/**
 * The account of one stage. The numbers are plain fields, so that counting an item costs an addition; whoever exports
 * them reads them when asked. Items in = items out + written + diverted + dropped + held + abandoned, at any moment
 * between two items.
 */
export class Stage {
  readonly id: string;
  readonly kind: string;
  readonly role: StageRole;
  readonly name: string;
  readonly feeds: Stage | undefined;
  readonly branchOf: Stage | undefined;
  gate: Gate | undefined;
  /** Items that came in. A source has none: what it emits is in `out`, what it refuses in `dropped`. */
  in = 0;
  /** Items handed on. A writer hands on none: what it emits is a record of the write. */
  out = 0;
  /** Items committed by a sink, on a stage that writes. */
  written = 0;
  /** Items whose dead letter, or other diversion, is settled. */
  diverted = 0;
  /** Items held by subscriptions that have ended: neither written nor diverted. */
  abandoned = 0;
  readonly #dropped = new Map<string, number>();
  #held: () => number = () => 0;
  #live = true;

  constructor(id: string, info: StageInfo) {
    this.id = id;
    this.kind = info.kind;
    this.role = info.role ?? 'operator';
    this.name = info.name ?? info.kind;
    this.feeds = info.feeds;
    this.branchOf = info.branchOf;
    this.gate = info.gate;
  }

  /** Items in its hands now. */
  get held(): number {
    return this.#live ? this.#held() : 0;
  }

  get isLive(): boolean {
    return this.#live;
  }

  /** Items dropped, by reason. */
  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  get droppedTotal(): number {
    let total = 0;
    for (const count of this.#dropped.values()) total += count;
    return total;
  }

  /** Counts items given up on purpose. Each victim is counted once, by the stage that gave it up. */
  drop(reason: string, count = 1): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
  }

  /** How to ask what is held, from the structure that holds it. */
  holds(held: () => number): void {
    this.#held = held;
  }

  /** Takes the account up again for a new subscription of the same stage. */
  reopen(gate: Gate | undefined): void {
    this.#live = true;
    this.#held = () => 0;
    this.gate = gate;
  }

  /** The subscription ended; what it still held is abandoned. */
  close(): void {
    if (!this.#live) return;
    this.abandoned += this.#held();
    this.#live = false;
    this.#held = () => 0;
  }

  /** Zero while every item that came in is accounted for. */
  get conservation(): number {
    return this.role === 'source' || this.role === 'transform' ? 0 : this.balance;
  }

  /** What came in, less all that became of it. Of a transform: how many items more it took than it made. */
  get balance(): number {
    return this.in - this.out - this.written - this.diverted - this.droppedTotal - this.held - this.abandoned;
  }
}

/** Where stages register themselves, and what topology, metrics and the final report are read from. */
export interface Monitor {
  register(info: StageInfo): Stage;
}

/** The account of a whole pipeline, in items. */
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
  /** `received − written − diverted − dropped − filtered − delivered − held`: zero, or there is a fault. */
  readonly conservation: number;
}

/** A {@link Monitor} that keeps the stages of one pipeline, or of all those of a program. */
export class PipelineMonitor implements Monitor {
  readonly #stages: Stage[] = [];
  readonly #ordinals = new Map<string, number>();

  register(info: StageInfo): Stage {
    const name = info.name ?? info.kind;
    // A retried or switched source comes back under its old account, so a flapping one does not grow the list.
    const former = this.#stages.find(
      (stage) =>
        !stage.isLive &&
        stage.kind === info.kind &&
        stage.name === name &&
        stage.feeds === info.feeds &&
        stage.branchOf === info.branchOf,
    );
    if (former) {
      former.reopen(info.gate);
      return former;
    }
    const ordinal = (this.#ordinals.get(name) ?? 0) + 1;
    this.#ordinals.set(name, ordinal);
    const stage = new Stage(ordinal === 1 ? name : `${name}#${ordinal}`, info);
    this.#stages.push(stage);
    return stage;
  }

  /** Every stage, the last in a chain first, as they were subscribed. */
  get stages(): readonly Stage[] {
    return this.#stages;
  }

  account(): Account {
    const afterWrite = new Set<Stage>();
    for (const stage of this.#stages) {
      if (stage.role !== 'writer') continue;
      for (let next = stage.feeds; next && !afterWrite.has(next); next = next.feeds) afterWrite.add(next);
    }
    const handedTo = new Map<Stage, number>();
    const takenByBranches = new Map<Stage, number>();
    const add = (map: Map<Stage, number>, key: Stage, count: number) => map.set(key, (map.get(key) ?? 0) + count);

    const stages = this.#stages.filter((stage) => !afterWrite.has(stage));
    for (const stage of stages) {
      if (stage.branchOf) add(takenByBranches, stage.branchOf, stage.in);
    }
    for (const stage of stages) {
      // What a stage with branches hands on goes through them, and is counted there.
      if (stage.feeds && !takenByBranches.has(stage)) add(handedTo, stage.feeds, stage.out);
    }

    let received = 0;
    let filtered = 0;
    let delivered = 0;
    let written = 0;
    let diverted = 0;
    let held = 0;
    const dropped: Record<string, number> = {};
    for (const stage of stages) {
      written += stage.written;
      diverted += stage.diverted;
      held += stage.held + stage.abandoned;
      for (const [reason, count] of stage.dropped) dropped[reason] = (dropped[reason] ?? 0) + count;
      if (stage.role === 'source') {
        received += stage.out + stage.droppedTotal;
      } else if (!stage.branchOf) {
        // More than Sluice's own stages handed over came from elsewhere; what is missing was taken out on the way. What a
        // transform makes of its items counts as from elsewhere, save what Sluice's sources inside it have counted.
        const made = stage.role === 'transform' ? -stage.balance : 0;
        const difference = stage.in - (handedTo.get(stage) ?? 0) + made;
        received += Math.max(0, difference);
        filtered += Math.max(0, -difference);
      }
      const branches = takenByBranches.get(stage);
      // A broadcast hands each item to several branches, and each copy is an item from there on.
      if (branches !== undefined) received += branches - stage.out;
      else if (!stage.feeds || afterWrite.has(stage.feeds)) delivered += stage.out;
    }
    const droppedTotal = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    const conservation = received - written - diverted - droppedTotal - filtered - delivered - held;
    return { received, written, diverted, dropped, filtered, delivered, held, conservation };
  }
}

/** Registers nothing: each stage gets an account of its own that nobody reads. */
export const NO_MONITOR: Monitor = { register: (info) => new Stage(info.kind, info) };
