import { describe, expect, it } from 'vitest';
import { hashKey } from './hashKey.js';

/** How many of the keys fall into the fullest and the emptiest of `lanes` lanes, relative to an even share. */
function spread(keys: readonly (string | number)[], lanes: number): { most: number; least: number } {
  const counts = new Array<number>(lanes).fill(0);
  for (const key of keys) counts[hashKey(key) % lanes]! += 1;
  const share = keys.length / lanes;
  return { most: Math.max(...counts) / share, least: Math.min(...counts) / share };
}

describe('hashKey', () => {
  it('gives the same number for the same key, in every process', () => {
    expect([hashKey('AAPL'), hashKey('MSFT'), hashKey(''), hashKey(0), hashKey(1), hashKey(-1)]).toMatchInlineSnapshot(`
      [
        1489863313,
        3383494952,
        2166202364,
        0,
        1364076727,
        2180083513,
      ]
    `);
  });

  it('gives an unsigned 32-bit integer for whatever key', () => {
    for (const key of ['', 'é', '\u{1f600}', 0, -1, 1.5, 2 ** 40, Number.NaN, Number.POSITIVE_INFINITY]) {
      const hash = hashKey(key);
      expect(Number.isInteger(hash)).toBe(true);
      expect(hash).toBeGreaterThanOrEqual(0);
      expect(hash).toBeLessThan(2 ** 32);
    }
  });

  it.each([2, 3, 4, 7, 8, 16])('spreads symbols and consecutive numbers over %i lanes', (lanes) => {
    const symbols = Array.from({ length: 4_000 }, (_, n) => `SYM${n}`);
    const numbers = Array.from({ length: 4_000 }, (_, n) => n);
    const minutes = Array.from({ length: 4_000 }, (_, n) => 1_700_000_000_000 + n * 60_000);
    for (const keys of [symbols, numbers, minutes]) {
      const { most, least } = spread(keys, lanes);
      expect(most).toBeLessThan(1.3);
      expect(least).toBeGreaterThan(0.7);
    }
  });
});
