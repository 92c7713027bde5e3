import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { conflate } from './conflate.js';
import { writeTo } from './writeTo.js';

type Batch = readonly number[];

/** Batches of one key above a writer that takes one at a time; the first is in its write, so that the others are held. */
function bench(merge?: (older: Batch, newer: Batch) => Batch) {
  const dropped: unknown[] = [];
  const monitor = new PipelineMonitor({
    observer: {
      fate(_, fate, reason, items) {
        if (fate === 'dropped' && reason === 'conflated') dropped.push(...items);
      },
    },
  });
  const written: Batch[] = [];
  const answer = new Subject<WriteReceipt>();
  let answers = answer;
  const sink: Sink<number> = {
    name: 'numbers',
    write(items) {
      written.push([...items]);
      answers = new Subject();
      return answers;
    },
  };
  const source = new Subject<Batch>();
  record(
    source.pipe(conflate<Batch>({ by: () => 'all', ...(merge && { merge }) }), writeTo(sink), withContext({ monitor })),
  );
  const stage = monitor.stages.find(({ kind }) => kind === 'conflate')!;
  const push = (...batches: Batch[]) => {
    for (const batch of batches) source.next(batch);
  };
  const commit = () => {
    const rows = written[written.length - 1]!.length;
    answers.next({ rows });
    answers.complete();
  };
  push([0]);
  return { push, commit, written, dropped, stage, monitor };
}

describe('conflate of batches', () => {
  it('drops none of the items that a merge keeps', () => {
    const { push, commit, written, dropped, stage } = bench((older, newer) => [...older, ...newer]);
    push([1, 2], [3], [4, 5]);
    expect(stage).toMatchObject({ in: 6, held: 5, droppedTotal: 0 });
    commit();
    expect(written).toEqual([[0], [1, 2, 3, 4, 5]]);
    expect(stage).toMatchObject({ out: 6, held: 0, conservation: 0 });
    expect(dropped).toEqual([]);
  });

  it('drops the items that are left out, of the older and of the newer batch', () => {
    const { push, commit, written, dropped, stage } = bench((older, newer) => [older[0]!, newer[newer.length - 1]!]);
    push([1, 2], [3, 4, 5]);
    expect(stage).toMatchObject({ held: 2, droppedTotal: 3, conservation: 0 });
    expect(dropped).toEqual([2, 3, 4]);
    commit();
    expect(written[1]).toEqual([1, 5]);
    expect(stage).toMatchObject({ in: 6, out: 3, held: 0, conservation: 0 });
  });

  it('drops the older batch where the newer one takes its place', () => {
    const { push, dropped, stage } = bench();
    push([1, 2], [3]);
    expect(dropped).toEqual([1, 2]);
    expect(stage).toMatchObject({ held: 1, droppedTotal: 2, conservation: 0 });
  });

  it('counts as received what came in, however many items a merge makes of it', () => {
    const { push, commit, written, dropped, stage } = bench((older, newer) => [...older, ...newer, -1]);
    push([1], [2], [3]);
    expect(stage).toMatchObject({ in: 4, held: 3, droppedTotal: 0, conservation: 0 });
    commit();
    expect(written[1]).toEqual([1, 2, -1, 3, -1]);
    expect(stage).toMatchObject({ out: 4, held: 0, conservation: 0 });
    // What it made more belonged to that batch, and is forgotten with it.
    push([4], [5, 6]);
    expect(stage).toMatchObject({ in: 7, held: 3, conservation: 0 });
    commit();
    expect(stage).toMatchObject({ out: 7, held: 0, conservation: 0 });
    expect(dropped).toEqual([]);
  });

  it('counts anew where a merge makes more items at first, and then fewer', () => {
    const { push, commit, stage } = bench((older, newer) =>
      older.length === 1 ? [...older, ...newer, -1, -2] : newer,
    );
    push([1], [2]);
    expect(stage).toMatchObject({ held: 2, droppedTotal: 0, conservation: 0 });
    push([3]);
    expect(stage).toMatchObject({ held: 1, droppedTotal: 2, conservation: 0 });
    commit();
    expect(stage).toMatchObject({ out: 2, held: 0, conservation: 0 });
  });
});
