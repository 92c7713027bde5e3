import { describe, expect, it } from 'vitest';
import { BoundedLabels } from './boundedLabels.js';

describe('the values of a label', () => {
  it('are kept up to a number, and are "other" beyond it, always the same way', () => {
    const labels = new BoundedLabels(2);
    expect(['a', 'b', 'c', 'a', 'd', 'c', 'b'].map((value) => labels.of(value))).toEqual([
      'a',
      'b',
      'other',
      'a',
      'other',
      'other',
      'b',
    ]);
  });

  it('are neither empty nor endless', () => {
    const labels = new BoundedLabels();
    expect(labels.of('')).toBe('other');
    expect(labels.of('x'.repeat(1_000))).toBe('x'.repeat(64));
  });
});
