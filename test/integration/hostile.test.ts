import type pg from 'pg';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Sink, WriteReceipt } from '../../src/contracts/sink.js';
import type { TableSinkConfig } from '../../src/postgres/tableSink.js';
import { barsSink } from '../../src/sinks/barsSink.js';
import { fundamentalsSink } from '../../src/sinks/fundamentalsSink.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { optionsSink } from '../../src/sinks/optionsSink.js';
import { tradesSink } from '../../src/sinks/tradesSink.js';
import { bar, write } from './bars.js';
import { CORPUS } from './corpus.js';
import {
  figure,
  gap,
  newsItem,
  option,
  storedBars,
  storedFundamentals,
  storedGaps,
  storedNews,
  storedOptions,
  storedTrades,
  trade,
} from './events.js';
import { inEachPlace } from './places.js';

/** So many letters that do not compress, from a generator that is the same every time. */
function noise(length: number): string {
  let state = 12_345;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += (state >>> 8).toString(36);
  }
  return text.slice(0, length);
}

interface Target<T> {
  readonly table: string;
  readonly sink: (pool: pg.Pool, config: TableSinkConfig) => Sink<T>;
  readonly stored: (pool: pg.Pool) => Promise<readonly T[]>;
  /** An item with its own key, and with these texts besides. */
  readonly item: (i: number, texts: object) => T;
  readonly keyTexts: readonly string[];
  readonly otherTexts: readonly string[];
}

/** A table, and how items put together of hostile texts, field by field, are written into it. */
function target<T extends object>(of: Target<T>) {
  const writer = (pool: pg.Pool, config: TableSinkConfig) => {
    const sink = of.sink(pool, config);
    return (items: readonly object[]) => write(sink, items as readonly T[]);
  };
  const item = (i: number, texts: object): object => of.item(i, texts);
  const stored = (pool: pg.Pool): Promise<readonly object[]> => of.stored(pool);
  const { table, keyTexts, otherTexts } = of;
  return { table, keyTexts, otherTexts, item, stored, writer };
}

const TARGETS = [
  target({
    table: 'bars',
    sink: barsSink,
    stored: storedBars,
    item: (i, texts) => bar({ ts: i * 60_000, ...texts }),
    keyTexts: ['vendor', 'symbol', 'timeframe'],
    otherTexts: [],
  }),
  target({
    table: 'options_snap',
    sink: optionsSink,
    stored: storedOptions,
    item: (i, texts) => option({ strike: i + 1, ...texts }),
    keyTexts: ['vendor', 'symbol', 'optionType'],
    otherTexts: [],
  }),
  target({
    table: 'news',
    sink: newsSink,
    stored: storedNews,
    // The vendor or the id makes the key, whichever is not the text.
    item: (i, texts) => newsItem({ id: `n${i}`, ...('id' in texts ? { vendor: `v${i}` } : {}), ...texts }),
    keyTexts: ['vendor', 'id'],
    otherTexts: ['title', 'url', 'symbols'],
  }),
  target({
    table: 'fundamentals',
    sink: fundamentalsSink,
    stored: storedFundamentals,
    item: (i, texts) => figure({ metric: `m${i}`, ...('metric' in texts ? { vendor: `v${i}` } : {}), ...texts }),
    keyTexts: ['vendor', 'symbol', 'timeframe', 'metric'],
    otherTexts: ['unit'],
  }),
  target({
    table: 'trades',
    sink: tradesSink,
    stored: storedTrades,
    item: (i, texts) => trade({ ts: i * 60_000, ...texts }),
    keyTexts: ['vendor', 'symbol', 'id'],
    otherTexts: ['venue', 'conditions'],
  }),
  target({
    table: 'gaps',
    sink: gapsSink,
    // An empty timeframe is none.
    stored: async (pool) => (await storedGaps(pool)).map((one) => ({ timeframe: '', ...one })),
    item: (i, texts) => gap({ from: i * 60_000, to: i * 60_000, ...texts }),
    keyTexts: ['vendor', 'symbol', 'of', 'timeframe'],
    otherTexts: ['reason'],
  }),
];

const columnOf: Readonly<Record<string, string>> = {
  optionType: 'option_type',
  of: 'of_kind',
};
const valueIn = (field: string, text: string) =>
  field === 'symbols' || field === 'conditions' ? ['A', text, text] : text;
const sorted = (items: readonly object[]) => items.map((item) => JSON.stringify(item, Object.keys(item).sort())).sort();

inEachPlace(({ pool: poolOf, strategies }) => {
  describe.each(strategies)('by %s', (strategy) => {
    describe.each(TARGETS)('$table', ({ table, writer, stored, item, keyTexts, otherTexts }) => {
      let pool: pg.Pool;
      let writeAll: (items: readonly object[]) => Promise<WriteReceipt>;
      beforeEach(async () => {
        pool = poolOf();
        await pool.query(`DROP TABLE IF EXISTS ${table}`);
        writeAll = writer(pool, { strategy });
      });
      const good = Array.from({ length: 60 }, (_, i) => item(10_000 + i, {}));

      it.each([...keyTexts, ...otherTexts])('holds every text of the corpus as it is in %s', async (field) => {
        const items = CORPUS.map((text, i) => item(i, { [field]: valueIn(field, text) }));
        expect(await writeAll(items)).toEqual({ rows: CORPUS.length });
        expect(sorted(await stored(pool))).toEqual(sorted(items));
        // Each is found again by its key, and none by another's.
        expect(await writeAll(items)).toEqual({ rows: 0 });
        const newer = items.map((each) => ({ ...each, seq: 2 }));
        expect(await writeAll(newer)).toEqual({ rows: CORPUS.length });
        expect(sorted(await stored(pool))).toEqual(sorted(newer));
      });

      it('holds them in all texts at once', async () => {
        const items = CORPUS.map((text, i) =>
          item(i, Object.fromEntries([...keyTexts, ...otherTexts].map((field) => [field, valueIn(field, text)]))),
        );
        expect(await writeAll(items)).toEqual({ rows: CORPUS.length });
        expect(sorted(await stored(pool))).toEqual(sorted(items));
      });

      it.each(keyTexts)('calls a %s poison that does not fit into the index, and goes on', async (field) => {
        const batch = [...good, item(0, { [field]: noise(6000) })];
        await expect(writeAll(batch)).rejects.toMatchObject({
          name: 'StoreError',
          code: 'SLUICE_STORE_VALUE',
          sqlState: '54000',
          message: expect.stringContaining('must be shorter'),
        });
        expect(await writeAll(good)).toEqual({ rows: good.length });
        expect(sorted(await stored(pool))).toEqual(sorted(good));
      });

      it.each(keyTexts)('holds a %s of two thousand letters that do not compress', async (field) => {
        const items = [...good, item(0, { [field]: noise(2000) })];
        expect(await writeAll(items)).toEqual({ rows: items.length });
        expect(sorted(await stored(pool))).toEqual(sorted(items));
      });

      if (otherTexts.length > 0) {
        it.each(otherTexts)('holds a %s of a million letters', async (field) => {
          const items = [...good, item(0, { [field]: valueIn(field, `"\\${noise(1_000_000)}é`) })];
          expect(await writeAll(items)).toEqual({ rows: items.length });
          expect(sorted(await stored(pool))).toEqual(sorted(items));
        });
      }

      it.each(
        [...keyTexts, ...otherTexts].flatMap((field) => [
          [field, 'NUL', 'NUL', 'A\0B'],
          [field, 'NUL in a long text', 'NUL', `${'é'.repeat(100)}\0`],
          [field, 'the first half of a character', 'well-formed Unicode', 'A\ud83d'],
          [field, 'the second half of one', 'well-formed Unicode', `\ude00${'x'.repeat(100)}`],
        ]),
      )('refuses in %s %s as poison with a reason', async (field, _what, reason, text) => {
        const batch = [...good, item(0, { [field!]: valueIn(field!, text!) })];
        const column = columnOf[field!] ?? field;
        await expect(writeAll(batch)).rejects.toMatchObject({
          name: 'StoreError',
          code: 'SLUICE_STORE_VALUE',
          sqlState: '22021',
          field: column,
          message: expect.stringMatching(new RegExp(`^${column} must be (text without )?${reason}`)),
        });
        expect(await writeAll(good)).toEqual({ rows: good.length });
        expect(await stored(pool)).toHaveLength(good.length);
      });
    });
  });
});
