import type { Bar, MarketEvent } from 'sluice';
import { describe, expect, it } from 'vitest';
import { drawTable, price, times } from '../../examples/run-pipeline-to-store/drawTable.js';
import { SeriesOfRun } from '../../examples/run-pipeline-to-store/writtenSeries.js';

const ts = Date.UTC(2024, 0, 2, 14, 30);
const bar = (more: Partial<Bar>): Bar => ({
  ...{ kind: 'bar', vendor: 'v', symbol: 'S', timeframe: '1m', ts },
  ...{ open: 1, high: 3, low: 1, close: 2, volume: 1, ...more },
});
const outcome = (items: readonly MarketEvent[], status: 'written' | 'diverted' = 'written') => {
  return { status, items, rows: items.length, attempts: 1, durationMs: 1 };
};

describe('the table at the end of npm start', () => {
  it('is of the series that were written, with the newest version of the last price', () => {
    const series = new SeriesOfRun();
    series.take(outcome([bar({ close: 5, seq: 2 }), bar({ close: 4, seq: 1 }), bar({ ts: ts - 60_000, close: 3 })]));
    series.take(outcome([bar({ symbol: 'diverted' })], 'diverted'));
    series.take(outcome([bar({ symbol: 'A' })]));
    const found = series.all().map(({ symbol, records, first, last, price }) => [symbol, records, first, last, price]);
    expect(found).toEqual([
      ['A', 1, ts, ts, 2],
      ['S', 3, ts - 60_000, ts, 5],
    ]);
  });

  it('fits the terminal: what can be spared is left out, and what still does not fit is cut', () => {
    const columns = [
      { title: 'bars of', cells: ['^GSPC', 'S'], spare: 0 },
      { title: 'first', cells: ['2000-01-03', '2001-01-03'], spare: 1 },
      { title: 'rows', cells: ['5,105', '1'], isNumber: true, spare: 0 },
      { title: 'empty', cells: ['', ''], spare: 0 },
    ];
    expect(drawTable(columns, 80)).toBe(
      'bars of  first        rows\n^GSPC    2000-01-03  5,105\nS        2001-01-03      1',
    );
    expect(drawTable(columns, 20)).toBe('bars of   rows\n^GSPC    5,105\nS            1');
    expect(drawTable(columns, 10)).toBe('bars of  …\n^GSPC    …\nS        …');
  });

  it('writes prices with the digits that they need, and times in UTC with no more than they need', () => {
    expect([2874.560059, 79.75, 1.08421, 0.00001234, -3].map(price)).toEqual([
      '2,874.56',
      '79.75',
      '1.0842',
      '0.00001234',
      '-3.00',
    ]);
    expect(times([Date.UTC(2024, 0, 2)])(Date.UTC(2024, 0, 2))).toBe('2024-01-02');
    expect(times([ts, Date.UTC(2024, 0, 2)])(ts)).toBe('2024-01-02T14:30:00Z');
    expect(times([ts + 1])(ts)).toBe('2024-01-02T14:30:00.000Z');
  });
});
