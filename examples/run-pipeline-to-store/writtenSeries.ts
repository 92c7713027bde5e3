import type { MarketEvent, WriteOutcome } from 'sluice';

/** What a run wrote of one series. */
export interface WrittenSeries {
  readonly kind: string;
  readonly vendor: string;
  readonly symbol: string;
  readonly timeframe: string;
  /** Versions of one record count each. */
  records: number;
  /** In the time of the records, in epoch milliseconds. */
  first: number;
  last: number;
  /** The price of the record of that time, such as the close of a bar. */
  price: number | undefined;
  /** Which version of it that price is of. */
  seq: number;
}

/** More are only counted: each of them is held. */
const MAX_SERIES = 100_000;

/** Which series a run wrote, from its outcomes. */
export class SeriesOfRun {
  readonly #series = new Map<string, WrittenSeries>();
  /** Of series beyond the most that are held. */
  isCut = false;

  take({ status, items }: WriteOutcome<MarketEvent>): void {
    if (status !== 'written') return;
    for (const item of items) if (item.kind !== 'gap') this.#note(item);
  }

  /** In the order of their names. */
  all(): readonly WrittenSeries[] {
    const name = ({ kind, symbol, timeframe, vendor }: WrittenSeries) => `${kind} ${symbol} ${timeframe} ${vendor}`;
    return [...this.#series.values()].sort((a, b) => (name(a) < name(b) ? -1 : 1));
  }

  #note(record: Exclude<MarketEvent, { kind: 'gap' }>): void {
    const { kind, vendor } = record;
    const ts = timeOf(record);
    const symbol = 'symbol' in record ? String(record.symbol) : '';
    const timeframe = 'timeframe' in record ? record.timeframe : '';
    const key = `${kind}\n${vendor}\n${symbol}\n${timeframe}`;
    const known = this.#series.get(key);
    const seq = ('seq' in record ? record.seq : undefined) ?? 0;
    if (known) {
      known.records += 1;
      known.first = Math.min(known.first, ts);
      if (ts < known.last || (ts === known.last && seq < known.seq)) return;
      Object.assign(known, { last: ts, price: priceOf(record), seq });
    } else if (this.#series.size < MAX_SERIES) {
      this.#series.set(key, {
        kind,
        vendor,
        symbol,
        timeframe,
        records: 1,
        first: ts,
        last: ts,
        price: priceOf(record),
        seq,
      });
    } else {
      this.isCut = true;
    }
  }
}

function timeOf(record: Exclude<MarketEvent, { kind: 'gap' }>): number {
  if (record.kind === 'news') return record.publishedAt;
  return record.kind === 'fundamental' ? Date.parse(record.periodEnd) : record.ts;
}

function priceOf(record: MarketEvent): number | undefined {
  if (record.kind === 'bar') return record.close;
  if (record.kind === 'trade') return record.price;
  if (record.kind === 'quote') return record.bid ?? undefined;
  return undefined;
}
