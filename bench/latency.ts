/**
 * How long a bar takes from the source to the commit, at 10,000 bars per second.
 *
 * Method. A real Postgres server, started for this with its own durable defaults (`fsync` and `synchronous_commit` on), or
 * the one that TEST_DATABASE_URL names, on the same machine. Bars of 500 symbols go through `writeCoordinator` with its
 * default settings into `barsSink` on a `pg.Pool` with default settings.
 *
 * The load is open: bar n is due n / 10,000 seconds after the start, whatever the pipeline does, and its latency counts from
 * that moment. A late or paused source does not make its bars look younger (no coordinated omission); the delay of the
 * source's timer, about a millisecond, is included. A bar is committed when its `WriteOutcome` is emitted. The first
 * 5 seconds are discarded, and the next 30 are measured.
 */
import pg from 'pg';
import { lastValueFrom } from 'rxjs';
import { tap } from 'rxjs/operators';
import { type Bar, gatedSource } from 'sluice';
import { writeCoordinator } from 'sluice/operators';
import { barsSink } from 'sluice/sinks';
import { startPostgres } from '../test/postgres/server.js';
import { printTable, quantile, rounded } from './report/table.js';

const BARS_PER_MS = 10;
const SYMBOLS = 500;
const WARM_UP_MS = 5_000;
const MEASURED_MS = 30_000;
const TIMER_MS = 1;

const server = await startPostgres({ durable: true });
const database = await server.database();
const pool = new pg.Pool({ connectionString: database.url });
try {
  console.log(`${server.description}, ${BARS_PER_MS * 1_000} bars/s for ${MEASURED_MS / 1_000} s`);
  const total = (WARM_UP_MS + MEASURED_MS) * BARS_PER_MS;
  const startedAt = performance.now() + 100;
  const dueAt = (index: number) => startedAt + index / BARS_PER_MS;

  const bar = (i: number): Bar => ({
    kind: 'bar',
    vendor: 'bench',
    symbol: `S${i % SYMBOLS}`,
    timeframe: '1s',
    ts: 1_600_000_000_000 + Math.floor(i / SYMBOLS) * 1_000,
    open: 100 + (i % 7),
    high: 101 + (i % 7),
    low: 99 + (i % 7),
    close: 100.5 + (i % 7),
    volume: i,
    seq: i + 1,
  });

  /** How late the source was in emitting, which is part of the latency: by its timer, or because it was paused. */
  const late: number[] = [];

  const bars$ = gatedSource<Bar>({ name: 'clock' }, (outlet) => {
    let i = 0;
    const emit = () => {
      const now = performance.now();
      while (i < total && dueAt(i) <= now && outlet.isOpen) {
        if (i >= WARM_UP_MS * BARS_PER_MS) late.push(now - dueAt(i));
        outlet.next(bar(i++));
      }
      if (i === total) outlet.complete();
      else if (!outlet.isOpen) outlet.whenOpen(emit);
      else timer = setTimeout(emit, TIMER_MS);
    };
    let timer = setTimeout(emit, TIMER_MS);
    return () => clearTimeout(timer);
  });

  const latencies: number[] = [];
  let writes = 0;
  await lastValueFrom(
    bars$.pipe(
      writeCoordinator(barsSink(pool)),
      tap(({ items }) => {
        const now = performance.now();
        writes += 1;
        for (const { seq = 0 } of items) {
          const index = seq - 1;
          if (index >= WARM_UP_MS * BARS_PER_MS) latencies.push(now - dueAt(index));
        }
      }),
    ),
  );
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM bars');
  if (rows[0]?.count !== total) throw new Error(`the table holds ${rows[0]?.count} of ${total} bars`);

  const row = (of: string, values: readonly number[]) => [
    of,
    ...[0.5, 0.9, 0.99, 0.999, 1].map((share) => quantile(values, share).toFixed(2)),
  ];
  printTable(
    ['ms', 'p50', 'p90', 'p99', 'p99.9', 'highest'],
    [row('due to emitted', late), row('due to committed', latencies)],
  );
  console.log(`${writes} writes, ${(total / writes).toFixed(1)} bars each`);
  console.log(
    JSON.stringify({ p50Ms: rounded(quantile(latencies, 0.5), 2), p99Ms: rounded(quantile(latencies, 0.99), 2) }),
  );
} finally {
  await pool.end();
  await database.drop();
  await server.stop();
}
