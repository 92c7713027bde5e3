import type { Store } from 'sluice/postgres';
import { type Column, count, drawTable, plain, price, times } from './drawTable.js';
import type { SeriesOfRun, WrittenSeries } from './writtenSeries.js';

/** What is still to be read is worth no longer wait: the records are written. */
const SHOW_TIMEOUT_MS = 5_000;

/** Series that are named, so that all of it fits on a screen. */
const MAX_SHOWN = 15;
const NARROW = 60;

/** What the price of each kind is. Records of other kinds have none. */
const PRICES: Readonly<Record<string, string>> = { bar: 'last close', trade: 'last price', quote: 'last bid' };

/** Shows what the run wrote, with how many rows the store has of it, as far as that is worth waiting for. */
export async function showTables(store: Store, written: SeriesOfRun, width = 80): Promise<void> {
  const all = written.all();
  if (all.length === 0) {
    console.log('nothing was written, so there is no table to show');
    return;
  }
  for (const kind of new Set(all.map((series) => series.kind))) {
    const ofKind = all.filter((series) => series.kind === kind);
    const rows = await rowsOf(store, ofKind.slice(0, MAX_SHOWN));
    console.log(tableOf(ofKind, rows, width));
    const left = ofKind.length - MAX_SHOWN;
    if (left > 0) console.log(`… and ${count(left)}${written.isCut ? ' or more' : ''} more`);
  }
}

/** How many rows of each series are in the store, within the times of this run; none if that cannot be read. */
async function rowsOf({ pool }: Store, series: readonly WrittenSeries[]): Promise<readonly number[]> {
  const table = `${series[0]!.kind}s`;
  if (!['bars', 'trades', 'quotes'].includes(table)) return [];
  const ofTimeframe = table === 'bars' ? 'AND t.timeframe = s.timeframe' : '';
  const question = `
    SELECT s.n::int AS n, count(t.ts)::int AS rows
    FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[])
      WITH ORDINALITY AS s (vendor, symbol, timeframe, first, last, n)
    LEFT JOIN ${table} t ON t.vendor = s.vendor AND t.symbol = s.symbol ${ofTimeframe}
      AND t.ts BETWEEN to_timestamp(s.first) AND to_timestamp(s.last)
    GROUP BY s.n ORDER BY s.n`;
  // A microsecond of room, because a time of ticks is rounded on its way.
  const values = [
    series.map(({ vendor }) => vendor),
    series.map(({ symbol }) => symbol),
    series.map(({ timeframe }) => timeframe),
    series.map(({ first }) => (first - 0.001) / 1_000),
    series.map(({ last }) => (last + 0.001) / 1_000),
  ];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, SHOW_TIMEOUT_MS, new Error(`no answer within ${SHOW_TIMEOUT_MS / 1_000} s`));
  });
  try {
    const { rows } = await Promise.race([pool.query(question, values), late]);
    return rows.map((row) => row.rows as number);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    console.error(`the ${table} are written, but how many rows the store has of them cannot be read: ${words}`);
    return [];
  } finally {
    clearTimeout(timer);
  }
}

function tableOf(all: readonly WrittenSeries[], rows: readonly number[], width: number): string {
  const shown = all.slice(0, MAX_SHOWN);
  const { kind } = all[0]!;
  const iso = times(shown.flatMap(({ first, last }) => [first, last]));
  const hasVendors = new Set(all.map(({ vendor }) => vendor)).size > 1;
  const columns: Column[] = [
    { title: `${kind}s of`, cells: shown.map(({ symbol, vendor }) => plain(symbol || vendor)), spare: 0 },
    { title: 'vendor', cells: shown.map(({ vendor }) => (hasVendors ? plain(vendor) : '')), spare: 3 },
    { title: 'timeframe', cells: shown.map(({ timeframe }) => plain(timeframe)), spare: width < NARROW ? 2 : 1 },
    rows.length > 0
      ? { title: 'rows', cells: rows.map(count), isNumber: true, spare: 0 }
      : { title: 'records', cells: shown.map(({ records }) => count(records)), isNumber: true, spare: 0 },
    { title: 'first', cells: shown.map(({ first }) => iso(first)), spare: 2 },
    { title: 'last', cells: shown.map(({ last }) => iso(last)), spare: 0 },
    { title: PRICES[kind] ?? '', cells: shown.map((series) => price(series.price)), isNumber: true, spare: 0 },
  ];
  return drawTable(columns, width);
}
