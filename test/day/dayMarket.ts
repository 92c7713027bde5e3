import type { Bar } from '../../src/market/bar.js';
import { foldByKey } from '../../src/market/foldByKey.js';
import type { Quote } from '../../src/market/quote.js';
import { RECORD_KINDS } from '../../src/market/recordKinds.js';
import type { Trade } from '../../src/market/trade.js';
import { simulatedDay } from '../../src/testing/market/simulatedDay.js';
import { clockOf, type DayScript } from './dayScript.js';

export type MarketRecord = Bar | Trade | Quote;

/** Something that the market tells. */
export interface Told {
  readonly at: number;
  readonly record: MarketRecord;
}

const MINUTE_MS = 60_000;

/**
 * What the market does on the day of a script, in the order in which it is told: trades, quotes and bars of a minute in each session, with
 * bars that are told again when a trade was corrected, and half of a bar while its minute lasts.
 */
export function dayMarket({ seed, symbols, sessions, tradesPerMinute }: DayScript): readonly Told[] {
  const all: Told[] = [];
  for (const { from, to } of sessions) {
    const day = simulatedDay({
      seed: seed * 31 + Math.floor(from / MINUTE_MS),
      symbols,
      crypto: [],
      from: clockOf(from).slice(0, 5),
      tradesPerMinute,
      quotesPerTrade: 1,
      // A feed gives a trade that is reported late the time of its report.
      late: 0,
      corrected: 0.05,
      halt: false,
      burst: false,
    });
    for (const event of day) {
      if (event.at > to + MINUTE_MS) break;
      if (!('record' in event) || event.record.ts >= to) continue;
      // The venues of the day do not correct trades: only bars follow.
      if (event.what === 'trade' && event.corrects) continue;
      all.push({ at: event.at, record: event.record });
    }
  }
  return all.sort((one, other) => one.at - other.at);
}

/** What a table holds that has missed nothing: the last version of each record. Its `seq` says nothing across sessions. */
export function truthOf<K extends MarketRecord['kind']>(
  told: readonly Told[],
  kind: K,
): ReadonlyMap<string, Extract<MarketRecord, { readonly kind: K }>> {
  type One = Extract<MarketRecord, { readonly kind: K }>;
  const records = told.flatMap(({ record }) => (record.kind === kind ? [record as One] : []));
  const keyOf = RECORD_KINDS[kind].key as (record: One) => string;
  return foldByKey(records, keyOf);
}
