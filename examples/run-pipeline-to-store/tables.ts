import type { Store } from 'sluice/postgres';

/** What is still to be read is worth no longer wait: the records are written. */
const SHOW_TIMEOUT_MS = 5_000;

/** How each table is summed up: its figures per series. */
const SUMMARIES: Readonly<Record<string, { readonly by: string; readonly last: string }>> = {
  bars: { by: 'symbol, timeframe', last: '(array_agg(close ORDER BY ts DESC))[1] AS "last close"' },
  trades: { by: 'symbol', last: '(array_agg(price ORDER BY ts DESC))[1] AS "last price"' },
  quotes: {
    by: 'symbol',
    last: '(array_agg(bid ORDER BY ts DESC))[1] AS "last bid", (array_agg(ask ORDER BY ts DESC))[1] AS "last ask"',
  },
};

/** Shows what is in these tables, as far as it is worth waiting for. */
export async function showTables(store: Store, tables: readonly string[]): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(reject, SHOW_TIMEOUT_MS, new Error(`no answer within ${SHOW_TIMEOUT_MS / 1_000} s`)).unref();
  });
  const names = tables.filter((table) => table in SUMMARIES);
  try {
    await Promise.race([showAll(store, names), late]);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    console.error(`the ${names.join(' and ')} are written, but the table cannot be shown: ${words}`);
  }
}

async function showAll(store: Store, tables: readonly string[]): Promise<void> {
  for (const table of tables) await show(store, table);
}

async function show({ pool }: Store, table: string): Promise<void> {
  const { by, last } = SUMMARIES[table]!;
  const found = await pool.query(`SELECT to_regclass('${table}') AS ${table}`);
  if (found.rows[0]?.[table] === null) {
    console.log(`there is no table ${table} yet: nothing was written`);
    return;
  }
  // The first and last of bars are days, those of ticks are times.
  const type = table === 'bars' ? 'date' : 'timestamptz(0)';
  const { rows } = await pool.query(`
    SELECT ${by}, count(*)::int AS ${table}, min(ts)::${type}::text AS first, max(ts)::${type}::text AS last, ${last}
    FROM ${table} GROUP BY ${by} ORDER BY ${by} LIMIT 5`);
  const totals = await pool.query(
    `SELECT count(*)::int AS records, count(DISTINCT symbol)::int AS symbols FROM ${table}`,
  );
  console.table(rows);
  for (const { records, symbols } of totals.rows) {
    console.log(`the table ${table} has ${records} ${table} of ${symbols} ${symbols === 1 ? 'symbol' : 'symbols'}`);
  }
}
