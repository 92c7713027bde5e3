import type { Bar } from '../../src/market/bar.js';
import type { DaysConfig } from '../../src/postgres/timescale/days.js';
import { bar } from './bars.js';

/** Two symbols of two vendors over three days, with holes, before and after 2000-01-03, where the buckets are counted from. */
export function minuteBars(): Bar[] {
  const made: Bar[] = [];
  for (const start of [Date.UTC(1999, 11, 31, 22, 58), Date.UTC(2024, 0, 2, 23, 17)]) {
    for (const vendor of ['v', 'w']) {
      for (const symbol of ['A', 'B']) {
        for (let i = 0; i < 200; i++) {
          if (i % 7 === (symbol === 'A' ? 3 : 5)) continue;
          // Integers, so that sums are the same in any order; no order of time is one of price.
          const price = 100 + ((i * 37 + symbol.charCodeAt(0)) % 41);
          const ts = start + i * 60_000;
          made.push(
            bar({
              vendor,
              symbol,
              ts,
              open: price,
              high: price + 3,
              low: price - 2,
              close: price + 1,
              volume: i,
              seq: i + 1,
            }),
          );
        }
      }
    }
  }
  return made;
}

const DAY_MS = 86_400_000;
const WIDTH_MS: Readonly<Record<string, number>> = { '5m': 300_000, '1h': 3_600_000, '1d': DAY_MS };

/** The bars of a longer timeframe, one vendor's, by time and then by symbol. `startOf` is where the bucket of an instant begins. */
export function foldNaively(
  minutes: readonly Bar[],
  timeframe: string,
  vendor: string,
  startOf = (ts: number) => Math.floor(ts / WIDTH_MS[timeframe]!) * WIDTH_MS[timeframe]!,
): Bar[] {
  const buckets = new Map<string, Bar[]>();
  for (const one of minutes) {
    if (one.vendor !== vendor) continue;
    const key = `${startOf(one.ts)} ${one.symbol}`;
    buckets.set(key, [...(buckets.get(key) ?? []), one]);
  }
  return [...buckets.values()]
    .map((parts) => {
      const sorted = parts.toSorted((a, b) => a.ts - b.ts);
      return bar({
        vendor,
        symbol: sorted[0]!.symbol,
        timeframe,
        ts: startOf(sorted[0]!.ts),
        open: sorted[0]!.open,
        high: Math.max(...sorted.map(({ high }) => high)),
        low: Math.min(...sorted.map(({ low }) => low)),
        close: sorted.at(-1)!.close,
        volume: sorted.reduce((sum, { volume }) => sum + volume, 0),
        seq: Math.max(...sorted.map(({ seq }) => seq ?? 0)),
      });
    })
    .toSorted((a, b) => a.ts - b.ts || (a.symbol < b.symbol ? -1 : 1));
}

/** Where the day of an instant begins, by the clocks of the zone as JavaScript knows them. */
export function startOfDay({ timeZone, startsAt }: Required<DaysConfig>): (ts: number) => number {
  const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  // What the clocks of the zone show, as if that were UTC.
  const clocks = (ts: number) => Date.parse(`${format.format(ts).replace(' ', 'T')}Z`);
  const start = Date.parse(`1970-01-01T${startsAt}Z`);
  return (ts) => {
    const shown = Math.floor((clocks(ts) - start) / DAY_MS) * DAY_MS + start;
    // The clocks may have been changed since.
    const guess = ts - (clocks(ts) - shown);
    return [0, -30, 30, -60, 60].map((minutes) => guess + minutes * 60_000).find((at) => clocks(at) === shown)!;
  };
}
