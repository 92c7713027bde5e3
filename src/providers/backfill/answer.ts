import { isRecordKind, type MarketEvent, RECORD_KINDS, type RecordKind } from '../../market/recordKinds.js';
import { issuesOf, type RecordDescription } from '../../market/recordShape.js';
import { messageOf } from '../../primitives/messageOf.js';
import type { Ranker } from '../router/rankedRecord.js';
import { barMsOf, DEFAULT_TIMEFRAME, type Span } from './spans.js';

/** A series as one provider is asked for it, and as its records are to be. */
export interface AskedSeries {
  readonly of: RecordKind;
  readonly timeframe: string | undefined;
  /** The name of the provider, which its records have as their vendor. */
  readonly provider: string;
  /** As the provider spells it. */
  readonly spelled: string;
  /** As the gap does. */
  readonly symbol: string;
  /** Where the records are one series of several providers: makes them that. */
  readonly ranker?: Ranker;
}

/** Rows of an answer that were not asked for, or cannot be read: a description of the first, and the count of all. */
export interface Strays {
  readonly count: number;
  readonly first: string;
}

/** The records that were answered for a span, by key, of one provider or of several. */
export class Answer {
  readonly #span: Span;
  readonly #records = new Map<string, MarketEvent>();
  #strays = 0;
  #firstStray = '';

  constructor(span: Span) {
    this.#span = span;
  }

  /** When the last bar is over that the vendor says is still forming; `-Infinity` without one. */
  formingUntil = Number.NEGATIVE_INFINITY;

  /** Distinct records. */
  get size(): number {
    return this.#records.size;
  }

  has(key: string): boolean {
    return this.#records.has(key);
  }

  get strays(): Strays | undefined {
    return this.#strays === 0 ? undefined : { count: this.#strays, first: this.#firstStray };
  }

  /** All records, in groups of at most `size`. */
  *groups(size: number): Generator<readonly MarketEvent[]> {
    let group: MarketEvent[] = [];
    for (const record of this.#records.values()) {
      group.push(record);
      if (group.length < size) continue;
      yield group;
      group = [];
    }
    if (group.length > 0) yield group;
  }

  /** Takes a page: what of it is to be emitted, in its order, and what is given up. Whatever a page is, it does not throw. */
  take(
    page: unknown,
    series: AskedSeries,
  ): { readonly rows: readonly MarketEvent[]; readonly strays: readonly unknown[] } {
    if (!Array.isArray(page)) {
      this.#stray('a page that is no array');
      return { rows: [], strays: [] };
    }
    const rows: MarketEvent[] = [];
    const strays: unknown[] = [];
    for (const given of page as readonly unknown[]) {
      const wrong = this.#wrongOf(given, series);
      if (wrong !== undefined) {
        this.#stray(wrong);
        strays.push(given);
        continue;
      }
      let record: MarketEvent;
      try {
        record = recordOf(given as MarketEvent, series);
      } catch (error) {
        this.#stray(`a record that cannot be ranked: ${messageOf(error)}`);
        strays.push(given);
        continue;
      }
      const key = keyOf(record);
      const known = this.#records.get(key);
      // A repetition changes nothing, and its older version must not follow the newer one.
      if (known && versionOf(known) >= versionOf(record)) continue;
      this.#records.set(key, record);
      if (record.kind === 'bar' && record.isFinal === false) {
        this.formingUntil = Math.max(this.formingUntil, record.ts + barMsOf({ ...record, of: 'bar' }));
      }
      rows.push(record);
    }
    return { rows, strays };
  }

  #stray(what: string): void {
    if (this.#strays++ === 0) this.#firstStray = what;
  }

  /** What is wrong with a row; `undefined` if it is one of those that were asked for. */
  #wrongOf(row: unknown, { of, timeframe, provider, spelled }: AskedSeries): string | undefined {
    if (typeof row !== 'object' || row === null)
      return `a row that is no record but ${row === null ? 'null' : typeof row}`;
    const { kind, vendor, symbol, timeframe: own } = row as Readonly<Record<string, unknown>>;
    if (kind !== of) return isRecordKind(kind) ? `a record of kind ${kind}` : 'a row of no known kind';
    const description = RECORD_KINDS[of] as unknown as RecordDescription<MarketEvent>;
    const issue = issuesOf(description, row)[0];
    if (issue) return `a ${description.name} that cannot be read: ${issue.field} must be ${issue.expected}`;
    if (vendor !== provider) return `a record of vendor ${String(vendor)}`;
    if (of === 'news') {
      const { symbols } = row as { readonly symbols: readonly string[] };
      if (spelled !== '*' && !symbols.includes(spelled)) return `news that is not about ${spelled}`;
    } else if (spelled !== '*' && symbol !== spelled) return `a record of ${String(symbol)}`;
    if (of === 'bar' && own !== (timeframe ?? DEFAULT_TIMEFRAME)) return `a bar of timeframe ${String(own)}`;
    const at = description.eventTime(row as MarketEvent);
    if (at < this.#span.from || at >= this.#span.to)
      return `a record of ${new Date(at).toISOString()}, outside the span`;
    return undefined;
  }
}

export function keyOf(record: MarketEvent): string {
  return (RECORD_KINDS[record.kind].key as (record: MarketEvent) => string)(record);
}

/** Records without a version are numbered by the sink when they arrive. */
export function versionOf(record: MarketEvent): number {
  return record.seq ?? Number.NEGATIVE_INFINITY;
}

/** A record of a provider as the series has it. */
function recordOf(record: MarketEvent, { spelled, symbol, ranker }: AskedSeries): MarketEvent {
  let own = record;
  if (symbol !== spelled) {
    own =
      own.kind === 'news'
        ? { ...own, symbols: own.symbols.map((one) => (one === spelled ? symbol : one)) }
        : ({ ...own, symbol } as MarketEvent);
  }
  return ranker?.record(own) ?? own;
}
