import { quotesSink } from '../../src/sinks/quotesSink.js';
import { quote, storedQuotes } from './events.js';
import { tableSemantics } from './tableSemantics.js';

tableSemantics({
  table: 'quotes',
  sink: quotesSink,
  item: (i, fields) => quote({ id: `q${i}`, ...fields }),
  versions: [
    { bid: -2, bidSize: 0.5, ask: -1, askSize: 3, bidVenue: 'X', askVenue: 'Y' },
    { bid: null, bidSize: null, ask: null, askSize: null, bidVenue: null, askVenue: null },
  ],
  neighbours: [{ vendor: 'other' }, { symbol: 'acme' }, { ts: Date.UTC(2024, 0, 2, 14, 30) + 0.126 }, { id: 'Q0' }],
  lane: 'ACME',
  stored: storedQuotes,
  poison: [
    ['a bid that is a text', { bid: '1.5' }, '22P02', 'bid'],
    ['no id', { id: undefined }, '22P02', 'id'],
    ['no time', { ts: Number.POSITIVE_INFINITY }, '22008', 'ts'],
    ['NUL in a venue', { askVenue: 'X\0' }, '22021', 'ask_venue'],
  ],
  refused: [
    ['bid', 'numeric', 'float8'],
    ['bid_venue', 'integer', 'text'],
  ],
});
