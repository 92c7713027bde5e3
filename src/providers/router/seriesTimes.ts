import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Series } from '../session.js';
import { knownAt, knownByRecord } from '../stream/knownUntil.js';

/** Up to when nothing of a series is missing, or a gap record says what. */
export interface SeriesTime {
  /** As the request spells it. */
  readonly series: Series;
  /** In epoch milliseconds. */
  knownUntil: number;
  /** Whether that was known before the router began, and nothing has come since. */
  isStored: boolean;
  /** Whether a provider was asked for it. */
  isAsked: boolean;
}

/** Up to when each series of a request is known, whoever delivered it. */
export class SeriesTimes {
  readonly #kinds: readonly RecordKind[];
  readonly #byKind: { readonly [K in RecordKind]?: Map<string, SeriesTime> };

  constructor(kinds: readonly RecordKind[]) {
    this.#kinds = kinds;
    this.#byKind = Object.fromEntries(kinds.map((kind) => [kind, new Map<string, SeriesTime>()]));
  }

  /** Replaces the set of symbols. `storedOf` is asked once for each series that is new. */
  want(
    symbols: readonly string[],
    timeframe: string,
    now: number,
    storedOf: (series: Series) => number | undefined,
  ): void {
    const wanted = new Set(symbols);
    for (const of of this.#kinds) {
      const times = this.#byKind[of]!;
      for (const symbol of times.keys()) if (!wanted.has(symbol)) times.delete(symbol);
      for (const symbol of wanted) {
        if (times.has(symbol)) continue;
        const series: Series = of === 'bar' ? { of, symbol, timeframe } : { of, symbol };
        const stored = storedOf(series);
        times.set(symbol, {
          series,
          knownUntil: stored ?? knownAt(series, now),
          isStored: stored !== undefined,
          isAsked: false,
        });
      }
    }
  }

  get(of: RecordKind, symbol: string): SeriesTime | undefined {
    return this.#byKind[of]?.get(symbol);
  }

  /** Those of one kind; nothing of a kind that is not in the request. */
  of(kind: RecordKind): Iterable<SeriesTime> {
    return this.#byKind[kind]?.values() ?? [];
  }

  /** A record has come. `symbol` is its own as the request spells it. */
  note(record: MarketEvent, symbol: string, now: number): void {
    const times = this.#byKind[record.kind];
    if (!times) return;
    const time = knownByRecord(record, now);
    if (record.kind === 'news') for (const about of record.symbols) moveTo(times.get(about), time);
    moveTo(times.get(symbol) ?? times.get('*'), time);
  }
}

/** Until this time a gap record tells of what is missing. */
export function bridgeTo(entry: SeriesTime | undefined, time: number): void {
  if (!entry) return;
  moveTo(entry, knownAt(entry.series, time));
  entry.isStored = false;
}

/** Until this time nothing is missing that no gap record tells of. */
function moveTo(entry: SeriesTime | undefined, time: number): void {
  if (!entry || time < entry.knownUntil) return;
  entry.knownUntil = time;
  entry.isStored = false;
}
