import { lastValueFrom, of, toArray } from 'rxjs';
import { expect, it } from 'vitest';
import { writeTo } from '../../src/operators/writeTo.js';
import { tableSink } from '../../src/postgres/tableSink.js';
import { storedTrades, type Trade, trade, trades } from '../support/trades.js';
import { write } from './bars.js';
import { tableSemantics } from './tableSemantics.js';

tableSemantics<Trade>({
  table: 'trades',
  sink: (pool, config) => tableSink(pool, trades, config),
  item: (i, fields) => trade({ id: `t${i}`, ...fields }),
  versions: [
    { price: 99.5, tags: ['odd-lot', 'late'] },
    { price: 100.25, tags: null, symbol: 'ACME.B', at: Date.UTC(2024, 0, 2, 14, 31) },
  ],
  neighbours: [{ venue: 'XNYS' }, { id: 'T0' }],
  lane: 'ACME',
  stored: storedTrades,
  version: 'revision',
  poison: [
    ['a price that is a text', { price: '99.5' }, '22P02', 'price'],
    ['tags that are one text', { tags: 'late' }, '22P02', 'tags'],
    ['no time', { at: Number.NaN }, '22008', 'at'],
    ['NUL in the key', { id: 'a\0b' }, '22021', 'id'],
    ['a version that is a fraction', { seq: 0.5 }, '22003', 'revision'],
  ],
  refused: [
    ['price', 'numeric', 'float8'],
    ['tags', 'text', 'text[]'],
  ],
  further: (sink, pool) => {
    it('diverts alone an item that the table refuses, and writes the others', async () => {
      await write(sink(), [trade({ id: 'first' })]);
      await pool().query('ALTER TABLE trades ADD CONSTRAINT "price is real" CHECK (price > 0)');
      const batch = Array.from({ length: 60 }, (_, i) => trade({ id: `t${i}`, price: i === 17 ? -1 : 100 + i }));
      const refused: unknown[] = [];
      const deadLetters = {
        append: ({ items, reason, error }: { items: readonly Trade[]; reason: string; error: unknown }) => {
          refused.push([items.map(({ id }) => id), reason, (error as { sqlState?: string }).sqlState]);
          return of(undefined);
        },
      };
      const outcomes = await lastValueFrom(of(batch).pipe(writeTo<Trade>(sink(), { deadLetters }), toArray()));
      expect(refused).toEqual([[['t17'], 'poison', '23514']]);
      expect(outcomes.reduce((rows, outcome) => rows + outcome.rows, 0)).toBe(59);
      expect(await storedTrades(pool())).toHaveLength(60);
    });
  },
});
