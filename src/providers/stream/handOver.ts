import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import { Timer } from '../../primitives/timer.js';
import type { Connect } from '../provider.js';
import type { ProviderError } from '../providerErrors.js';
import type { Series, SessionStep } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import type { Attempts } from './attempts.js';
import type { Link } from './link.js';
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

/** What both connections have delivered of one series, by `seq`. */
interface Delivered {
  /** The highest of the first connection. */
  ofFirst: number;
  /** The successor has delivered everything from the one to the other. */
  from: number;
  to: number;
}

/**
 * Replaces a connection that the vendor will close: a successor is opened beside it and asked for the same series, and both are
 * read until some seconds after the successor has answered for each. Then it takes over without a gap. A successor that fails is
 * tried again with a backoff, while the first connection goes on.
 *
 * Both deliver the same records, each up to seconds before the other. A record is emitted once by its `seq`, which rises within a
 * series: one of the first connection is a repetition if the successor has delivered it, one of the successor if the first has come
 * as far. What the successor began too late for comes over the first connection only. Of the successor, records without a `seq`
 * are left to the first connection.
 */
export class HandOver {
  readonly #config: HandOverConfig;
  readonly #timer: Timer;
  readonly #delivered = new Map<RecordKind, Map<string, Delivered>>();
  readonly #asked = new Set<SeriesState>();
  readonly #confirmed = new Set<SeriesState>();
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

  /** The successor has had an answer. Its holes are none: the first connection delivers as well. */
  answered({ confirmed = [], heard = [], refused = [] }: SessionStep): void {
    for (const series of [...confirmed, ...heard]) this.#settle(series, true);
    for (const { series } of refused) this.#settle(series, false);
    this.#check();
  }

  /** A record has come from the successor. */
  note(record: MarketEvent, now: number): void {
    const state = this.#config.table.of(record);
    if (!state) return;
    noteRecord(state, record, now);
    if (!this.#asked.has(state)) return;
    this.#settle(state.series, true);
    this.#check();
  }

  /** Whether a record has come before, or will come from the first connection. Otherwise it counts as having come. */
  isRepeated(record: MarketEvent, isOfSuccessor: boolean): boolean {
    const { seq } = record;
    if (seq === undefined) return isOfSuccessor;
    const symbol = record.kind === 'news' ? record.id : record.symbol;
    const delivered = this.#deliveredOf(record.kind, symbol);
    if (!isOfSuccessor && !this.#hasTakenOver) {
      if (seq >= delivered.from && seq <= delivered.to) return true;
      delivered.ofFirst = Math.max(delivered.ofFirst, seq);
      return false;
    }
    delivered.from = Math.min(delivered.from, seq);
    delivered.to = Math.max(delivered.to, seq);
    return seq <= delivered.ofFirst;
  }

  #deliveredOf(kind: RecordKind, symbol: string): Delivered {
    let bySymbol = this.#delivered.get(kind);
    if (!bySymbol) {
      bySymbol = new Map();
      this.#delivered.set(kind, bySymbol);
    }
    let delivered = bySymbol.get(symbol);
    if (!delivered) {
      const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;
      delivered = { ofFirst: NEGATIVE_INFINITY, from: POSITIVE_INFINITY, to: NEGATIVE_INFINITY };
      bySymbol.set(symbol, delivered);
    }
    return delivered;
  }

  /** The successor is over before it took over. */
  failed(error: ProviderError): void {
    this.#retry(error);
  }

  /** The successor is the connection of the stream from now on. */
  hasTakenOver(): void {
    this.#successor = undefined;
    this.#hasTakenOver = true;
    this.#timer.set(OVERLAP_MS);
  }

  cancel(): void {
    this.#timer.cancel();
    this.#successor?.close();
    this.#successor = undefined;
  }

  #settle(series: Series, isConfirmed: boolean): void {
    const state = this.#config.table.get(series);
    if (!state || !this.#asked.delete(state)) return;
    if (isConfirmed) this.#confirmed.add(state);
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
