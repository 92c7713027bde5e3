import type pg from 'pg';
import { EMPTY, lastValueFrom, type Observable, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withContext } from '../../src/flow/withContext.js';
import { type Gap, gapSeq } from '../../src/market/gap.js';
import type { MarketEvent } from '../../src/market/recordKinds.js';
import type { Trade } from '../../src/market/trade.js';
import { route } from '../../src/operators/route.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { migrate } from '../../src/postgres/migrate/migrate.js';
import { storeLedger } from '../../src/postgres/read/storeLedger.js';
import { backfill } from '../../src/providers/backfill/backfill.js';
import type { BackfillConfig } from '../../src/providers/backfill/backfillConfig.js';
import type { HistoryRange } from '../../src/providers/provider.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import { gapAt, pagesOf, pastOf, tradeAt } from '../support/backfills.js';
import { write } from './bars.js';
import { storedGaps } from './events.js';

const SYMBOLS = ['A', 'B', 'C'];
const TRUTH = SYMBOLS.flatMap((symbol) => Array.from({ length: 500 }, (_, n) => tradeAt(n * 10, { symbol })));
const GAPS = SYMBOLS.flatMap((symbol) => [gapAt(500, 1_500, { symbol }), gapAt(1_400, 3_000, { symbol })]);
const lost = ({ ts, symbol }: Trade) => GAPS.some((gap) => gap.symbol === symbol && ts > gap.from && ts < gap.to);

describe('backfill into Postgres', () => {
  const database = freshDatabase();
  let pool: pg.Pool;
  const stopping = new Subject<void>();

  beforeEach(async () => {
    pool = database.pool({ max: 12 });
    await pool.query('DROP TABLE IF EXISTS trades, gaps, sluice_migrations');
    await migrate(pool);
  });
  afterEach(() => stopping.next());

  const history = (range: HistoryRange) => pagesOf(TRUTH, range, 50);

  /** A pipeline that ends when its live part has, and every gap that it knows was tried. */
  function pipeline(live$: Observable<MarketEvent>, config: Partial<BackfillConfig> = {}) {
    const provider = pastOf(history);
    const toStore = backfill({ providers: [provider], ledger: storeLedger(pool), chunkMs: 700, ...config });
    const written$ = live$.pipe(
      toStore,
      route('kind', {
        trade: (trades$) => trades$.pipe(writeCoordinator(tradesSink(pool), { workers: 2 })),
        gap: (gaps$) => gaps$.pipe(writeCoordinator(gapsSink(pool), { workers: 1 })),
        otherwise: (others$) => others$,
      }),
    );
    return { provider, written$: written$.pipe(withContext({ stopping })) };
  }

  const run = (written$: Observable<unknown>) => lastValueFrom(written$, { defaultValue: undefined });
  const whole = async () =>
    (await storedGaps(pool)).filter((gap) => GAPS.some(({ from, to }) => gap.from === from && gap.to === to));
  const countOf = async () => Number((await pool.query('SELECT count(*) AS n FROM trades')).rows[0].n);

  it('closes what is open, with the rows counted in the table', async () => {
    await write(
      tradesSink(pool),
      TRUTH.filter((one) => !lost(one)),
    );
    await write(gapsSink(pool), GAPS);
    const { written$ } = pipeline(EMPTY);
    await run(written$);
    expect(await countOf()).toBe(TRUTH.length);
    const closed = await whole();
    expect(closed.map(({ symbol, state, rows }) => [symbol, state, rows]).sort()).toEqual(
      SYMBOLS.flatMap((symbol) => [
        [symbol, 'filled', 101],
        [symbol, 'filled', 161],
      ]),
    );
    for (const gap of closed) {
      const { rows } = await pool.query('SELECT count(*) AS n FROM trades WHERE symbol = $1 AND ts BETWEEN $2 AND $3', [
        ...[gap.symbol, new Date(gap.from), new Date(gap.to)],
      ]);
      expect(Number(rows[0].n)).toBe(gap.rows);
    }
  });

  it('two of them on one table may both repair: rows are written once, and gaps close once', async () => {
    await write(
      tradesSink(pool),
      TRUTH.filter((one) => !lost(one)),
    );
    await write(gapsSink(pool), GAPS);
    const one = pipeline(EMPTY);
    const other = pipeline(EMPTY, { chunkMs: 450 });
    await Promise.all([run(one.written$), run(other.written$)]);
    expect(await countOf()).toBe(TRUTH.length);
    const closed = await whole();
    expect(closed).toHaveLength(GAPS.length);
    expect(new Set(closed.map(({ state }) => state))).toEqual(new Set(['filled']));
    // An open state that comes late changes nothing.
    await write(
      gapsSink(pool),
      GAPS.map((gap) => ({ ...gap, seq: gapSeq('open', Date.now() + 1e9) })),
    );
    expect(await whole()).toEqual(closed);
    const third = pipeline(EMPTY);
    await run(third.written$);
    expect(third.provider.asked).toEqual([]);
  });

  it('leaves a gap open whose rows the table refuses, and closes it when they are let in', async () => {
    await pool.query("ALTER TABLE trades ADD CONSTRAINT no_seven CHECK (id <> '700')");
    const [gap] = GAPS as [Gap];
    await write(gapsSink(pool), [gap]);
    const letters: unknown[] = [];
    const left: string[] = [];
    const live$ = new Subject<MarketEvent>();
    const deadLetters = {
      append(items: unknown) {
        letters.push(items);
        return EMPTY;
      },
    };
    const written$ = live$.pipe(
      (source$) =>
        source$.pipe(
          backfill({
            providers: [pastOf(history)],
            ledger: storeLedger(pool),
            proofTimeoutMs: 700,
            onLeftOpen: (one) => left.push(one.why),
          }),
        ),
      route('kind', {
        trade: (trades$) => trades$.pipe(writeCoordinator(tradesSink(pool), { workers: 1, policies: { deadLetters } })),
        gap: (gaps$) => gaps$.pipe(writeCoordinator(gapsSink(pool), { workers: 1 })),
        otherwise: (others$) => others$,
      }),
    );
    live$.complete();
    await run(written$);
    expect(left).toEqual(['missing']);
    const [open] = await whole();
    expect(open).toMatchObject({
      state: 'open',
      reason: expect.stringMatching(/^1 of the 101 records that toy answered are not in the store/),
    });
    expect(letters.length).toBeGreaterThan(0);
    await pool.query('ALTER TABLE trades DROP CONSTRAINT no_seven');
    await run(pipeline(EMPTY).written$);
    expect((await whole())[0]).toMatchObject({ state: 'filled', rows: 101 });
  });
});
