import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { Series } from '../session.js';
import { Coverage } from './coverage.js';
import { eventTimeOf } from './intake.js';

/** Of how many successors that failed it is remembered what they have delivered of a series. */
const MAX_FAILED = 8;

/** What both connections have delivered of one symbol, by `seq`. */
export interface Delivered {
  /** The highest of the first connection. */
  ofFirst: number;
  /** The time of its last record since the hand-over began. */
  firstAt: number;
  successor: Coverage;
  /** Of those that failed, where the first connection has not come as far. */
  failed: readonly Coverage[];
}

/** What a connection and its successor have delivered, by `seq`, while both are read. */
export class Overlap {
  readonly #delivered = new Map<RecordKind, Map<string, Delivered>>();

  get({ of, symbol }: Series): Delivered | undefined {
    return this.#delivered.get(of)?.get(symbol);
  }

  /** The same, of each symbol where the series is that of all. */
  of(series: Series): Iterable<Delivered> {
    if (series.symbol === '*') return this.#delivered.get(series.of)?.values() ?? [];
    const one = this.get(series);
    return one ? [one] : [];
  }

  /** The successor has failed, if there was one. The next one delivers from elsewhere on. */
  nextSuccessor(): void {
    for (const bySymbol of this.#delivered.values()) {
      for (const delivered of bySymbol.values()) {
        const { successor, failed, ofFirst } = delivered;
        successor.end();
        delivered.failed = [...failed, successor].filter(({ to }) => to > ofFirst).slice(-MAX_FAILED);
        delivered.successor = new Coverage();
      }
    }
  }

  /** Whether a record has come before. Otherwise it counts as having come. */
  isRepeated(record: MarketEvent, seq: number, isOfSuccessor: boolean, now: number): boolean {
    const symbol = record.kind === 'news' ? record.id : record.symbol;
    const delivered = this.#deliveredOf(record.kind, symbol);
    if (isOfSuccessor) {
      delivered.successor.add(seq);
      return seq <= delivered.ofFirst;
    }
    delivered.firstAt = Math.max(delivered.firstAt, receivedTimeOf(record, now));
    delivered.ofFirst = Math.max(delivered.ofFirst, seq);
    return delivered.successor.has(seq) || delivered.failed.some((one) => one.has(seq));
  }

  #deliveredOf(kind: RecordKind, symbol: string): Delivered {
    let bySymbol = this.#delivered.get(kind);
    if (!bySymbol) {
      bySymbol = new Map();
      this.#delivered.set(kind, bySymbol);
    }
    let delivered = bySymbol.get(symbol);
    if (!delivered) {
      const { NEGATIVE_INFINITY } = Number;
      delivered = { ofFirst: NEGATIVE_INFINITY, firstAt: NEGATIVE_INFINITY, successor: new Coverage(), failed: [] };
      bySymbol.set(symbol, delivered);
    }
    return delivered;
  }
}

/** The time of a record; that of its receipt if it says a later one. */
export function receivedTimeOf(record: MarketEvent, now: number): number {
  return Math.min(eventTimeOf(record), now);
}
