import type pg from 'pg';
import { from } from 'rxjs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Sink } from '../../src/contracts/sink.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import type { Bar } from '../../src/market/bar.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { letterBox } from '../support/diversions.js';
import { record } from '../support/record.js';
import { bar, write } from './bars.js';

const KEY = 'PRIMARY KEY (vendor, symbol, timeframe, ts)';

/** What a person does to a table while it is written, and how it is mended. */
const REFUSALS: [what: string, refuse: string, mend: string][] = [
  [
    'a new constraint',
    'ALTER TABLE bars ADD CONSTRAINT priced CHECK (close < 0) NOT VALID',
    'ALTER TABLE bars DROP CONSTRAINT priced',
  ],
  [
    'a further column that is NOT NULL',
    `ALTER TABLE bars ADD venue text NOT NULL DEFAULT ''; ALTER TABLE bars ALTER venue DROP DEFAULT`,
    'ALTER TABLE bars ALTER venue DROP NOT NULL',
  ],
  [
    'a reference to what is not there',
    'CREATE TABLE symbols (symbol text PRIMARY KEY); ' +
      'ALTER TABLE bars ADD CONSTRAINT known FOREIGN KEY (symbol) REFERENCES symbols NOT VALID',
    'ALTER TABLE bars DROP CONSTRAINT known; DROP TABLE symbols',
  ],
  [
    'a trigger that raises',
    `CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'closed for today'; END $$; ` +
      'CREATE TRIGGER closed BEFORE INSERT ON bars FOR EACH ROW EXECUTE FUNCTION closed()',
    'DROP TRIGGER closed ON bars; DROP FUNCTION closed',
  ],
];

const barsOf = (count: number, from = 0): Bar[] =>
  Array.from({ length: count }, (_, i) =>
    bar({ symbol: `S${i % 10}`, ts: (from + i) * 60_000, close: i, seq: from + i + 1 }),
  );

describe('a table that refuses every row', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  beforeAll(() => {
    pool = database.pool({ max: 4 });
  });
  beforeEach(async () => {
    await pool.query('DROP TABLE IF EXISTS bars CASCADE');
  });

  function pipeline(sink: Sink<Bar>, bars: readonly Bar[]) {
    const { letters, deadLetters } = letterBox<Bar>();
    const failures: string[] = [];
    const monitor = new PipelineMonitor({
      observer: { writeFailed: (_, { type, class: failureClass }) => void failures.push(`${type} ${failureClass}`) },
    });
    const policies = { deadLetters, breaker: { openMs: 100 } };
    const result = record(
      from(bars).pipe(writeCoordinator(sink, { capacity: bars.length + 1, policies }), withContext({ monitor })),
    );
    return { letters, failures, monitor, result };
  }

  it.each(REFUSALS)('is waited for, and costs no row: %s', async (_, refuse, mend) => {
    // The first look sees a table in order.
    const sink = barsSink(pool);
    await write(sink, barsOf(10));
    await pool.query(refuse);
    const { letters, failures, monitor, result } = pipeline(sink, barsOf(2_000, 1_000));
    await expect.poll(() => failures.some((failure) => failure.endsWith('transient')), { timeout: 20_000 }).toBe(true);
    expect(failures.length).toBeLessThan(200);
    expect(letters).toEqual([]);
    await pool.query(mend);
    await expect.poll(() => result.completed || result.error, { timeout: 20_000 }).toBe(true);
    expect(letters).toEqual([]);
    expect(monitor.account()).toMatchObject({ received: 2_000, written: 2_000, held: 0, conservation: 0 });
    expect((await pool.query('SELECT count(*)::int AS n FROM bars')).rows).toEqual([{ n: 2_010 }]);
  });

  it('is waited for, and costs no row: a missing partition', async () => {
    const columns =
      'vendor text, symbol text, timeframe text, ts timestamptz, open float8, high float8, low float8, close float8, ' +
      'volume float8, is_final bool, is_complete bool, trades int8, vwap float8, seq int8';
    await pool.query(`CREATE TABLE bars (${columns}, ${KEY}) PARTITION BY RANGE (ts)`);
    const { letters, failures, monitor, result } = pipeline(barsSink(pool), barsOf(2_000, 1_000));
    await expect
      .poll(() => failures.some((failure) => failure === 'SLUICE_TABLE_REFUSED transient'), { timeout: 20_000 })
      .toBe(true);
    expect(letters.length).toBeLessThan(5);
    await pool.query('CREATE TABLE bars_all PARTITION OF bars DEFAULT');
    await expect.poll(() => result.completed || result.error, { timeout: 20_000 }).toBe(true);
    expect(letters.length).toBeLessThan(5);
    expect(monitor.account()).toMatchObject({ received: 2_000, held: 0, conservation: 0 });
  });
});
