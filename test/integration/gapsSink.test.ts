import { expect, it } from 'vitest';
import type { Gap } from '../../src/market/gap.js';
import { gapsSink } from '../../src/sinks/gapsSink.js';
import { write } from './bars.js';
import { gap, storedGaps } from './events.js';
import { tableSemantics } from './tableSemantics.js';

const TO = Date.UTC(2024, 0, 2, 15);

tableSemantics({
  table: 'gaps',
  sink: gapsSink,
  item: (i, fields) => gap({ to: TO + i, ...fields }),
  versions: [
    { cause: 'overflow', state: 'open', rows: 0, reason: '' },
    { cause: 'sequence', state: 'abandoned', rows: null, reason: null },
  ],
  neighbours: [
    { vendor: 'other' },
    { symbol: '*' },
    { of: 'trade' },
    { timeframe: '5m' },
    { from: Date.UTC(2024, 0, 2, 14, 30) + 0.001 },
    { to: TO + 0.001 },
  ],
  lane: 'ACME',
  stored: storedGaps,
  poison: [
    ['no end', { to: Number.NaN }, '22008', 'to_ts'],
    ['half a row', { rows: 0.5 }, '22003', 'rows'],
    ['a kind that is null', { of: null }, '22P02', 'of_kind'],
    ['NUL in a reason', { reason: 'a\0b' }, '22021', 'reason'],
  ],
  refused: [
    ['rows', 'integer', 'int8'],
    ['state', 'boolean', 'text'],
  ],
  further: (sink, pool) => {
    it('keeps the last state of a gap, with a timeframe and without', async () => {
      const { timeframe: _, ...bare } = gap({ of: 'trade', state: 'open', rows: null, seq: 5 });
      const open: Gap[] = [gap({ state: 'open', rows: null, seq: 5 }), bare];
      const filled = open.map((one): Gap => ({ ...one, state: 'filled', rows: 12, seq: 6 }));
      await write(sink(), open);
      await write(sink(), [...filled, ...open]);
      await write(sink(), open);
      expect(await storedGaps(pool())).toEqual(filled);
      const { rows } = await pool().query('SELECT timeframe FROM gaps ORDER BY of_kind');
      expect(rows).toEqual([{ timeframe: '1m' }, { timeframe: '' }]);
    });
  },
});
