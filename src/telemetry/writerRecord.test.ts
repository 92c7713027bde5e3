import { describe, expect, it } from 'vitest';
import { eventTimeOf, WriterRecord } from './writerRecord.js';

describe('the time of an event', () => {
  it.each<[unknown, number | undefined]>([
    [{ ts: 5 }, 5],
    [{ publishedAt: 6 }, 6],
    [{ value: { ts: 7 }, position: 1 }, 7],
    [{ value: 8 }, undefined],
    // A gap record is no data: when its span ended says nothing of how old the data are.
    [{ kind: 'gap', of: 'trade', from: 1, to: 2, seq: 3 }, undefined],
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
