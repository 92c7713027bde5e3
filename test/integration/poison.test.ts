import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  openDeadLetters,
  readDeadLetters,
  replayDeadLetters,
  type StoredLetter,
} from '../../src/dead-letters/index.js';
import type { Bar } from '../../src/market/bar.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { run } from '../../src/pipelines/run.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fromIterable } from '../../src/sources/fromIterable.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { bar, write } from './bars.js';

const GOOD = 100_000;
const BAD = 1_000;
const SYMBOLS = 50;

/** What a server refuses, each in its way: the state and a part of the message that the letter must have. */
const POISONS: readonly {
  readonly fields: (i: number) => Partial<Bar>;
  readonly state: string;
  readonly said: RegExp;
}[] = [
  {
    fields: (i) => ({ symbol: `P${i}`, volume: -1 }),
    state: '23514',
    said: /violates check constraint "volume_counts"/,
  },
  { fields: (i) => ({ symbol: `P${i}`, close: 1e9 }), state: '22012', said: /division by zero/ },
  { fields: (i) => ({ symbol: `P${i}\0` }), state: '22021', said: /symbol/ },
];

const isBad = ({ symbol }: Bar) => symbol.startsWith('P');

/** 1 % of poison, at places that a seed chooses. */
function mixed(): readonly Bar[] {
  const random = Xoshiro128.fromSeed(7);
  const places = new Set<number>();
  while (places.size < BAD) places.add(random.below(GOOD + BAD));
  let bad = 0;
  let good = 0;
  return Array.from({ length: GOOD + BAD }, (_, place) => {
    if (places.has(place)) {
      const i = bad++;
      return bar({ ...POISONS[i % POISONS.length]!.fields(i), seq: place + 1 });
    }
    const i = good++;
    const ts = Date.UTC(2024, 0, 2) + Math.floor(i / SYMBOLS) * 60_000;
    return bar({ symbol: `S${i % SYMBOLS}`, ts, close: i, seq: place + 1 });
  });
}

/** Good rows by key, as text, so that a difference is told by its row. */
const rowsOf = (bars: readonly Bar[]) =>
  bars.map(({ symbol, ts, close, seq }) => `${symbol} ${ts} ${close} ${seq}`).sort();

async function storedRows(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ row: string }>(
    "SELECT format('%s %s %s %s', symbol, (extract(epoch FROM ts) * 1000)::bigint, close, seq) AS row FROM bars",
  );
  return rows.map(({ row }) => row).sort();
}

describe('1 % poison rows among 100,000 good ones', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  let folder: string;
  beforeAll(() => {
    pool = database.pool({ max: 4 });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-poison-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are diverted, exactly those, with SQLSTATE and message; the others are written; mended, they are replayed', async () => {
    await write(barsSink(pool), [bar()]);
    await pool.query('TRUNCATE bars');
    await pool.query('ALTER TABLE bars ADD CONSTRAINT volume_counts CHECK (volume >= 0)');
    await pool.query(
      'ALTER TABLE bars ADD CONSTRAINT divides CHECK (CASE WHEN close = 1e9 THEN 1 / (close - 1e9) > 0 ELSE true END)',
    );
    const bars = mixed();
    const queue = await openDeadLetters<Bar>(folder, { pipeline: 'poison' });
    try {
      const outcomes$ = fromIterable(bars).pipe(
        writeCoordinator(barsSink(pool), { workers: 4, batchSize: 500, policies: { deadLetters: queue } }),
      );
      const report = await run(outcomes$, { signals: [] });
      expect(report).toMatchObject({
        outcome: 'completed',
        received: GOOD + BAD,
        written: GOOD,
        diverted: BAD,
        held: 0,
      });
      expect(report.divertedBy).toEqual({ poison: BAD });
      expect(await storedRows(pool)).toEqual(rowsOf(bars.filter((one) => !isBad(one))));

      const letters: StoredLetter<Bar>[] = [];
      for await (const letter of readDeadLetters<Bar>(folder)) letters.push(letter);
      const bad = bars.filter(isBad);
      expect(rowsOf(letters.flatMap(({ items }) => items))).toEqual(rowsOf(bad));
      for (const { items, reason, error } of letters) {
        expect(items).toHaveLength(1);
        const { state, said } = POISONS[Number(/\d+/.exec(items[0]!.symbol)![0]) % POISONS.length]!;
        expect({ reason, state: error?.sqlState }).toEqual({ reason: 'poison', state });
        expect(error?.message).toMatch(said);
      }

      await pool.query('ALTER TABLE bars DROP CONSTRAINT volume_counts, DROP CONSTRAINT divides');
      const { written, failedAgain } = await lastValueFrom(
        replayDeadLetters(queue, { sink: barsSink(pool), concurrency: 4 }),
      );
      const hopeless = bad.filter(({ symbol }) => symbol.includes('\0'));
      expect({ written, failedAgain }).toEqual({ written: BAD - hopeless.length, failedAgain: hopeless.length });
      expect(await storedRows(pool)).toEqual(rowsOf(bars.filter((one) => !hopeless.includes(one))));
      expect(queue.stats().open).toEqual({ letters: hopeless.length, items: hopeless.length });
    } finally {
      await queue.close();
    }
  }, 180_000);
});
