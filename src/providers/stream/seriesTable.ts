import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Refusal, Series } from '../session.js';
import { knownByRecord } from './knownUntil.js';
import type { ResumePoints } from './resumePoints.js';

/** What a stream knows of one series that it wants. */
export interface SeriesState {
  readonly series: Series;
  /** The connection that has confirmed it last; 0 before the first. */
  confirmedBy: number;
  /** The connection that it was asked on last. */
  askedOn: number;
  /** Up to when nothing is missing: the time of its last record, or since when it is confirmed. `undefined` before that. */
  knownUntil: number | undefined;
  /** Up to when it was known before this stream, until the gap record from there is made. */
  resumeFrom: number | undefined;
  /** Whether a record came since it was confirmed last. */
  hasRecord: boolean;
  /** When it was confirmed, where that has not become a gap record yet. */
  confirmedAt: number;
  /** Whether a connection was ended because it was not confirmed, and it has not been confirmed since. */
  isMissed: boolean;
  /** Why the vendor does not deliver it. It is not asked again while the error is not retryable. */
  refusal: Refusal | undefined;
}

/** The series that a stream wants, and what has become of each. */
export class SeriesTable {
  readonly #kinds: readonly RecordKind[];
  readonly #timeframe: string;
  readonly #byKind: { readonly [K in RecordKind]?: Map<string, SeriesState> };
  readonly #resumePoints: ResumePoints | undefined;
  #symbols: ReadonlySet<string> = new Set();
  #refused = 0;

  constructor(kinds: readonly RecordKind[], timeframe: string, resumePoints?: ResumePoints) {
    this.#resumePoints = resumePoints;
    this.#kinds = kinds;
    this.#timeframe = timeframe;
    this.#byKind = Object.fromEntries(kinds.map((kind) => [kind, new Map<string, SeriesState>()]));
  }

  get size(): number {
    return this.#kinds.length * this.#symbols.size;
  }

  /** How many symbols it has; `Infinity` for all of the venue. */
  get symbols(): number {
    return this.#symbols.has('*') ? Number.POSITIVE_INFINITY : this.#symbols.size;
  }

  /** How many are refused. */
  get refused(): number {
    return this.#refused;
  }

  setRefusal(state: SeriesState, refusal: Refusal | undefined): void {
    this.#refused += (refusal ? 1 : 0) - (state.refusal ? 1 : 0);
    state.refusal = refusal;
  }

  /** Replaces the set of symbols. Returns the series that are no longer wanted; new ones are asked as all are, by {@link unasked}. */
  want(symbols: readonly string[]): readonly SeriesState[] {
    const wanted = new Set(symbols);
    const removed: SeriesState[] = [];
    for (const of of this.#kinds) {
      const states = this.#byKind[of]!;
      for (const [symbol, state] of states) {
        if (wanted.has(symbol)) continue;
        states.delete(symbol);
        if (state.resumeFrom !== undefined) this.#resumePoints?.forget(state.series);
        if (state.refusal) this.#refused -= 1;
        removed.push(state);
      }
      for (const symbol of wanted) {
        if (states.has(symbol)) continue;
        const series: Series = of === 'bar' ? { of, symbol, timeframe: this.#timeframe } : { of, symbol };
        const state = newState(series);
        state.resumeFrom = this.#resumePoints?.of(series);
        states.set(symbol, state);
      }
    }
    this.#symbols = wanted;
    return removed;
  }

  *[Symbol.iterator](): Iterator<SeriesState> {
    for (const of of this.#kinds) yield* this.#byKind[of]!.values();
  }

  /** The series as the vendor's session names it; `undefined` if it is not wanted. */
  get({ of, symbol }: Series): SeriesState | undefined {
    return this.#byKind[of]?.get(symbol);
  }

  /** The series of a record, or that of all symbols of its kind. */
  of(record: MarketEvent): SeriesState | undefined {
    const states = this.#byKind[record.kind];
    if (!states || record.kind === 'news') return states?.get('*');
    return states.get(record.symbol) ?? states.get('*');
  }

  /** The series that are to be asked on a connection. */
  unasked(link: number): readonly SeriesState[] {
    const found: SeriesState[] = [];
    for (const state of this) {
      if (state.askedOn !== link && (state.refusal?.error.retryable ?? true)) found.push(state);
    }
    return found;
  }
}

function newState(series: Series): SeriesState {
  return {
    series,
    confirmedBy: 0,
    askedOn: 0,
    knownUntil: undefined,
    resumeFrom: undefined,
    hasRecord: false,
    confirmedAt: 0,
    isMissed: false,
    refusal: undefined,
  };
}

/** A record of the series has come. One that says a time to come tells nothing of what is missing until then. */
export function noteRecord(state: SeriesState, record: MarketEvent, now: number): void {
  const time = knownByRecord(record, now);
  // Records of a delayed feed are older than their confirmation.
  if (state.hasRecord && time <= state.knownUntil!) return;
  state.knownUntil = time;
  state.hasRecord = true;
}

/** `bar AAPL 1m`, `trade *`. */
export function describeSeries({ of, symbol, timeframe }: Series): string {
  return timeframe === undefined ? `${of} ${symbol}` : `${of} ${symbol} ${timeframe}`;
}

/** At most this many are named in a message. */
const MAX_NAMED = 10;

export function describeAll(all: readonly Series[]): string {
  const named = all.slice(0, MAX_NAMED).map(describeSeries).join(', ');
  return all.length > MAX_NAMED ? `${named} and ${all.length - MAX_NAMED} more` : named;
}
