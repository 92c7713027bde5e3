import { lastValueFrom, of } from 'rxjs';
import { expect, it } from 'vitest';
import type { Diversion } from '../../src/contracts/diversion.js';
import type { NewsItem } from '../../src/market/newsItem.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { newsSink } from '../../src/sinks/newsSink.js';
import { write } from './bars.js';
import { newsItem, storedNews } from './events.js';
import { tableSemantics } from './tableSemantics.js';

tableSemantics({
  table: 'news',
  sink: newsSink,
  item: (i, fields) => newsItem({ id: `n${i}`, ...fields }),
  versions: [
    { title: 'Acme beats', symbols: ['ACME'], sentiment: 0.5 },
    {
      title: 'Correction: Acme misses',
      symbols: [],
      sentiment: null,
      url: 'https://example.com/2',
      publishedAt: Date.UTC(2024, 0, 3),
    },
  ],
  neighbours: [{ vendor: 'other' }, { id: 'N0' }],
  lane: 'n0',
  stored: storedNews,
  poison: [
    ['symbols that are one text', { symbols: 'ACME' }, '22P02', 'symbols'],
    ['no symbols', { symbols: null }, '22P02', 'symbols'],
    ['a symbol that is null', { symbols: ['A', null] }, '22P02', 'symbols'],
    ['a symbol that is a number', { symbols: [5] }, '22P02', 'symbols'],
    ['NUL in a symbol', { symbols: ['A', 'B\0'] }, '22021', 'symbols'],
    ['half a character in a symbol', { symbols: ['\ud800'] }, '22021', 'symbols'],
    ['no title', { title: null }, '22P02', 'title'],
    ['NUL in a long title', { title: `${'x'.repeat(200)}\0` }, '22021', 'title'],
    ['half a character in a long title', { title: `\udfff${'é'.repeat(200)}` }, '22021', 'title'],
    ['an id that is a number', { id: 5 }, '22P02', 'id'],
    ['a sentiment that is a text', { sentiment: 'good' }, '22P02', 'sentiment'],
  ],
  refused: [
    ['symbols', 'text', 'text[]'],
    ['symbols', 'character varying[]', 'text[]'],
    ['published_at', 'date', 'timestamptz'],
  ],
  further: (sink, pool) => {
    it('stores arrays of any length, which differ from their texts', async () => {
      const lists = [[], [''], ['{}'], ['A,B'], ['A', 'B'], Array.from({ length: 3000 }, (_, i) => `S${i}`), ['NULL']];
      await write(
        sink(),
        lists.map((symbols, i) => newsItem({ id: `${i}`, symbols })),
      );
      expect((await storedNews(pool())).map(({ symbols }) => symbols)).toEqual(lists);
      const { rows } = await pool().query<{ dimensions: number | null }>(
        'SELECT array_ndims(symbols) AS dimensions FROM news ORDER BY id',
      );
      // An array without elements has no dimensions, as one that Postgres makes itself.
      expect(rows.map(({ dimensions }) => dimensions)).toEqual([null, 1, 1, 1, 1, 1, 1]);
      expect((await pool().query("SELECT id FROM news WHERE symbols @> '{B}'")).rows).toEqual([{ id: '4' }]);
    });

    it('takes what a column of the table does not hold for poison, and names it where the server does', async () => {
      await write(sink(), [newsItem()]);
      await pool().query('ALTER TABLE news ALTER title TYPE varchar(12)');
      const strict = newsSink(pool());
      const items = Array.from({ length: 60 }, (_, i) =>
        newsItem({ id: `i${i}`, title: i === 40 ? 'far too long!' : 'fits' }),
      );
      const byServer = (await pool().query<{ version: string }>('SELECT version()')).rows[0]!.version;
      await expect(write(strict, items)).rejects.toMatchObject({
        code: 'SLUICE_STORE_VALUE',
        sqlState: '22001',
        // 60 rows are copied where there is COPY, and that says where it stood.
        field: /emscripten|emcc/i.test(byServer) ? undefined : 'title',
      });
      expect(
        await write(
          strict,
          items.filter((_, i) => i !== 40),
        ),
      ).toEqual({ rows: 59 });
    });

    it('gives an item one number for the table and the dead letters, in whatever parts its batch is written', async () => {
      const unnumbered = Array.from({ length: 60 }, (_, i) => {
        const { seq: _seq, ...item } = newsItem({ id: `i${i}`, title: i === 17 ? 'A\0' : 'fits' });
        return item;
      });
      const letters: NewsItem[] = [];
      const deadLetters = {
        append: ({ items }: Diversion<NewsItem>) => {
          letters.push(...items);
          return of(undefined);
        },
      };
      const started = Date.now() * 1000;
      await lastValueFrom(of(unnumbered).pipe(writeTo<NewsItem>(sink(), { deadLetters })));
      expect(letters.map(({ id }) => id)).toEqual(['i17']);
      const seqs = [...(await storedNews(pool())), ...letters].map(({ seq }) => seq!).sort((a, b) => a - b);
      // One number an item, given at once: whoever writes the letter again later does not overwrite what is newer by then.
      expect(seqs).toEqual(Array.from({ length: 60 }, (_, i) => seqs[0]! + i));
      expect(seqs[0]).toBeGreaterThanOrEqual(started);
    });
  },
});
