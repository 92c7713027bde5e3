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

/**
 * Replaces a connection that the vendor will close: a successor is opened beside it and asked for the same series, and both are
 * read until the successor has answered for each. Then it takes over without a gap. A successor that fails is tried again with a
 * backoff, while the first connection goes on.
 *
 * Both deliver the same records, each up to seconds before the other. A record is emitted once by its `seq`, which rises within a
 * series; of the successor, records without one are left to the first connection.
 */
export class HandOver {
  readonly #config: HandOverConfig;
  readonly #timer: Timer;
  /** The highest `seq` that has come of each series. */
  readonly #lastSeq = new Map<RecordKind, Map<string, number>>();
  readonly #asked = new Set<SeriesState>();
  readonly #confirmed = new Set<SeriesState>();
  #successor: Link | undefined;
  #hasTakenOver = false;

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
  note(record: MarketEvent): void {
    const state = this.#config.table.of(record);
    if (!state) return;
    noteRecord(state, record);
    if (!this.#asked.has(state)) return;
    this.#settle(state.series, true);
    this.#check();
  }

  /** Whether a record has come before, or will come from the first connection. Otherwise it counts as having come. */
  isRepeated(record: MarketEvent, isOfSuccessor: boolean): boolean {
    const { seq } = record;
    if (seq === undefined) return isOfSuccessor;
    const symbol = record.kind === 'news' ? record.id : record.symbol;
    let bySymbol = this.#lastSeq.get(record.kind);
    if (!bySymbol) {
      bySymbol = new Map();
      this.#lastSeq.set(record.kind, bySymbol);
    }
    const last = bySymbol.get(symbol);
    if (last !== undefined && seq <= last) return true;
    bySymbol.set(symbol, seq);
    return false;
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
    if (this.#asked.size === 0 && this.#successor?.isReady) this.#config.takeOver(this);
  }

  #onTimer(): void {
    if (this.#hasTakenOver) {
      this.#config.over();
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
    const delayMs = error ? this.#config.attempts.delayAfter(error, false) : OVERLAP_MS;
    // The first connection goes on, and what is next is decided when it ends.
    if (delayMs === undefined) this.#config.over();
    else this.#timer.set(delayMs);
  }
}
