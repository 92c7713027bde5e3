import { expect, it } from 'vitest';
import { optionsSink } from '../../src/sinks/optionsSink.js';
import { write } from './bars.js';
import { option, storedOptions } from './events.js';
import { tableSemantics } from './tableSemantics.js';

tableSemantics({
  table: 'options_snap',
  sink: optionsSink,
  item: (i, fields) => option({ strike: 100 + i / 2, ...fields }),
  versions: [
    { bid: 1, ask: 2, last: 1.5, iv: 0.2, delta: 0.1, volume: 1, underlyingPrice: 99 },
    {
      bid: null,
      ask: null,
      last: null,
      iv: null,
      delta: null,
      gamma: null,
      theta: null,
      vega: null,
      openInterest: null,
      volume: null,
      underlyingPrice: null,
    },
  ],
  neighbours: [
    { vendor: 'other' },
    { symbol: 'OTHER' },
    { expiry: '2024-06-22' },
    { optionType: 'P' },
    { strike: 100.01 },
    { ts: Date.UTC(2024, 0, 2, 14, 30) + 0.001 },
  ],
  lane: 'ACME',
  stored: storedOptions,
  poison: [
    ['a date that is none', { expiry: '2024-02-30' }, '22008', 'expiry'],
    ['a date in another form', { expiry: '20240621' }, '22008', 'expiry'],
    ['a date with a time', { expiry: '2024-06-21T00:00:00Z' }, '22008', 'expiry'],
    ['a date that is a number', { expiry: 20240621 }, '22P02', 'expiry'],
    ['a key that is null', { strike: null }, '22P02', 'strike'],
    ['a price that is a text', { bid: '1.5' }, '22P02', 'bid'],
    ['no call and no put', { optionType: undefined }, '22P02', 'option_type'],
    ['no time', { ts: Number.NaN }, '22008', 'ts'],
    ['NUL in a text', { vendor: 'a\0b' }, '22021', 'vendor'],
    ['half a character', { symbol: 'A\udc00' }, '22021', 'symbol'],
  ],
  refused: [
    ['expiry', 'timestamp with time zone', 'date'],
    ['expiry', 'text', 'date'],
    ['strike', 'numeric', 'float8'],
    ['iv', 'real', 'float8'],
  ],
  further: (sink, pool) => {
    it('takes strikes for one key where the table does', async () => {
      const strikes = [0, -0, Number.NaN, Number.NaN, 1];
      await write(
        sink(),
        strikes.map((strike, i) => option({ strike, iv: i, seq: i })),
      );
      const rows = await storedOptions(pool());
      expect(rows.map(({ strike, iv }) => [Math.abs(strike), iv])).toEqual([
        [0, 1],
        [1, 4],
        [Number.NaN, 3],
      ]);
    });

    it('keeps dates of all centuries', async () => {
      const dates = ['0100-01-01', '1582-10-10', '1899-12-31', '1969-12-31', '2000-02-29', '2024-12-31', '9999-12-31'];
      await write(
        sink(),
        dates.map((expiry) => option({ expiry })),
      );
      expect((await storedOptions(pool())).map(({ expiry }) => expiry)).toEqual(dates);
    });
  },
});
