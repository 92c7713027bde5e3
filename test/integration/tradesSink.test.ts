import { tradesSink } from '../../src/sinks/tradesSink.js';
import { storedTrades, trade } from './events.js';
import { tableSemantics } from './tableSemantics.js';

tableSemantics({
  table: 'trades',
  sink: tradesSink,
  item: (i, fields) => trade({ id: `t${i}`, ...fields }),
  versions: [
    { price: -1.5, size: 0.000_000_01, venue: 'XNAS', side: 'sell', conditions: ['@', ''] },
    { price: 2, size: 0, venue: null, side: null, conditions: null },
  ],
  neighbours: [
    { vendor: 'other' },
    { symbol: 'Acme' },
    { symbol: 'AC ME' },
    { ts: Date.UTC(2024, 0, 2, 14, 30) + 0.126 },
    { id: 'T0' },
  ],
  lane: 'ACME',
  stored: storedTrades,
  poison: [
    ['a price that is a text', { price: '1.5' }, '22P02', 'price'],
    ['no size', { size: null }, '22P02', 'size'],
    ['an id that is a number', { id: 7 }, '22P02', 'id'],
    ['no time', { ts: Number.NaN }, '22008', 'ts'],
    ['a condition that is a number', { conditions: ['@', 37] }, '22P02', 'conditions'],
    ['half a character', { venue: 'X\udc00' }, '22021', 'venue'],
  ],
  refused: [
    ['size', 'bigint', 'float8'],
    ['conditions', 'text', 'text[]'],
    ['id', 'bigint', 'text'],
  ],
});
