import type { PoolClient } from 'pg';
import { lastValueFrom } from 'rxjs';
import { reduce } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { type Bar, barKey } from '../../src/market/bar.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import type { TableSinkConfig } from '../../src/postgres/tableSink.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { synthetic } from '../../src/sources/synthetic.js';
import { syntheticBars } from '../../src/sources/syntheticBars.js';
import { freshDatabase } from '../postgres/freshDatabase.js';

/** What the table must hold: of each key the highest version. Written down here, apart from the code under test. */
function fold(bars: Iterable<Bar>): Bar[] {
  const newest = new Map<string, Bar>();
  for (const bar of bars) {
    const held = newest.get(barKey(bar));
    if (held === undefined || bar.seq! > held.seq!) newest.set(barKey(bar), bar);
  }
  return [...newest.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.ts - b.ts));
}

interface Row {
  readonly vendor: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly ts: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly seq: string;
}

/** The table in the order of its key, a piece at a time. */
async function* rowsOf(client: PoolClient): AsyncGenerator<Row> {
  await client.query(
    `BEGIN; DECLARE stored CURSOR FOR
       SELECT vendor, symbol, timeframe, extract(epoch FROM ts)::float8 * 1000 AS ts, open, high, low, close, volume, seq
         FROM bars ORDER BY symbol COLLATE "C", ts`,
  );
  for (;;) {
    const { rows } = await client.query<Row>('FETCH 20000 FROM stored');
    yield* rows;
    if (rows.length === 0) break;
  }
  await client.query('COMMIT');
}

const asText = ({ vendor, symbol, timeframe, ts, open, high, low, close, volume, seq }: Row | Bar): string =>
  `${vendor} ${symbol} ${timeframe} ${ts} ${open} ${high} ${low} ${close} ${volume} ${seq}`;

describe('a million bars with revisions and duplicates through four lanes', () => {
  const database = freshDatabase();

  it.each<[NonNullable<TableSinkConfig['strategy']>, number, number]>([
    ['auto', 1_000_000, 2_000],
    // The default size of a batch, and each strategy alone, on fewer.
    ['auto', 30_000, 500],
    ['unnest', 30_000, 500],
    ['copyUpsert', 30_000, 500],
    ['copy', 30_000, 500],
  ])(
    'strategy %s, %d bars in batches of %d: the table equals the fold of the same seed',
    async (strategy, count, batchSize) => {
      const pool = database.pool({ max: 5 });
      await pool.query('DROP TABLE IF EXISTS bars');
      const config = { symbols: 500, count, seed: 7, revisions: 0.05, duplicates: 0.02 };
      let written = 0;
      await lastValueFrom(
        synthetic(config).pipe(
          writeCoordinator(barsSink(pool, { strategy }), { workers: 4, batchSize, capacity: batchSize * 8 }),
          reduce((items, outcome) => items + outcome.items.length, 0),
        ),
      ).then((items) => {
        written = items;
      });

      const expected = fold(syntheticBars(config));
      expect(expected).toHaveLength(count);
      expect(written).toBeGreaterThan(count * 1.05);
      const client = await pool.connect();
      let place = 0;
      const wrong: string[] = [];
      for await (const row of rowsOf(client)) {
        const bar = expected[place++];
        if (bar === undefined || asText(row) !== asText(bar)) wrong.push(`${asText(row)} at ${place}`);
        if (wrong.length > 5) break;
      }
      client.release();
      expect(wrong).toEqual([]);
      expect(place).toBe(count);
    },
    120_000,
  );
});
