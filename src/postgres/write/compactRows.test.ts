import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bar } from '../../market/bar.js';
import type { OptionSnapshot } from '../../market/optionSnapshot.js';
import type { Trade } from '../../market/trade.js';
import { barsTable, optionsTable, tradesTable } from '../recordTables.js';
import { inKeyOrder, rowCompactor } from './compactRows.js';
import { toMicros } from './encode.js';

const bar = (fields: Partial<Bar>): Bar => ({
  kind: 'bar',
  vendor: 'v',
  symbol: 'A',
  timeframe: '1m',
  ts: 0,
  open: 0,
  high: 0,
  low: 0,
  close: 0,
  volume: 0,
  ...fields,
});

const arrange = (bars: readonly Bar[], seqs: readonly number[] = bars.map((each) => each.seq ?? 0)) =>
  rowCompactor(barsTable)({ items: bars, seqs: Float64Array.from(seqs) });

/** The key, in a way that the code under test does not have it. */
const keyOf = (each: Bar) => JSON.stringify([each.vendor, each.symbol, each.timeframe, toMicros(each.ts)]);

describe('rowCompactor', () => {
  it('gives rows back as they are where there is nothing to do', () => {
    const rows = { items: [bar({ ts: 1 }), bar({ ts: 2 })], seqs: Float64Array.of(1, 2) };
    expect(rowCompactor(barsTable)(rows)).toBe(rows);
  });

  it('does not touch what it is given', () => {
    const bars = [bar({ seq: 1 }), bar({ symbol: 'B', seq: 2 }), bar({ seq: 3 }), bar({ symbol: 'B', ts: 9, seq: 4 })];
    const before = structuredClone(bars);
    const seqs = Float64Array.of(1, 2, 3, 4);
    rowCompactor(barsTable)({ items: bars, seqs });
    expect(bars).toEqual(before);
    expect([...seqs]).toEqual([1, 2, 3, 4]);
  });

  it('puts the bars of a symbol together, in the order in which they came', () => {
    const bars = [1, 2, 3].flatMap((ts) => ['A', 'B', 'C'].map((symbol) => bar({ symbol, ts })));
    const { items } = arrange(bars);
    expect(items.map(({ symbol, ts }) => symbol + ts)).toEqual(
      ['A', 'B', 'C'].flatMap((symbol) => [1, 2, 3].map((ts) => symbol + ts)),
    );
  });

  it('puts the trades of a symbol together, whatever their instants and ids, and keeps each', () => {
    const trades = ['A', 'B', 'A', 'C', 'B', 'A'].map(
      (symbol, i): Trade => ({ kind: 'trade', vendor: 'v', symbol, ts: i >> 1, price: 1, size: 1, id: `${i}`, seq: i }),
    );
    const { items, seqs } = rowCompactor(tradesTable)({ items: trades, seqs: Float64Array.from(trades, (_, i) => i) });
    expect(items.map(({ symbol, id }) => `${symbol}${id}`)).toEqual(['A0', 'A2', 'A5', 'B1', 'B4', 'C3']);
    expect([...seqs]).toEqual([0, 2, 5, 1, 4, 3]);
    const same = [trades[0]!, { ...trades[0]!, id: 'other' }, { ...trades[0]!, price: 2 }];
    expect(rowCompactor(tradesTable)({ items: same, seqs: Float64Array.from([1, 1, 2]) }).items).toEqual([
      same[2],
      same[1],
    ]);
  });

  it('tells keys apart by each of their parts', () => {
    const bars = [bar({}), bar({ vendor: 'w' }), bar({ symbol: 'B' }), bar({ timeframe: '5m' }), bar({ ts: 0.001 })];
    expect(arrange(bars).items).toHaveLength(5);
  });

  it('takes two times within a microsecond for one, and zero for zero', () => {
    const { items, seqs } = arrange([
      bar({ ts: 0, close: 1 }),
      bar({ ts: 0.0004, close: 2 }),
      bar({ ts: -0, close: 3 }),
    ]);
    expect(items.map(({ close }) => close)).toEqual([1]);
    expect([...seqs]).toEqual([0]);
  });

  it('equals a plain fold: the highest version of each key, the earlier of equal ones', () => {
    const arranger = rowCompactor(barsTable);
    const row = fc.record({
      vendor: fc.constantFrom('v', 'w'),
      symbol: fc.oneof(fc.constantFrom('A', 'B', 'C'), fc.string({ maxLength: 3 })),
      timeframe: fc.constantFrom('1m', '5m'),
      ts: fc.constantFrom(0, 1, 2, 2.001, 1.7e12, -5),
      seq: fc.integer({ min: -2, max: 4 }),
      close: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80 }), (rows) => {
        const bars = rows.map(bar);
        const expected = new Map<string, Bar>();
        for (const each of bars) {
          const held = expected.get(keyOf(each));
          if (held === undefined || each.seq! > held.seq!) expected.set(keyOf(each), each);
        }
        // The same arranger throughout: nothing of one batch may show in the next.
        const { items, seqs } = arranger({ items: bars, seqs: Float64Array.from(bars, (each) => each.seq!) });
        expect(new Set(items)).toEqual(new Set(expected.values()));
        expect(items).toHaveLength(expected.size);
        expect([...seqs]).toEqual(items.map((each) => each.seq));
      }),
      { seed: 20240102, numRuns: 300 },
    );
  });
});

describe('keys with a date and a double', () => {
  const option = (fields: Partial<OptionSnapshot>): OptionSnapshot => ({
    kind: 'option',
    vendor: 'v',
    symbol: 'A',
    expiry: '2024-06-21',
    optionType: 'C',
    strike: 1,
    ts: 0,
    ...fields,
  });
  const rowsOf = (options: readonly OptionSnapshot[]) => ({
    items: options,
    seqs: Float64Array.from(options, (_, i) => i),
  });

  it('are told apart by each', () => {
    const options = [
      option({}),
      option({ expiry: '2024-06-28' }),
      option({ strike: 1.5 }),
      option({ optionType: 'P' }),
    ];
    expect(new Set(rowCompactor(optionsTable)(rowsOf(options)).items)).toEqual(new Set(options));
  });

  it('are one where the table takes them for one: the two zeros, and any two NaN', () => {
    const options = [0, Number.NaN, -0, Number.NaN].map((strike) => option({ strike }));
    const { items } = rowCompactor(optionsTable)(rowsOf(options));
    expect(items).toHaveLength(2);
    expect(items).toContain(options[2]);
    expect(items).toContain(options[3]);
  });

  it('have an order that any two writers share, NaN included', () => {
    const strikes = [3, Number.NaN, -1, 0, Number.POSITIVE_INFINITY, 2];
    const options = strikes.flatMap((strike) => ['C', 'P'].map((side) => option({ strike, optionType: side as 'C' })));
    const order = (all: readonly OptionSnapshot[]) =>
      inKeyOrder(optionsTable, rowsOf(all)).items.map(({ strike, optionType }) => `${optionType}${strike}`);
    const expected = ['C', 'P'].flatMap((side) =>
      [-1, 0, 2, 3, Number.POSITIVE_INFINITY, Number.NaN].map((k) => side + k),
    );
    expect(order(options)).toEqual(expected);
    expect(order([...options].reverse())).toEqual(expected);
  });
});
