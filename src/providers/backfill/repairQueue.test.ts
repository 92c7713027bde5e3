import { describe, expect, test } from 'vitest';
import { gapAt } from '../../../test/support/backfills.js';
import { RepairQueue } from './repairQueue.js';

const queueOf = (maxConcurrent = 2, maxGaps = 10) => new RepairQueue({ maxConcurrent, maxGaps });

describe('RepairQueue', () => {
  test('gives gaps in the order in which they became known, one of a series at a time', () => {
    const queue = queueOf(3);
    for (const symbol of ['A', 'A', 'B']) queue.add(gapAt(queue.waiting, 50, { symbol }));
    const [first, second] = [queue.take(0)!, queue.take(0)!];
    expect([first.gap.symbol, second.gap.symbol, queue.take(0)]).toEqual(['A', 'B', undefined]);
    expect([queue.running, queue.waiting]).toEqual([2, 1]);
    queue.finish(first);
    expect(queue.take(0)?.gap.symbol).toBe('A');
  });

  test('gives no more than may be under repair, and none before its time', () => {
    const queue = queueOf(1);
    queue.add(gapAt(0, 1, { symbol: 'A' }), 100);
    queue.add(gapAt(0, 1, { symbol: 'B' }), 70);
    expect([queue.take(69), queue.dueAt(0), queue.dueAt(70)]).toEqual([undefined, 70, 100]);
    const job = queue.take(200)!;
    expect([job.gap.symbol, queue.take(200)]).toEqual(['A', undefined]);
    queue.retry(job, 500);
    expect([queue.take(200)?.gap.symbol, queue.take(500)]).toEqual(['B', undefined]);
  });

  test('knows a gap once, also when it is done with, and forgets none that has no room', () => {
    const queue = queueOf(2, 2);
    const gaps = [0, 1, 2].map((n) => gapAt(n, n));
    expect(gaps.map((gap) => queue.add(gap))).toEqual([true, true, false]);
    expect([queue.add(gaps[0]!), queue.waiting]).toEqual([true, 2]);
    queue.finish(queue.take(0)!);
    expect(gaps.map((gap) => queue.add(gap))).toEqual([true, true, true]);
    expect([queue.waiting, queue.find(gaps[0]!)]).toEqual([2, undefined]);
  });

  test('at the end forgets what was tried, and does not wait long for what was not', () => {
    const queue = queueOf();
    queue.add(gapAt(0, 1, { symbol: 'A' }));
    queue.add(gapAt(0, 1, { symbol: 'B' }), 1_000);
    queue.retry(queue.take(0)!, 50);
    queue.forgetRetries();
    queue.hurry(500, 60);
    expect([queue.take(60)?.gap.symbol, queue.take(60)]).toEqual(['B', undefined]);
  });

  test('remembers what is proven of a series while it has gaps', () => {
    const queue = queueOf();
    queue.add(gapAt(0, 1));
    queue.add(gapAt(1, 2));
    const one = queue.take(0)!;
    one.memory.proven.push({ from: 0, to: 1 });
    queue.finish(one);
    const other = queue.take(0)!;
    expect(other.memory.proven).toEqual([{ from: 0, to: 1 }]);
    queue.finish(other);
    queue.add(gapAt(2, 3));
    expect(queue.take(0)!.memory.proven).toEqual([]);
  });
});
