import { fundamentalsSink } from '../../src/sinks/fundamentalsSink.js';
import { figure, storedFundamentals } from './events.js';
import { tableSemantics } from './tableSemantics.js';

tableSemantics({
  table: 'fundamentals',
  sink: fundamentalsSink,
  item: (i, fields) => figure({ metric: `m${i}`, ...fields }),
  versions: [
    { value: 1.25e9, filingDate: '2024-05-02' },
    { value: -1, unit: 'EUR', filingDate: null },
  ],
  neighbours: [
    { vendor: 'other' },
    { symbol: 'OTHER' },
    { periodEnd: '2024-03-30' },
    { timeframe: 'ttm' },
    { metric: 'M0' },
  ],
  lane: 'ACME',
  stored: storedFundamentals,
  poison: [
    ['a period that ends on no day', { periodEnd: '2023-02-29' }, '22008', 'period_end'],
    ['a filing date that is none', { filingDate: '2024-13-01' }, '22008', 'filing_date'],
    ['an empty filing date', { filingDate: '' }, '22008', 'filing_date'],
    ['no period', { periodEnd: null }, '22P02', 'period_end'],
    ['no value', { value: null }, '22P02', 'value'],
    ['a value that is a text', { value: '1' }, '22P02', 'value'],
    ['no unit', { unit: undefined }, '22P02', 'unit'],
    ['a version that is a fraction', { seq: 0.5 }, '22003', 'seq'],
    ['NUL in a metric', { metric: '\0' }, '22021', 'metric'],
  ],
  refused: [
    ['period_end', 'timestamp without time zone', 'date'],
    ['filing_date', 'text', 'date'],
    ['value', 'numeric(20,2)', 'float8'],
  ],
});
