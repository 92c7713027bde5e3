import type { Bar } from '../../../market/bar.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import type { Trade } from '../../../market/trade.js';
import { correctionElement, elementOf, type WireElement } from './wire.js';

type Kept = Trade | Extract<MarketEvent, { kind: 'quote' }> | Bar;

/** How many records are remembered: for corrections and revisions, and for those who ask for history. */
const MAX_KEPT = 200_000;

/** What was published: whether a record is new or another version, and the history of it. */
export class Published {
  readonly #records = new Map<string, Kept>();

  /** The element that tells of a record; undefined if Alpaca has none for it. */
  add(record: MarketEvent): WireElement | undefined {
    if (record.kind !== 'trade' && record.kind !== 'quote' && record.kind !== 'bar') return undefined;
    const key = keyOf(record);
    const former = this.#records.get(key);
    // The newest version is also the last to be forgotten.
    this.#records.delete(key);
    this.#records.set(key, record);
    if (this.#records.size > MAX_KEPT) {
      const [oldest] = this.#records.keys();
      if (oldest !== undefined) this.#records.delete(oldest);
    }
    if (former?.kind === 'trade' && record.kind === 'trade' && isOther(former, record)) {
      return correctionElement(former, record);
    }
    return elementOf(record, former !== undefined);
  }

  /** The records of a kind and symbol with `from <= ts <= to`, oldest first, as REST has them. */
  *between(kind: Kept['kind'], symbol: string, from: number, to: number): Generator<WireElement> {
    const found = [...this.#records.values()].filter(
      (one) => one.kind === kind && one.symbol === symbol && one.ts >= from && one.ts <= to,
    );
    found.sort((one, other) => one.ts - other.ts);
    for (const record of found) {
      const element = elementOf(record, false);
      if (element) yield element;
    }
  }
}

function keyOf(record: Kept): string {
  const { kind, symbol, ts } = record;
  return kind === 'bar' ? `bar ${record.timeframe} ${symbol} ${ts}` : `${kind} ${symbol} ${ts} ${record.id}`;
}

function isOther(one: Trade, other: Trade): boolean {
  return one.price !== other.price || one.size !== other.size;
}
