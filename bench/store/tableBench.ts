import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type pg from 'pg';
import { quoteIdentifier } from '../../src/postgres/identifiers.js';
import type { Strategy } from '../../src/postgres/write/planner.js';
import { median } from '../report/table.js';
import type { Subject } from './subjects.js';
import { Ways, type Write } from './ways.js';

type Workload = 'append' | 'upsert';

/** Which ways can write each workload: a plain COPY fails if a key exists. */
const STRATEGIES: Readonly<Record<Workload, readonly Strategy[]>> = {
  append: ['unnest', 'copyUpsert', 'copy'],
  upsert: ['unnest', 'copyUpsert'],
};

interface Run {
  readonly rowsPerSec: number;
  readonly cpuSeconds: number;
}

/** A line of the report, with a `ratio` if ours is compared with the best hand-written way. */
export interface Line extends Run {
  readonly workload: Workload;
  readonly who: string;
  readonly ratio?: number;
}

export interface Compared {
  readonly ratio: number;
  readonly rowsPerSec: number;
}

/** Runs the workloads of one table: ours against the best hand-written way. */
export class TableBench<T> {
  readonly #pool: pg.Pool;
  readonly #name: string;
  readonly #ways: Ways<T>;
  readonly #turns: number;
  readonly #rows: number;
  /** What is in the table before an upsert: every other item, in its older version. */
  readonly #former: readonly T[];
  readonly #items: Record<Workload, readonly T[]>;
  readonly #sums: Record<Workload, number>;
  readonly #report: (line: Line) => void;

  constructor(pool: pg.Pool, subject: Subject<T>, report: (line: Line) => void) {
    const { table, rows, changed } = subject;
    const { versionOf, numbered } = table;
    this.#pool = pool;
    this.#name = quoteIdentifier(table.name);
    this.#ways = new Ways(table, subject.sink);
    this.#turns = subject.turns;
    this.#rows = rows;
    this.#report = report;
    const items = subject.items(rows);
    this.#former = items.filter((_, i) => i % 2 === 0);
    const newer = items.map((item) => numbered(changed(item), versionOf(item)! + rows));
    this.#items = { append: items, upsert: newer };
    const sum = (all: readonly T[]) => all.reduce((total, item) => total + versionOf(item)!, 0);
    this.#sums = { append: sum(items), upsert: sum(newer) };
  }

  async compare(workload: Workload): Promise<Compared> {
    const { ours } = this.#ways;
    const strategies = STRATEGIES[workload];
    const warm: Run[] = [];
    for (const strategy of strategies) {
      const run = await this.#time(workload, this.#ways.byHand(strategy));
      this.#report({ workload, who: `by hand, ${strategy}, once`, ...run });
      warm.push(run);
    }
    await this.#time(workload, ours);
    const fastest = warm.reduce((best, run, i) => (run.rowsPerSec > warm[best]!.rowsPerSec ? i : best), 0);
    const strategy = strategies[fastest]!;
    const byHand = this.#ways.byHand(strategy);
    const turns: { readonly hand: Run; readonly own: Run }[] = [];
    for (let turn = 0; turn < this.#turns; turn++) {
      // The order alternates as well, because each run leaves the machine in a different state.
      if (turn % 2 === 0) {
        const hand = await this.#time(workload, byHand);
        turns.push({ hand, own: await this.#time(workload, ours) });
      } else {
        const own = await this.#time(workload, ours);
        turns.push({ own, hand: await this.#time(workload, byHand) });
      }
    }
    const own = medianOf(turns.map((turn) => turn.own));
    const ratio = median(turns.map((turn) => turn.own.rowsPerSec / turn.hand.rowsPerSec));
    this.#report({ workload, who: `by hand, ${strategy}`, ...medianOf(turns.map((turn) => turn.hand)) });
    this.#report({ workload, who: 'sluice', ...own, ratio });
    return { ratio, rowsPerSec: own.rowsPerSec };
  }

  /** Leaves nothing that the server would tidy up while the next table is measured. */
  async drop(): Promise<void> {
    await this.#pool.query(`DROP TABLE IF EXISTS ${this.#name}`);
  }

  async #time(workload: Workload, write: Write<T>): Promise<Run> {
    const pool = this.#pool;
    await this.drop();
    await pool.query(this.#ways.statements.create);
    if (workload === 'upsert') await this.#ways.byHand('copy')(pool, this.#former);
    await pool.query(`VACUUM ANALYZE ${this.#name}`);
    await pool.query('CHECKPOINT');
    collectGarbage();
    const cpu = process.cpuUsage();
    const startedAt = process.hrtime.bigint();
    await write(pool, this.#items[workload]);
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
    const { user, system } = process.cpuUsage(cpu);
    const { rows } = await pool.query<{ count: number; sum: number }>(
      `SELECT count(*)::int AS count, sum(seq)::float8 AS sum FROM ${this.#name}`,
    );
    if (rows[0]?.count !== this.#rows || rows[0].sum !== this.#sums[workload]) {
      throw new Error(`the table ${this.#name} is not what ${workload} wrote`);
    }
    return { rowsPerSec: this.#rows / seconds, cpuSeconds: (user + system) / 1e6 };
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose_gc');
  runInNewContext('gc')();
}

function medianOf(runs: readonly Run[]): Run {
  return {
    rowsPerSec: median(runs.map((run) => run.rowsPerSec)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
  };
}
