import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import { sqlStateOf } from '../../failures/sqlState.js';
import { duration, func, having, type OptionsOf, readArgument, readOptions, text } from '../../primitives/options.js';
import { Timer } from '../../primitives/timer.js';
import { qualify } from '../identifiers.js';
import type { Pool, PoolClient } from '../pool.js';
import { gapsTable } from '../recordTables.js';
import { readWithin } from './readWithin.js';
import { finite } from './rows.js';
import { StoreReadError } from './storeReadError.js';

export interface OpenGapsConfig {
  /** How long after an answer it is asked again, in milliseconds. At least 100, default 15,000. */
  readonly everyMs?: number;
  /** The schema of the table `gaps`. Default: the connection's `search_path`. */
  readonly schema?: string;
  /** How long an answer may take, the wait for a connection included, in milliseconds. Above 0, default 10,000. */
  readonly timeoutMs?: number;
  /**
   * Receives why the store could not be read, for the log: once for each message in a row, however often it fails. What it throws is
   * ignored. Default: nobody.
   */
  readonly onError?: (error: StoreReadError) => void;
  /** Where it waits. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

const OPTIONS = {
  everyMs: duration({ min: 100 }).default(15_000),
  schema: text(),
  timeoutMs: duration({ above: 0 }).default(10_000),
  onError: func(),
  scheduler: having('now', 'schedule'),
} satisfies OptionsOf<OpenGapsConfig>;

/** The open gaps of one cause. */
export interface OpenGapsCount {
  readonly cause: string;
  readonly open: number;
  /** The end of the span of the oldest one, in epoch milliseconds. */
  readonly oldest: number;
}

/** The open gaps of a store, as they were when it was asked last. */
export interface OpenGapsPoller {
  /** How many are open; `undefined` before the first answer, after a question that failed, and while nobody shows it. */
  readonly open: number | undefined;
  /** The same by cause, those that have any. */
  readonly byCause: readonly OpenGapsCount[] | undefined;
  /** Asks now, and again from time to time. The telemetry of a pipeline calls it when the pipeline begins; several may share it. */
  begin(): void;
  /**
   * Called as often as `begin()`, the last time it asks no more, releases the connection of a question under way, and knows nothing. The
   * telemetry calls it when a pipeline is over.
   */
  end(): void;
}

interface Row {
  readonly cause: string;
  readonly open: string;
  readonly micros: string;
}

/** What Postgres answers where a table, or its schema, is not there. */
const MISSING = ['42P01', '3F000'];

/**
 * Asks a store from time to time which gaps are open: what `telemetry.pipeline(name, { gaps })` shows as `sluice_gaps_open` and
 * `sluice_gaps_oldest_seconds`, by cause. It asks while the pipeline runs, with one query by the index of the states, and never
 * a second time before the answer is there; between two questions it holds no connection.
 *
 * A store that cannot be read makes the numbers unknown rather than 0, and so does one whose table `gaps` is not there yet, which is
 * no error: a sink makes it with the first gap.
 *
 * @example
 * ```ts
 * import { openGaps, openStore } from 'sluice/postgres';
 * import { pipelineTelemetry } from 'sluice/telemetry';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const telemetry = pipelineTelemetry();
 * const gaps = openGaps(store.pool, { everyMs: 15_000, onError: (error) => console.error(error.message) });
 * const observer = telemetry.pipeline('market-data', { gaps });
 * console.log(typeof observer.attach);
 * await store.close();
 * ```
 */
export function openGaps(pool: Pool, config: OpenGapsConfig = {}): OpenGapsPoller {
  readArgument('openGaps', 'pool', pool, having('connect'));
  const { everyMs, schema, timeoutMs, onError, scheduler = asyncScheduler } = readOptions('openGaps', config, OPTIONS);
  const table = qualify(gapsTable.name, schema);
  let byCause: readonly OpenGapsCount[] | undefined;
  /** How many pipelines show it. */
  let users = 0;
  let asking: Subscription | undefined;
  /** What was told since the last answer. */
  let told: string | undefined;

  const ask = () => {
    asking = readWithin(pool, (client) => read(client, table), timeoutMs).subscribe({
      next(found) {
        byCause = found;
        told = undefined;
        again();
      },
      error(cause: unknown) {
        byCause = undefined;
        if (!MISSING.includes(sqlStateOf(cause) ?? ''))
          tell(new StoreReadError(table, { cause, remedy: 'it is asked again' }));
        again();
      },
    });
  };
  const again = () => {
    if (users > 0) timer.set(everyMs);
  };
  const tell = (error: StoreReadError) => {
    if (error.message === told) return;
    told = error.message;
    try {
      onError?.(error);
    } catch {
      // A log that fails is no reason to know less.
    }
  };
  const timer = new Timer(scheduler, ask);

  return {
    get open() {
      return byCause?.reduce((sum, { open }) => sum + open, 0);
    },
    get byCause() {
      return byCause;
    },
    begin() {
      users += 1;
      if (users === 1) ask();
    },
    end() {
      if (users === 0) return;
      users -= 1;
      if (users > 0) return;
      timer.cancel();
      asking?.unsubscribe();
      // Nobody knows how it goes on.
      byCause = undefined;
    },
  };
}

async function read(client: PoolClient, table: string): Promise<readonly OpenGapsCount[]> {
  const { rows } = await client.query<Row>(
    `SELECT item.cause, count(*) AS open, (extract(epoch FROM min(item.to_ts)) * 1000000)::int8 AS micros
       FROM ${table} AS item WHERE item.state = 'open' AND ${finite('to_ts')} GROUP BY item.cause ORDER BY item.cause`,
  );
  return rows.map(({ cause, open, micros }) => ({ cause, open: Number(open), oldest: Number(micros) / 1000 }));
}
