import { lastValueFrom, Observable, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { turnsUntil } from '../../test/support/collect.js';
import { append, deadLetterFolder } from '../../test/support/deadLetterFolder.js';
import { faultyDisk } from '../../test/support/faultyDisk.js';
import { poison, RefusingSink, transient } from '../../test/support/refusingSink.js';
import type { Sink } from '../contracts/sink.js';
import { Gate } from '../flow/gate.js';
import { withContext } from '../flow/withContext.js';
import { type ReplayDeadLettersConfig, type ReplayProgress, replayDeadLetters } from './index.js';

const folder = deadLetterFolder();

type Queue = Awaited<ReturnType<typeof folder.open>>;
const replay = (queue: Queue, config: ReplayDeadLettersConfig<unknown>) =>
  lastValueFrom(replayDeadLetters(queue, config));

describe('replayDeadLetters', () => {
  it('tries again as the policies say before a letter counts as failed', async () => {
    const queue = await folder.open();
    await append(queue, [1]);
    const sink = new RefusingSink();
    let failures = 2;
    sink.refuses = () => (failures-- > 0 ? transient : undefined);
    const policies = { retry: { maxAttempts: 3, initialMs: 0, maxMs: 0 } };
    expect(await replay(queue, { sink, policies })).toMatchObject({ written: 1, failedAgain: 0 });
    await append(queue, [2]);
    failures = 3;
    expect(await replay(queue, { sink, policies })).toMatchObject({ written: 0, failedAgain: 1 });
    expect(await folder.letters()).toMatchObject([{ reason: 'exhausted', error: { code: '57P01' }, replays: 1 }]);
  });

  it('begins no letter while the gate downstream is closed', async () => {
    const queue = await folder.open();
    await Promise.all(Array.from({ length: 300 }, (_, n) => append(queue, [n])));
    const sink = new RefusingSink();
    const gate = new Gate('closed');
    const progress: ReplayProgress[] = [];
    let isComplete = false;
    replayDeadLetters(queue, { sink })
      .pipe(withContext({ gate }))
      .subscribe({
        next: (one) => {
          expect(gate.isOpen).toBe(true);
          progress.push(one);
          if (progress.length === 3) gate.close();
        },
        complete: () => {
          isComplete = true;
        },
      });
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(sink.batches).toEqual([]);
    gate.open();
    await turnsUntil(() => progress.length === 3);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    const begun = sink.batches.length;
    expect(begun).toBeLessThan(300);
    expect(isComplete).toBe(false);
    gate.open();
    await turnsUntil(() => isComplete);
    expect(sink.taken).toHaveLength(300);
    expect(progress.flatMap(({ removed }) => removed)).toHaveLength(300);
  });

  it('begins none of the letters that it has read already, once the gate is closed', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 5; n++) await append(queue, [n]);
    const gate = new Gate('open');
    const sink = new RefusingSink();
    sink.refuses = () => {
      gate.close();
      return undefined;
    };
    let isComplete = false;
    replayDeadLetters(queue, { sink })
      .pipe(withContext({ gate }))
      .subscribe({
        complete: () => {
          isComplete = true;
        },
      });
    for (let begun = 1; begun <= 5; begun++) {
      await turnsUntil(() => sink.taken.length === begun);
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(sink.batches).toHaveLength(begun);
      gate.open();
    }
    await turnsUntil(() => isComplete);
  });

  it('holds few letters of a long queue that only has to be parked', async () => {
    const first = await folder.open();
    await Promise.all(Array.from({ length: 300 }, (_, n) => append(first, [n])));
    const sink = new RefusingSink();
    sink.refuses = () => poison;
    await replay(first, { sink });
    await first.close();
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    let go = () => {};
    disk.before = ({ kind, path }) => {
      if (kind !== 'datasync' || !path.includes('parked')) return undefined;
      return new Promise((resolve) => {
        go = () => resolve(undefined);
      });
    };
    const parking = replay(queue, { sink, maxReplays: 1 });
    await turnsUntil(() => disk.steps.some(({ kind, path }) => kind === 'datasync' && path.includes('parked')));
    for (let i = 0; i < 300; i++) await new Promise((resolve) => setImmediate(resolve));
    disk.before = undefined;
    go();
    expect(await parking).toMatchObject({ letters: 300, parked: 300 });
    const syncs = disk.steps.filter(({ kind, path }) => kind === 'datasync' && /parked.*ndjson/.test(path));
    expect(syncs.length).toBeGreaterThan(300 / 64 - 1);
  });

  it('asked to stop, finishes the letter under way and leaves the others as they are', async () => {
    const queue = await folder.open();
    for (const n of [1, 2, 3]) await append(queue, [n]);
    const stopping = new Subject<void>();
    const write = new Subject<{ rows: number }>();
    const progress: ReplayProgress[] = [];
    let isComplete = false;
    replayDeadLetters(queue, { sink: { name: 'slow', write: () => write } })
      .pipe(withContext({ stopping }))
      .subscribe({
        next: (one) => progress.push(one),
        complete: () => {
          isComplete = true;
        },
      });
    await turnsUntil(() => write.observed);
    stopping.next();
    write.complete();
    await turnsUntil(() => isComplete);
    expect(progress.at(-1)).toMatchObject({ written: 1, remaining: 2 });
    expect((await folder.letters()).map(({ items }) => items[0])).toEqual([2, 3]);
    // Those that were marked to be sent are not held to have failed.
    const sink = new RefusingSink();
    expect(await replay(queue, { sink, maxReplays: 1 })).toMatchObject({ written: 2, parked: 0 });
  });

  it('when unsubscribed, unsubscribes the write and keeps its letter for the next replay', async () => {
    const queue = await folder.open();
    for (const n of [1, 2]) await append(queue, [n]);
    let released = 0;
    const write = () =>
      new Observable<never>(() => () => {
        released += 1;
      });
    let begun = 0;
    const sinkOf = () => ({
      name: 'stuck',
      write: () => {
        begun += 1;
        return write();
      },
    });
    for (let i = 1; i <= 4; i++) {
      // The one before may still be putting its letters back, and then there is nothing to send.
      while (begun < i) {
        let isComplete = false;
        const subscription = replayDeadLetters(queue, { sink: sinkOf(), maxReplays: 2 }).subscribe({
          complete: () => {
            isComplete = true;
          },
        });
        await turnsUntil(() => begun === i || isComplete);
        subscription.unsubscribe();
      }
      expect(released).toBe(i);
    }
    const sink = new RefusingSink();
    let progress: ReplayProgress | undefined;
    while (sink.taken.length < 2) progress = await replay(queue, { sink, maxReplays: 2 });
    expect(progress).toMatchObject({ parked: 0 });
    // Either may have been put back first.
    expect(new Set(sink.taken)).toEqual(new Set([1, 2]));
  });

  it('counts an attempt that has never come back, and holds it against that letter alone', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 10; n++) await append(queue, [n]);
    await queue.close();
    // What a process leaves that is killed in its fifth letter: all were marked, and four are gone.
    const { writeFileSync } = await import('node:fs');
    const { join } = await import('node:path');
    const [segment] = folder.files();
    const journal = join(folder.path, segment!.replace('ndjson', 'journal'));
    writeFileSync(journal, '["+",1,2,3,4,5,6,7,8,9,10]\n["-",1,2]\n["-",3,4]\n["+",5]\n');
    const again = await folder.open();
    const sink = new RefusingSink();
    const progress = await replay(again, { sink, maxReplays: 2 });
    expect(progress).toMatchObject({ letters: 6, written: 5, parked: 1 });
    expect(sink.taken).toEqual([5, 6, 7, 8, 9]);
    expect(await folder.letters({ state: 'parked' })).toMatchObject([{ items: [4], replays: 2 }]);
  });

  it('is paced: evenly, by the number of items', async () => {
    const queue = await folder.open();
    for (const many of [2, 4, 1, 3])
      await append(
        queue,
        Array.from({ length: many }, () => many),
      );
    const scheduler = new VirtualTimeScheduler();
    const begun: number[] = [];
    const sink: Sink<unknown> = {
      name: 'clocked',
      write(batch) {
        begun.push(scheduler.frame);
        return of({ rows: batch.length });
      },
    };
    let isComplete = false;
    replayDeadLetters(queue, { sink, scheduler, pace: { rate: 10, perMs: 1_000 } }).subscribe({
      complete: () => {
        isComplete = true;
      },
    });
    while (!isComplete) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = scheduler.actions[0];
      if (!next) continue;
      scheduler.maxFrames = next.delay;
      scheduler.flush();
    }
    expect(begun).toEqual([0, 200, 600, 700]);
  });

  it('writes as many letters at a time as it may, and no more', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 12; n++) await append(queue, [n]);
    let inFlight = 0;
    let most = 0;
    const sink: Sink<unknown> = {
      name: 'counted',
      async *write(batch) {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        yield { rows: batch.length };
      },
    };
    expect(await replay(queue, { sink, concurrency: 3 })).toMatchObject({ written: 12 });
    expect(most).toBe(3);
  });

  it('ends with an error when the queue is closed under it', async () => {
    const queue = await folder.open();
    for (const n of [1, 2]) await append(queue, [n]);
    const other = await folder.open();
    let failure: unknown;
    let begun = 0;
    const write = new Subject<{ rows: number }>();
    const sink: Sink<unknown> = {
      name: 'slow',
      write: () => {
        begun += 1;
        return write;
      },
    };
    replayDeadLetters(queue, { sink }).subscribe({
      error: (error: unknown) => {
        failure = error;
      },
    });
    await turnsUntil(() => begun > 0);
    await other.close();
    await queue.close();
    write.complete();
    await turnsUntil(() => failure !== undefined);
    expect(failure).toMatchObject({ code: 'SLUICE_DEAD_LETTERS_CLOSED' });
    expect(await folder.letters()).toHaveLength(2);
  });
});
