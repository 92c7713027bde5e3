import { describe, expect, it } from 'vitest';
import { BoundedLabels } from '../../../src/telemetry/boundedLabels.js';
import { Distribution } from '../../../src/telemetry/distribution.js';
import { eventTimeOf, WriterRecord } from '../../../src/telemetry/writerRecord.js';

describe('a distribution', () => {
  it('puts a value at the first bound that is no smaller, and above all bounds at the end', () => {
    const distribution = new Distribution([1, 10]);
    for (const value of [0, 1, 1.5, 10, 11]) distribution.observe(value);
    expect(distribution).toMatchObject({ counts: [2, 2, 1], count: 5, sum: 23.5 });
  });

  it('adds up with another', () => {
    const one = new Distribution([1]);
    const other = new Distribution([1]);
    one.observe(0.5);
    other.observe(2);
    one.add(other);
    expect(one).toMatchObject({ counts: [1, 1], count: 2, sum: 2.5 });
  });
});

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

describe('the time of an event', () => {
  it.each<[unknown, number | undefined]>([
    [{ ts: 5 }, 5],
    [{ publishedAt: 6 }, 6],
    [{ value: { ts: 7 }, position: 1 }, 7],
    [{ value: 8 }, undefined],
    [{ value: { value: { ts: 9 } } }, undefined],
    [{ ts: '5' }, undefined],
    [5, undefined],
    [null, undefined],
    [undefined, undefined],
  ])('of %j is %j', (item, time) => {
    expect(eventTimeOf(item)).toBe(time);
  });
});

describe('the record of a writer', () => {
  const outcome = (items: readonly unknown[]) => ({
    status: 'written' as const,
    items,
    rows: 1,
    attempts: 1,
    durationMs: 3,
  });

  it('has the age of the first and the last item of a batch, and of no other', () => {
    const record = new WriterRecord();
    record.written(outcome([{ ts: 1_000 }, { ts: 0 }, { ts: 4_000 }]), 5_000, eventTimeOf);
    expect(record.freshness).toMatchObject({ count: 2, sum: 5 });
    record.written(outcome([{ ts: 3_000 }]), 5_000, eventTimeOf);
    expect(record.freshness).toMatchObject({ count: 3, sum: 7 });
    expect(record).toMatchObject({ batches: 2, latency: { count: 2, sum: 0.006 } });
  });

  it('takes an event of the future for one of now, and leaves out what has no time', () => {
    const record = new WriterRecord();
    record.written(outcome([{ ts: 9_000 }, { ts: Number.NaN }]), 5_000, eventTimeOf);
    record.written(outcome([]), 5_000, eventTimeOf);
    expect(record.freshness).toMatchObject({ count: 1, sum: 0 });
  });
});
