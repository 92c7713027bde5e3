import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesMerge } from './seriesMerge.js';

interface Row {
  readonly micros: number;
  readonly series: string;
}

/** Reads everything through a merge, as a store would answer it. */
function readAll(store: ReadonlyMap<string, readonly number[]>, pageSize: number, from: number) {
  const merge = new SeriesMerge<Row>(['v'], [...store.keys()], pageSize, from);
  const pages: Row[][] = [];
  let rowsRead = 0;
  let held = 0;
  let mostHeld = 0;
  for (let wanted = merge.wanted(); wanted; wanted = merge.wanted()) {
    const { limit, froms, symbols } = wanted;
    const answers = symbols.map((symbol, i) =>
      store
        .get(symbol!)!
        .filter((micros) => micros >= froms[i]!)
        .slice(0, limit)
        .map((micros) => ({ micros, row: { micros, series: symbol! } })),
    );
    const count = answers.flat().length;
    rowsRead += count;
    mostHeld = Math.max(mostHeld, held + count);
    const page = merge.add(answers);
    held += count - page.length;
    pages.push(page);
  }
  return { pages, rowsRead, held, mostHeld };
}

const instants = fc
  .uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 })
  .map((all) => all.sort((a, b) => a - b));

describe('SeriesMerge', () => {
  it('gives what a sort of everything would, each row read once, and no instant in two pages', () => {
    fc.assert(
      fc.property(
        fc.array(instants, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 30 }),
        (lists, pageSize, from) => {
          const store = new Map(lists.map((list, i) => [`s${i}`, list]));
          const { pages, rowsRead, held, mostHeld } = readAll(store, pageSize, from);
          const names = [...store.keys()];
          const expected = [...store]
            .flatMap(([series, list]) => list.filter((micros) => micros >= from).map((micros) => ({ micros, series })))
            .sort((a, b) => a.micros - b.micros || names.indexOf(a.series) - names.indexOf(b.series));
          expect(pages.flat()).toEqual(expected);
          expect(rowsRead).toBe(expected.length);
          expect(held).toBe(0);
          const full = pages.filter((page) => page.length > 0);
          for (let i = 1; i < full.length; i++)
            expect(full[i]![0]!.micros).toBeGreaterThan(full[i - 1]!.at(-1)!.micros);
          // A series is topped up before it is empty, by at most as much again as half of it.
          expect(mostHeld).toBeLessThanOrEqual(1.5 * Math.max(pageSize + lists.length, 4 * lists.length));
        },
      ),
      { seed: 11, numRuns: 500 },
    );
  });

  it('gives a page at each round while there is one, so that a reader gets on', () => {
    const store = new Map([
      ['dense', Array.from({ length: 1_000 }, (_, i) => i)],
      ['sparse', [0, 500, 999]],
    ]);
    const { pages } = readAll(store, 100, 0);
    expect(pages.every((page) => page.length > 0)).toBe(true);
    expect(pages.length).toBeLessThan(25);
  });

  it('asks for more of those that are left when others have ended', () => {
    const merge = new SeriesMerge<string>(['v', 'w'], ['A', 'B'], 100, 7);
    expect(merge.wanted()).toEqual({
      vendors: ['v', 'v', 'w', 'w'],
      symbols: ['A', 'B', 'A', 'B'],
      froms: [7, 7, 7, 7],
      afters: [null, null, null, null],
      limit: 25,
    });
    const rows = Array.from({ length: 25 }, (_, i) => ({ micros: 10 + i, row: `${i}` }));
    expect(merge.add([rows, [], [], []])).toHaveLength(25);
    expect(merge.wanted()).toEqual({ vendors: ['v'], symbols: ['A'], froms: [35], afters: [null], limit: 100 });
  });

  it('gives the rows of one instant in order of series and tie, each once, also where a page ends among them', () => {
    // Instants with many rows, so that pages and limits end within them.
    const rowsOf = fc
      .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 10, max: 40 })), {
        maxLength: 40,
        selector: String,
      })
      .map((all) =>
        all.sort(([a, i], [b, k]) => a - b || i - k).map(([micros, tie]) => ({ micros, tie: String(tie) })),
      );
    fc.assert(
      fc.property(
        fc.array(rowsOf, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 2 }),
        (lists, pageSize, from) => {
          const merge = new SeriesMerge<string>(
            ['v'],
            lists.map((_, i) => String(i)),
            pageSize,
            from,
          );
          const pages: string[][] = [];
          let rowsRead = 0;
          for (let wanted = merge.wanted(); wanted; wanted = merge.wanted()) {
            const { limit, froms, afters, symbols } = wanted;
            const answers = symbols.map((symbol, i) => {
              const isNext = ({ micros, tie }: { micros: number; tie: string }) =>
                micros > froms[i]! || (micros === froms[i]! && (afters[i] === null || tie > afters[i]!));
              const rows = lists[Number(symbol)]!.filter(isNext).slice(0, limit);
              return rows.map((row) => ({ ...row, row: `${row.micros} ${symbol} ${row.tie}` }));
            });
            rowsRead += answers.flat().length;
            pages.push(merge.add(answers));
            expect(pages.length).toBeLessThan(1_000);
          }
          const expected = lists
            .flatMap((rows, series) => rows.map(({ micros, tie }) => ({ micros, text: `${micros} ${series} ${tie}` })))
            .filter(({ micros }) => micros >= from)
            .map(({ text }) => text)
            .sort();
          expect(pages.flat()).toEqual(expected);
          expect(rowsRead).toBe(expected.length);
        },
      ),
      { seed: 12, numRuns: 500 },
    );
  });
});
