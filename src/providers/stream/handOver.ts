import type { MarketEvent } from '../../market/recordKinds.js';
import { Timer } from '../../primitives/timer.js';
import type { Connect } from '../provider.js';
import type { ProviderError } from '../providerErrors.js';
import type { Hole, Series, SessionStep } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import type { Attempts } from './attempts.js';
import type { Coverage } from './coverage.js';
import type { MissingSpan } from './gapStamper.js';
import { knownAt } from './knownUntil.js';
import type { Link } from './link.js';
import { Overlap, receivedTimeOf } from './overlap.js';
import { noteRecord, type SeriesState, type SeriesTable } from './seriesTable.js';
import type { Turns } from './turns.js';

export interface HandOverConfig {
  readonly settings: StreamSettings;
  readonly turns: Turns;
  readonly table: SeriesTable;
  /** Of the successors: those of the stream are not touched. */
  readonly attempts: Attempts;
  readonly connect: Connect;
  /** Makes a connection beside the one of now. */
  readonly next: () => Link;
  /** The successor has answered for everything that it was asked. */
  readonly takeOver: (handOver: HandOver) => void;
  /** Nothing can come twice any more. */
  readonly over: () => void;
}

/** How long a successor may go without an answer, and how long after it has taken over records may still come again. */
const OVERLAP_MS = 60_000;

/** How long the first connection is read after its successor has answered: what was sent before that may still be on its way. */
const DRAIN_MS = 5_000;

/** Where a successor came in with a series. */
interface Entry {
  /** Up to when the first connection had it. */
  readonly from: number | undefined;
  /** The time of the first record of the successor; `undefined` where that has failed. */
  to: number | undefined;
}

/**
 * Replaces a connection that the vendor will close: a successor is opened beside it and asked for the same series, and both are
 * read until some seconds after the successor has answered for each. Then it takes over without a gap. A successor that fails is
 * tried again with a backoff, while the first connection goes on.
 *
 * Both deliver the same records, each up to seconds before the other. A record is emitted once by its `seq`, which rises within a
 * series: one of the first connection is a repetition if the successor has delivered it, one of the successor if the first has come
 * as far. What the successor began too late for comes over the first connection only, as does what falls into its holes: such a hole
 * is told when it takes over, if the first connection did not come past it. Of the successor, records without a `seq` are left to the
 * first connection. If that breaks, what it still had to deliver is missing.
 */
export class HandOver {
  readonly #config: HandOverConfig;
  readonly #timer: Timer;
  readonly #overlap = new Overlap();
  readonly #asked = new Set<SeriesState>();
  readonly #confirmed = new Set<SeriesState>();
  readonly #entries = new Map<SeriesState, Entry>();
  /** With holes of the step under way. */
  #holed: Coverage[] = [];
  #successor: Link | undefined;
  #hasTakenOver = false;
  #isDraining = false;
  /** Whether the successor is about to be closed as well. */
  mustRepeat = false;

  constructor(config: HandOverConfig) {
    this.#config = config;
    this.#timer = new Timer(config.settings.scheduler, () => config.turns.run(() => this.#onTimer()));
  }

  /** The connection that is to take over; `undefined` between two attempts, and once it has. */
  get successor(): Link | undefined {
    return this.#successor;
  }

  /** Whether it has taken over: the vendor may ask for the next one. */
  get isDone(): boolean {
    return this.#hasTakenOver;
  }

  /** Series that the successor has confirmed. */
  get confirmed(): Iterable<SeriesState> {
    return this.#confirmed;
  }

  /** Series that it was asked for, and has not answered. */
  get unanswered(): Iterable<SeriesState> {
    return this.#asked;
  }

  begin(): void {
    this.#isDraining = false;
    this.mustRepeat = false;
    this.#asked.clear();
    this.#confirmed.clear();
    this.#holed = [];
    for (const entry of this.#entries.values()) entry.to = undefined;
    this.#overlap.nextSuccessor();
    this.#timer.set(OVERLAP_MS);
    this.#successor = this.#config.next();
    this.#successor.open(this.#config.connect);
  }

  /** The successor takes subscriptions. */
  ready(link: Link): void {
    for (const state of this.#config.table) if (!state.refusal) this.#asked.add(state);
    const series = [...this.#asked].map((state) => state.series);
    if (series.length > 0) link.subscribe(series, this.#config.settings.scheduler.now());
    this.#check();
  }

  /** The successor has had a frame, whose records come next. */
  receives({ handOver, holes = [] }: SessionStep): void {
    if (handOver) this.mustRepeat = true;
    for (const hole of holes) {
      for (const { successor } of this.#overlap.of(hole.series)) {
        successor.lose(hole);
        this.#holed.push(successor);
      }
    }
  }

  /** The frame is through. */
  answered({ confirmed = [], heard = [], refused = [] }: SessionStep): void {
    this.#holed = this.#holed.filter((coverage) => !coverage.endStep());
    for (const series of [...confirmed, ...heard]) this.#settle(series, true);
    for (const { series } of refused) this.#settle(series, false);
    this.#check();
  }

  /** A record has come from the successor. */
  note(record: MarketEvent, now: number): void {
    const state = this.#config.table.of(record);
    if (!state) return;
    const entry = this.#entries.get(state);
    if (!entry) this.#entries.set(state, { from: state.knownUntil, to: receivedTimeOf(record, now) });
    else entry.to ??= receivedTimeOf(record, now);
    noteRecord(state, record, now);
    if (!this.#asked.has(state)) return;
    this.#settle(state.series, true);
    this.#check();
  }

  /** Whether a record has come before, or will come from the first connection. Otherwise it counts as having come. */
  isRepeated(record: MarketEvent, isOfSuccessor: boolean, now: number): boolean {
    if (record.seq === undefined) return isOfSuccessor;
    return this.#overlap.isRepeated(record, record.seq, isOfSuccessor || this.#hasTakenOver, now);
  }

  /** The successor is over before it took over. */
  failed(error: ProviderError): void {
    this.#retry(error);
  }

  /**
   * What is missing as the successor takes over: its holes, unless the first connection has come past them, and, if that `isBroken`
   * rather than read to its end, of each series what it had not delivered when the successor came in.
   */
  missing(isBroken: boolean, now: number): readonly MissingSpan[] {
    if (!this.#successor?.isReady) {
      this.#restore(() => true);
      return [];
    }
    this.#restore((state) => !this.#confirmed.has(state));
    const spans: MissingSpan[] = [];
    for (const state of this.#confirmed) {
      const { series } = state;
      if (this.#config.table.get(series) !== state) continue;
      const holes = new Set<Hole>();
      for (const { successor, failed, ofFirst } of this.#overlap.of(series)) {
        for (const coverage of [...failed, successor])
          for (const hole of coverage.holesBeyond(ofFirst)) holes.add(hole);
      }
      // The first connection may have had some of the records.
      for (const hole of holes) spans.push({ cause: 'sequence', ...hole, series, rows: undefined });
      if (isBroken) spans.push(...this.#missingOf(state, now));
    }
    return spans;
  }

  /** What is missing of a series whose first connection has broken. */
  *#missingOf(state: SeriesState, now: number): Generator<MissingSpan> {
    const entry = this.#entries.get(state);
    const from = entry ? this.#firstUntil(state, entry) : state.knownUntil;
    const { series } = state;
    const to = entry?.to ?? now;
    if (entry?.to === undefined && state.knownUntil !== undefined) {
      state.knownUntil = knownAt(series, now);
      state.hasRecord = false;
    }
    const own = this.#overlap.get(series);
    const isWhole = own !== undefined && own.successor.from <= own.ofFirst + 1;
    if (from !== undefined && !isWhole) yield { series, from, to, cause: 'reconnect' };
  }

  /** Up to when the first connection has delivered a series. */
  #firstUntil({ series }: SeriesState, { from }: Entry): number | undefined {
    const at = this.#overlap.get(series)?.firstAt;
    return from === undefined || at === undefined ? from : Math.max(from, at);
  }

  /** What a successor delivered says nothing of what is missing, where it does not take over. */
  #restore(isMeant: (state: SeriesState) => boolean): void {
    for (const [state, entry] of this.#entries) if (isMeant(state)) state.knownUntil = this.#firstUntil(state, entry);
  }

  /** The successor is the connection of the stream from now on. */
  hasTakenOver(): void {
    this.#successor = undefined;
    this.#hasTakenOver = true;
    this.#timer.set(OVERLAP_MS);
  }

  cancel(): void {
    if (!this.#hasTakenOver) this.#restore(() => true);
    this.#timer.cancel();
    this.#successor?.close();
    this.#successor = undefined;
  }

  #settle(series: Series, isConfirmed: boolean): void {
    const state = this.#config.table.get(series);
    if (!state || !this.#asked.delete(state)) return;
    if (isConfirmed) {
      if (state.resumeFrom !== undefined) state.confirmedAt = this.#config.settings.scheduler.now();
      this.#confirmed.add(state);
    }
    this.#timer.set(OVERLAP_MS);
  }

  #check(): void {
    if (this.#asked.size > 0 || !this.#successor?.isReady || this.#isDraining) return;
    this.#isDraining = true;
    this.#timer.set(DRAIN_MS);
  }

  #onTimer(): void {
    if (this.#hasTakenOver) {
      this.#config.over();
    } else if (this.#isDraining) {
      this.#config.takeOver(this);
    } else if (this.#successor) {
      // It does not answer.
      this.#successor.close();
      this.#retry(undefined);
    } else {
      this.begin();
    }
  }

  #retry(error: ProviderError | undefined): void {
    this.#successor = undefined;
    this.#isDraining = false;
    const delayMs = error ? this.#config.attempts.delayAfter(error, false) : OVERLAP_MS;
    // The first connection goes on, and what is next is decided when it ends.
    if (delayMs === undefined) this.#config.over();
    else this.#timer.set(delayMs);
  }
}
