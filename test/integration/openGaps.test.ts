import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { Subscription } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { type OpenGapsConfig, type OpenGapsPoller, openGaps } from '../../src/postgres/read/openGaps.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { write } from './bars.js';
import { gap } from './events.js';
import { inEachPlace } from './places.js';

const T = Date.UTC(2026, 0, 5, 15);
const missing = (from: number, to: number, fields: Partial<Gap> = {}) =>
  gap({ from: T + from, to: T + to, rows: null, reason: null, seq: 1, ...fields });

const OPEN = [
  missing(100, 200, { cause: 'reconnect' }),
  missing(0, 900.5, { cause: 'reconnect', of: 'trade', timeframe: undefined, rows: 7, reason: 'asked, 3 of 7 came' }),
  missing(300, 400, { cause: 'restart' }),
];
const CLOSED = [
  missing(0, 1, { cause: 'stale', state: 'filled' }),
  missing(0, 2, { cause: 'reconnect', state: 'empty' }),
  missing(0, 3, { cause: 'restart', state: 'abandoned' }),
];

inEachPlace(({ pool: poolOf }) => {
  let pool: pg.Pool;
  beforeEach(async () => {
    pool = poolOf();
    await pool.query('DROP TABLE IF EXISTS gaps');
  });

  /** What the first answer says. */
  async function first(config: OpenGapsConfig = {}) {
    const errors: Error[] = [];
    let gaps: OpenGapsPoller | undefined;
    await new Promise<void>((answered) => {
      // It waits only once it has an answer.
      const schedule = () => {
        answered();
        return Subscription.EMPTY;
      };
      const onError = (error: Error) => void errors.push(error);
      gaps = openGaps(pool, { ...config, scheduler: { now: () => 0, schedule }, onError });
      gaps.begin();
    });
    const { open, byCause } = gaps!;
    gaps!.end();
    expect(gaps!.open).toBe(undefined);
    return { open, byCause, errors };
  }

  describe('openGaps', () => {
    it('counts what is open by cause, with the end of the oldest', async () => {
      await write(gapsSink(pool), [...OPEN, ...CLOSED]);
      expect(await first()).toEqual({
        open: 3,
        byCause: [
          { cause: 'reconnect', open: 2, oldest: T + 200 },
          { cause: 'restart', open: 1, oldest: T + 400 },
        ],
        errors: [],
      });
    });

    it('knows that none is open, and knows nothing of a store without the table', async () => {
      expect(await first()).toEqual({ open: undefined, byCause: undefined, errors: [] });
      await write(gapsSink(pool), CLOSED);
      expect(await first()).toEqual({ open: 0, byCause: [], errors: [] });
      expect(await first({ schema: 'nowhere' })).toEqual({ open: undefined, byCause: undefined, errors: [] });
    });

    it('says why the table cannot be read', async () => {
      await pool.query('CREATE TABLE gaps (vendor text)');
      const { open, errors } = await first();
      expect([open, errors.map(({ message }) => message)]).toEqual([
        undefined,
        [expect.stringContaining('cannot read')],
      ]);
    });
  });

  it('the query of docs/gaps.md shows what is open', async () => {
    const page = readFileSync(new URL('../../docs/gaps.md', import.meta.url), 'utf8');
    const [, sql] = /```sql\n([\s\S]*?)```/.exec(page)!;
    await migrate(pool, {});
    await write(gapsSink(pool), [...OPEN, ...CLOSED]);
    const { rows } = await pool.query(sql!);
    expect(rows).toMatchObject([
      { cause: 'reconnect', of_kind: 'trade', timeframe: null, missing_at_least: '7', reason: 'asked, 3 of 7 came' },
      { cause: 'reconnect', of_kind: 'bar', timeframe: '1m', from_ts: new Date(T + 100), to_ts: new Date(T + 200) },
      { cause: 'restart', vendor: 'test', symbol: 'ACME', reason: null },
    ]);
  });
});
