/**
 * How fast bars go into Postgres through the framework, beside a hand-written loop of the same statements.
 *
 * Method. A real server, started for this with its own durable defaults (`fsync` and `synchronous_commit` on), or the
 * one that TEST_DATABASE_URL names, on the same machine. 400,000 generated bars of 500 symbols, nine columns and `seq`.
 *
 * - append: all keys are new. By hand: the best of `unnest`, COPY with upsert, and straight binary COPY.
 * - upsert: half of the bars are in the table already with an older version, so that every batch holds new rows and
 *   changed ones. By hand: the better of `unnest` and COPY with upsert; straight COPY would fail.
 *
 * By hand means: four connections, each of which takes the next 2,000 bars of an array, encodes them with the same
 * encoders and awaits the statement. It keeps no order of keys and reduces no duplicates, which this data does not need.
 * Ours: `fromIterable` and `writeCoordinator(barsSink(pool))` with four workers and batches of 2,000, everything else
 * at its default: gate, buffer, a lane a symbol, reduction, planner, monitor.
 *
 * First each way by hand runs once, which warms up the server and finds the best. Then ours and the best by hand take
 * turns in one process, each on a table made anew and after a CHECKPOINT and a garbage collection. A ratio is
 * the median over the turns of one turn's ratio. The processor seconds are those of this process alone; the peak of
 * memory is that of this process over all runs, the 400,000 bars included.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { lastValueFrom } from 'rxjs';
import { reduce } from 'rxjs/operators';
import type { Bar } from 'sluice';
import { writeCoordinator } from 'sluice/operators';
import { barsSink } from 'sluice/sinks';
import { fromIterable, syntheticBars } from 'sluice/sources';
import { copyIn } from '../src/sinks/postgres/copyIn.js';
import { encodeArrays, encodeCopy, type Rows } from '../src/sinks/postgres/encode.js';
import type { Strategy } from '../src/sinks/postgres/planner.js';
import { statementsFor } from '../src/sinks/postgres/statements.js';
import { barsTable } from '../src/sinks/postgres/tables.js';
import { startPostgres } from '../test/postgres/server.js';

const BARS = 400_000;
const SYMBOLS = 500;
const CONNECTIONS = 4;
const BATCH = 2_000;
const TURNS = 5;

type Workload = 'append' | 'upsert';

interface Run {
  readonly rowsPerSec: number;
  readonly cpuSeconds: number;
}

const { columns } = barsTable;
const statements = statementsFor(barsTable, undefined);

const BY_HAND: Record<Strategy, (client: pg.PoolClient, rows: Rows<Bar>) => Promise<unknown>> = {
  unnest: (client, rows) =>
    client.query({ name: 'upsert', text: statements.upsertArrays, values: encodeArrays(columns, rows) }),
  copyUpsert: (client, rows) => copyIn(client, statements.copyUpsert, encodeCopy(columns, rows)),
  copy: (client, rows) => copyIn(client, statements.copy, encodeCopy(columns, rows)),
};

async function byHand(pool: pg.Pool, bars: readonly Bar[], strategy: Strategy): Promise<void> {
  let next = 0;
  const worker = async () => {
    const client = await pool.connect();
    if (strategy === 'copyUpsert') await client.query(statements.createStage);
    while (next < bars.length) {
      const items = bars.slice(next, next + BATCH);
      next += items.length;
      await BY_HAND[strategy](client, { items, seqs: Float64Array.from(items, (bar) => bar.seq!) });
    }
    client.release();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

async function ours(pool: pg.Pool, bars: readonly Bar[]): Promise<void> {
  const outcomes$ = fromIterable(bars).pipe(
    writeCoordinator(barsSink(pool), { workers: CONNECTIONS, batchSize: BATCH }),
  );
  const written = await lastValueFrom(outcomes$.pipe(reduce((items, outcome) => items + outcome.items.length, 0)));
  if (written !== bars.length) throw new Error(`wrote ${written} of ${bars.length} bars`);
}

function collectGarbage(): void {
  setFlagsFromString('--expose_gc');
  runInNewContext('gc')();
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

class Bench {
  readonly #pool: pg.Pool;
  readonly #first: readonly Bar[];
  readonly #bars: Record<Workload, readonly Bar[]>;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
    const bars = [...syntheticBars({ symbols: SYMBOLS, count: BARS, seed: 7 })];
    this.#first = bars.filter((_, i) => i % 2 === 0);
    this.#bars = { append: bars, upsert: bars.map((bar) => ({ ...bar, close: bar.close + 1, seq: bar.seq! + BARS })) };
  }

  async time(workload: Workload, write: (pool: pg.Pool, bars: readonly Bar[]) => Promise<void>): Promise<Run> {
    const pool = this.#pool;
    const bars = this.#bars[workload];
    await pool.query('DROP TABLE IF EXISTS bars');
    await pool.query(statements.create);
    if (workload === 'upsert') await byHand(pool, this.#first, 'copy');
    await pool.query('VACUUM ANALYZE bars');
    await pool.query('CHECKPOINT');
    collectGarbage();
    const cpu = process.cpuUsage();
    const startedAt = process.hrtime.bigint();
    await write(pool, bars);
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
    const { user, system } = process.cpuUsage(cpu);
    const { rows } = await pool.query<{ count: number; sum: number }>(
      'SELECT count(*)::int AS count, sum(seq)::float8 AS sum FROM bars',
    );
    const sum = bars.reduce((total, bar) => total + bar.seq!, 0);
    if (rows[0]?.count !== BARS || rows[0].sum !== sum) throw new Error(`the table is not what ${workload} wrote`);
    return { rowsPerSec: BARS / seconds, cpuSeconds: (user + system) / 1e6 };
  }

  async compare(workload: Workload, strategies: readonly Strategy[]): Promise<{ ratio: number; rowsPerSec: number }> {
    const warm: Run[] = [];
    for (const strategy of strategies) {
      const run = await this.time(workload, (pool, bars) => byHand(pool, bars, strategy));
      report(workload, `by hand, ${strategy}, once`, run);
      warm.push(run);
    }
    await this.time(workload, ours);
    const fastest = warm.reduce((best, run, i) => (run.rowsPerSec > warm[best]!.rowsPerSec ? i : best), 0);
    const strategy = strategies[fastest]!;
    const turns: { readonly hand: Run; readonly own: Run }[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      // Who goes first takes turns too: a run leaves the machine in a state of its own.
      const hand = () => this.time(workload, (pool, bars) => byHand(pool, bars, strategy));
      const own = () => this.time(workload, ours);
      if (turn % 2 === 0) {
        const before = await hand();
        turns.push({ hand: before, own: await own() });
      } else {
        const before = await own();
        turns.push({ own: before, hand: await hand() });
      }
    }
    const hand = medianOf(turns.map((turn) => turn.hand));
    const own = medianOf(turns.map((turn) => turn.own));
    const ratio = median(turns.map((turn) => turn.own.rowsPerSec / turn.hand.rowsPerSec));
    report(workload, `by hand, ${strategy}`, hand);
    report(workload, 'sluice', own, ratio);
    return { ratio, rowsPerSec: own.rowsPerSec };
  }
}

function medianOf(runs: readonly Run[]): Run {
  return {
    rowsPerSec: median(runs.map((run) => run.rowsPerSec)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
  };
}

function report(workload: Workload, who: string, { rowsPerSec, cpuSeconds }: Run, ratio?: number): void {
  const cells = [
    workload.padEnd(8),
    who.padEnd(28),
    Math.round(rowsPerSec).toLocaleString('en').padStart(10),
    cpuSeconds.toFixed(2).padStart(8),
    (ratio?.toFixed(3) ?? '').padStart(8),
  ];
  console.log(cells.join(' '));
}

async function main(): Promise<void> {
  const server = await startPostgres({ durable: true });
  const database = await server.database();
  const pool = new pg.Pool({ connectionString: database.url, max: CONNECTIONS });
  try {
    console.log(
      `${server.description}, ${BARS} bars, ${SYMBOLS} symbols, ${CONNECTIONS} connections, batches of ${BATCH}`,
    );
    console.log(
      `${'workload'.padEnd(8)} ${'who'.padEnd(28)} ${'rows/s'.padStart(10)} ${'cpu s'.padStart(8)} ${'ratio'.padStart(8)}`,
    );
    const bench = new Bench(pool);
    const append = await bench.compare('append', ['unnest', 'copyUpsert', 'copy']);
    const upsert = await bench.compare('upsert', ['unnest', 'copyUpsert']);
    const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
    console.log(`peak memory of this process: ${rssMb} MB`);
    console.log(
      JSON.stringify({
        ratioUpsert: Number(upsert.ratio.toFixed(3)),
        ratioAppend: Number(append.ratio.toFixed(3)),
        rowsPerSec: Math.round(append.rowsPerSec),
        rssMb,
      }),
    );
  } finally {
    await pool.end();
    await database.drop();
    await server.stop();
  }
}

await main();
