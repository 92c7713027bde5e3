import { describe, expect, it } from 'vitest';
import { Meter } from './meter.js';
import { barLine, plainLine, rateText, spanText } from './progressText.js';

describe('the bar', () => {
  const parts = ['12,345 written', '8,123/s', '12 s left', '3 diverted'];

  it('takes the room that is left, and leaves out what does not fit', () => {
    expect(barLine(0.5, parts, 79)).toMatch(
      /^█{13}░{13} {2}50% {2}12,345 written {2}8,123\/s {2}12 s left {2}3 diverted$/,
    );
    expect(barLine(0.5, parts, 49)).toMatch(/^█+░+ {2}50% {2}12,345 written {2}8,123\/s {2}12 s left$/);
    expect(barLine(0.5, parts, 30)).toContain('50%  12,345 written');
    for (let width = 15; width < 120; width++)
      expect([...barLine(0.37, parts, width)].length).toBeLessThanOrEqual(width);
  });

  it.each([
    [0, '  0%'],
    [0.999, ' 99%'],
    [1, '100%'],
    [1.2, '100%'],
    [-1, '  0%'],
  ])('of %f is %s', (share, percent) => {
    expect(barLine(share, [], 60)).toMatch(new RegExp(`[█░]{40} ${percent}$`));
  });
});

describe('the line without a bar', () => {
  it('has the parts that fit, the first ones first', () => {
    expect(plainLine(['1 written', '', '2/s'])).toBe('1 written, 2/s');
    expect(plainLine(['1 written', 'a part that is too long', '2/s'], 20)).toBe('1 written, 2/s');
  });
});

it.each([
  [10, '1 s'],
  [59_400, '59 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('%i ms are %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});

it.each([
  [0, '0/s'],
  [1.25, '1.3/s'],
  [12_345.4, '12,345/s'],
])('a rate of %f is %s', (rate, text) => {
  expect(rateText(rate)).toBe(text);
});

describe('a meter', () => {
  it('measures the last seconds', () => {
    const meter = new Meter();
    expect(meter.perSecond).toBe(0);
    for (let s = 0; s <= 60; s++) meter.note(s * 1_000, s < 30 ? s * 100 : 3_000 + (s - 30) * 10);
    expect(meter.perSecond).toBe(10);
  });
});
