/**
 * How fast records are written to Postgres through the framework, compared with a hand-written loop of the same statements:
 * bars, and the tables of options, news, fundamentals, trades and quotes.
 *
 * Method. A real server, started for this with its own durable defaults (`fsync` and `synchronous_commit` on), or the
 * one that TEST_DATABASE_URL names, on the same machine. 400,000 generated bars of 500 symbols, nine columns, `seq` and four that are null;
 * of each other kind 150,000 records of the same symbols. The tables are as the sinks make them: the primary key is their
 * only index.
 *
 * - append: all keys are new. By hand: the best of `unnest`, COPY with upsert, and straight binary COPY.
 * - upsert: half of the rows are in the table already with an older version, so that every batch holds new rows and
 *   changed ones. By hand: the better of `unnest` and COPY with upsert; straight COPY would fail.
 *
 * By hand means: four connections, each of which takes the next 2,000 items of an array, encodes them with the same
 * encoders and awaits the statement. It neither keeps keys in order nor removes duplicates, which this data does not need.
 * Ours: `fromIterable` and `writeCoordinator(barsSink(pool))`, or the sink of the other table, with four workers and
 * batches of 2,000, everything else at its default: gate, buffer, lanes, retries, breaker, reduction, planner, monitor.
 *
 * First, each hand-written way runs once, which warms up the server and finds the best. Then ours and that one alternate in one
 * process, five rounds for bars and three for the others, each on a new table and after a CHECKPOINT and a garbage
 * collection. The collection discards compiled code, more of ours than of the loop, so that shorter runs have lower ratios. A
 * ratio is the median of the rounds' ratios. CPU seconds are those of this process alone; peak memory is that of this process
 * over the runs of the bars, including the 400,000 bars.
 *
 * `npm run bench -- store --quick` writes a tenth of the rows, in one turn: this shows that the bench works, not how fast it is.
 */
import pg from 'pg';
import { startPostgres } from '../test/postgres/server.js';
import { rounded } from './report/table.js';
import { SUBJECTS, type Subject, SYMBOLS } from './store/subjects.js';
import { type Compared, type Line, TableBench } from './store/tableBench.js';
import { BATCH, CONNECTIONS } from './store/ways.js';

const isQuick = process.argv.includes('--quick');

/** Lines are printed one by one, because a run takes minutes. */
function printer(table: string): (line: Line) => void {
  return ({ workload, who, rowsPerSec, cpuSeconds, ratio }) => {
    print(table, workload, who, Math.round(rowsPerSec).toLocaleString('en'), cpuSeconds.toFixed(2), ratio?.toFixed(3));
  };
}

function print(table: string, workload: string, who: string, rowsPerSec: string, cpu: string, ratio = ''): void {
  const cells = [table.padEnd(12), workload.padEnd(8), who.padEnd(26), rowsPerSec.padStart(10), cpu.padStart(8)];
  console.log([...cells, ratio.padStart(8)].join(' ').trimEnd());
}

interface Measured {
  readonly append: Compared;
  readonly upsert: Compared;
}

async function measure<T>(pool: pg.Pool, subject: Subject<T>): Promise<Measured> {
  const sized = isQuick ? { ...subject, rows: subject.rows / 10, turns: 1 } : subject;
  const bench = new TableBench(pool, sized, printer(subject.table.name));
  const append = await bench.compare('append');
  const upsert = await bench.compare('upsert');
  await bench.drop();
  return { append, upsert };
}

function figuresOf({ append, upsert }: Measured): Record<string, number> {
  return {
    appendRowsPerSec: Math.round(append.rowsPerSec),
    ratioAppend: rounded(append.ratio, 3),
    upsertRowsPerSec: Math.round(upsert.rowsPerSec),
    ratioUpsert: rounded(upsert.ratio, 3),
  };
}

async function main(): Promise<void> {
  const server = await startPostgres({ durable: true });
  const database = await server.database();
  const pool = new pg.Pool({ connectionString: database.url, max: CONNECTIONS });
  try {
    console.log(`${server.description}, ${SYMBOLS} symbols, ${CONNECTIONS} connections, batches of ${BATCH}`);
    print('table', 'workload', 'who', 'rows/s', 'cpu s', 'ratio');
    const bars = await measure(pool, SUBJECTS.bars);
    const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
    const options = await measure(pool, SUBJECTS.options_snap);
    const news = await measure(pool, SUBJECTS.news);
    const fundamentals = await measure(pool, SUBJECTS.fundamentals);
    const trades = await measure(pool, SUBJECTS.trades);
    const quotes = await measure(pool, SUBJECTS.quotes);
    console.log(`peak memory of this process, bars: ${rssMb} MB`);
    console.log(
      JSON.stringify({
        ratioUpsert: rounded(bars.upsert.ratio, 3),
        ratioAppend: rounded(bars.append.ratio, 3),
        rowsPerSec: Math.round(bars.append.rowsPerSec),
        rssMb,
        tables: {
          bars: figuresOf(bars),
          options_snap: figuresOf(options),
          news: figuresOf(news),
          fundamentals: figuresOf(fundamentals),
          trades: figuresOf(trades),
          quotes: figuresOf(quotes),
        },
      }),
    );
  } finally {
    await pool.end();
    await database.drop();
    await server.stop();
  }
}

await main();
