import { lastValueFrom, NEVER, Observable, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { append, deadLetterFolder, diversion } from '../../test/support/deadLetterFolder.js';
import { faultyDisk } from '../../test/support/faultyDisk.js';
import type { Sink } from '../contracts/sink.js';
import { Gate } from '../flow/gate.js';
import { withContext } from '../flow/withContext.js';
import { type ReplayDeadLettersConfig, type ReplayProgress, replayDeadLetters } from './index.js';

const folder = deadLetterFolder();

const ticks = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

/** Refuses what `refuses` says, and keeps the rest. */
class TestSink implements Sink<unknown> {
  readonly name = 'test';
  readonly taken: unknown[] = [];
  readonly batches: (readonly unknown[])[] = [];
  refuses: (item: unknown) => { code: string } | undefined = () => undefined;

  async *write(batch: readonly unknown[]) {
    this.batches.push(batch);
    for (const item of batch) {
      const refusal = this.refuses(item);
      if (refusal) throw Object.assign(new Error(`refused ${JSON.stringify(item)}`), refusal);
    }
    this.taken.push(...batch);
    yield { rows: batch.length };
  }
}

const poison = { code: '22003' };
const fatal = { code: '42P01' };
const transient = { code: '57P01' };

type Queue = Awaited<ReturnType<typeof folder.open>>;
const replay = (queue: Queue, config: ReplayDeadLettersConfig<unknown>) =>
  lastValueFrom(replayDeadLetters(queue, config));

describe('replayDeadLetters', () => {
  it('replay re-reads without removing', async () => {
    // The fault of an earlier system: each replay sent everything again, as nothing that was written was ever removed.
    const queue = await folder.open();
    for (const n of [1, 2, 3]) await append(queue, [n, n * 10]);
    const sink = new TestSink();
    const progress = await replay(queue, { sink });
    expect(sink.taken).toEqual([1, 10, 2, 20, 3, 30]);
    expect(progress).toMatchObject({ letters: 3, items: 6, written: 6, failedAgain: 0, parked: 0, remaining: 0 });
    expect(await folder.letters()).toEqual([]);
    expect(folder.files()).toEqual([]);
    await replay(queue, { sink });
    expect(sink.taken).toHaveLength(6);
    await queue.close();
    await replay(await folder.open(), { sink });
    expect(sink.taken).toHaveLength(6);
  });

  it('lists each letter that it removes, once', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 50; n++) await append(queue, [n]);
    const ids = (await folder.letters()).map(({ id }) => id);
    const progress: ReplayProgress[] = [];
    await replayDeadLetters(queue, { sink: new TestSink() }).forEach((one) => void progress.push(one));
    expect(progress.flatMap(({ removed }) => removed)).toEqual(ids);
    expect(progress.map(({ letters, remaining }) => letters + remaining)).toEqual(progress.map(() => 50));
    expect(queue.stats()).toMatchObject({ open: { letters: 0, items: 0 }, replayed: { letters: 50, items: 50 } });
  });

  it('removes a letter only when its items are written, and that is on the disk before it is told', async () => {
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    await append(queue, [1]);
    const write = new Subject<{ rows: number }>();
    const progress: ReplayProgress[] = [];
    let isComplete = false;
    replayDeadLetters(queue, { sink: { name: 'slow', write: () => write } }).subscribe({
      next: (one) => progress.push(one),
      complete: () => {
        isComplete = true;
      },
    });
    await ticks(() => write.observed);
    // The attempt is on the disk before the sink hears of it, and the letter is still there.
    expect(disk.steps.at(-1)!.kind).toBe('syncFolder');
    expect(disk.steps.at(-2)).toMatchObject({ kind: 'datasync', path: expect.stringMatching(/journal$/) });
    expect(await folder.letters()).toHaveLength(1);
    expect(progress).toEqual([]);
    disk.steps.length = 0;
    write.next({ rows: 1 });
    write.complete();
    await ticks(() => isComplete);
    expect(disk.steps.map(({ kind }) => kind).slice(0, 2)).toEqual(['write', 'datasync']);
    expect(progress).toMatchObject([{ written: 1, removed: [expect.stringMatching(/-1$/)] }]);
    expect(await folder.letters()).toEqual([]);
  });

  it('puts only what fails again into new letters, as old as the one they come from, one for each error', async () => {
    let now = 100;
    const queue = await folder.open({ now: () => now++ });
    await append(queue, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }], { attempts: 5, reason: 'exhausted' });
    const [old] = await folder.letters();
    const sink = new TestSink();
    sink.refuses = (item) => ((item as { n: number }).n % 2 === 0 ? poison : undefined);
    const progress = await replay(queue, { sink });
    expect(sink.taken).toEqual([{ n: 1 }, { n: 3 }]);
    expect(progress).toMatchObject({ letters: 1, items: 4, written: 2, failedAgain: 2, parked: 0, remaining: 0 });
    const letters = await folder.letters();
    expect(letters.map(({ items }) => items)).toEqual([[{ n: 2 }], [{ n: 4 }]]);
    expect(progress.added).toEqual(letters.map(({ id }) => id));
    for (const letter of letters) {
      const { at, stage, pipeline } = old!;
      expect(letter).toMatchObject({
        at,
        stage,
        pipeline,
        previous: old!.id,
        attempts: 6,
        replays: 1,
        reason: 'poison',
      });
      expect(letter.error).toMatchObject({ code: '22003', message: expect.stringContaining('refused') });
    }
  });

  it('has the new letter on the disk before the old one is removed', async () => {
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    await append(queue, [1]);
    const sink = new TestSink();
    sink.refuses = () => poison;
    disk.steps.length = 0;
    await replay(queue, { sink });
    const synced = disk.steps
      .filter(({ kind }) => kind === 'datasync')
      .map(({ path }) => path.slice(path.lastIndexOf('.')));
    expect(synced).toEqual(['.journal', '.ndjson', '.journal']);
  });

  it('parks a letter that has failed so often, for people, who may open it again', async () => {
    const queue = await folder.open();
    await append(queue, ['bad']);
    await append(queue, ['good']);
    const sink = new TestSink();
    sink.refuses = (item) => (item === 'bad' ? poison : undefined);
    expect(await replay(queue, { sink, maxReplays: 2 })).toMatchObject({ written: 1, failedAgain: 1, parked: 0 });
    expect(await replay(queue, { sink, maxReplays: 2 })).toMatchObject({ written: 0, failedAgain: 1, parked: 1 });
    const writes = sink.batches.length;
    expect(await replay(queue, { sink, maxReplays: 2 })).toMatchObject({ letters: 0 });
    expect(sink.batches).toHaveLength(writes);
    expect(await folder.letters()).toEqual([]);
    expect(await folder.letters({ state: 'parked' })).toMatchObject([{ items: ['bad'], replays: 2 }]);
    expect(queue.stats()).toMatchObject({ open: { letters: 0 }, parked: { letters: 1, items: 1 } });
    expect(await queue.unpark({})).toEqual({ letters: 1, items: 1 });
    sink.refuses = () => undefined;
    expect(await replay(queue, { sink, maxReplays: 2 })).toMatchObject({ written: 1 });
    expect(sink.taken).toEqual(['good', 'bad']);
    expect(folder.files()).toEqual([]);
  });

  it('leaves what arrives meanwhile for the next replay', async () => {
    const queue = await folder.open();
    await append(queue, [1]);
    const sink = new TestSink();
    const write = sink.write.bind(sink);
    sink.write = async function* (batch) {
      await append(queue, ['new']);
      yield* write(batch);
    };
    expect(await replay(queue, { sink })).toMatchObject({ written: 1, remaining: 0 });
    expect(sink.taken).toEqual([1]);
    expect((await folder.letters()).map(({ items }) => items)).toEqual([['new']]);
  });

  it('sends nothing twice where two replays run at once', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 200; n++) await append(queue, [n]);
    const sink = new TestSink();
    await Promise.all([replay(queue, { sink }), replay(queue, { sink, concurrency: 3 }), queue.purge({ ids: [] })]);
    expect([...sink.taken].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(folder.files()).toEqual([]);
  });

  it('keeps the order of letters and items, and each item as it was', async () => {
    const queue = await folder.open({ segmentBytes: 1_024 });
    const items = Array.from({ length: 100 }, (_, n) => ({ n, seq: 1_000 - n, at: new Date(n), gap: Number.NaN }));
    for (let n = 0; n < 100; n += 5) await append(queue, items.slice(n, n + 5));
    const sink = new TestSink();
    await replay(queue, { sink });
    expect(sink.taken).toEqual(items);
  });

  it('sends the letters that are meant, as many as it may', async () => {
    const queue = await folder.open();
    for (const n of [1, 2, 3, 4]) await append(queue, [n], { stage: n % 2 === 0 ? 'even' : 'odd' });
    const sink = new TestSink();
    expect(await replay(queue, { sink, filter: { stage: 'even' } })).toMatchObject({ letters: 2, remaining: 0 });
    expect(sink.taken).toEqual([2, 4]);
    expect(await replay(queue, { sink, limit: 1 })).toMatchObject({ letters: 1, remaining: 1 });
    expect(sink.taken).toEqual([2, 4, 1]);
    const { id } = (await folder.letters())[0]!;
    expect(await replay(queue, { sink, filter: { ids: [id] } })).toMatchObject({ letters: 1, removed: [id] });
  });

  it('only counts in a dry run', async () => {
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    for (const n of [1, 2, 3]) await append(queue, [n, n]);
    disk.steps.length = 0;
    const sink = new TestSink();
    const progress = await replay(queue, { sink, dryRun: true, filter: { reason: 'poison' } });
    expect(progress).toMatchObject({ letters: 3, items: 6, written: 0, remaining: 0, removed: [], added: [] });
    expect(sink.batches).toEqual([]);
    expect(disk.steps).toEqual([]);
    expect(await replay(queue, { sink })).toMatchObject({ written: 6 });
  });

  it('says so once where there is nothing to do', async () => {
    const queue = await folder.open({ now: () => 7 });
    const progress: ReplayProgress[] = [];
    await replayDeadLetters(queue, { sink: new TestSink() }).forEach((one) => void progress.push(one));
    const nothing = {
      letters: 0,
      items: 0,
      written: 0,
      failedAgain: 0,
      parked: 0,
      remaining: 0,
      removed: [],
      added: [],
    };
    expect(progress).toEqual([{ ...nothing, at: 7 }]);
  });

  it('stops at a fatal failure: nothing is lost, and no attempt is counted', async () => {
    const queue = await folder.open();
    for (const n of [1, 2, 3]) await append(queue, [n]);
    const sink = new TestSink();
    sink.refuses = (item) => (item === 2 ? fatal : undefined);
    for (let i = 0; i < 6; i++) {
      await expect(replay(queue, { sink, maxReplays: 2 })).rejects.toMatchObject({ code: 'SLUICE_WRITE_FAILED' });
    }
    expect((await folder.letters()).map(({ items, replays }) => [items[0], replays])).toEqual([
      [2, 0],
      [3, 0],
    ]);
    sink.refuses = () => undefined;
    expect(await replay(queue, { sink, maxReplays: 2 })).toMatchObject({ written: 2, parked: 0 });
  });

  it('tries again as the policies say before a letter counts as failed', async () => {
    const queue = await folder.open();
    await append(queue, [1]);
    const sink = new TestSink();
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
    const sink = new TestSink();
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
    await ticks(() => progress.length === 3);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    const begun = sink.batches.length;
    expect(begun).toBeLessThan(300);
    expect(isComplete).toBe(false);
    gate.open();
    await ticks(() => isComplete);
    expect(sink.taken).toHaveLength(300);
    expect(progress.flatMap(({ removed }) => removed)).toHaveLength(300);
  });

  it('begins none of the letters that it has read already, once the gate is closed', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 5; n++) await append(queue, [n]);
    const gate = new Gate('open');
    const sink = new TestSink();
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
      await ticks(() => sink.taken.length === begun);
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(sink.batches).toHaveLength(begun);
      gate.open();
    }
    await ticks(() => isComplete);
  });

  it('holds few letters of a long queue that only has to be parked', async () => {
    const first = await folder.open();
    await Promise.all(Array.from({ length: 300 }, (_, n) => append(first, [n])));
    const sink = new TestSink();
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
    await ticks(() => disk.steps.some(({ kind, path }) => kind === 'datasync' && path.includes('parked')));
    for (let i = 0; i < 300; i++) await new Promise((resolve) => setImmediate(resolve));
    disk.before = undefined;
    go();
    expect(await parking).toMatchObject({ letters: 300, parked: 300 });
    const syncs = disk.steps.filter(({ kind, path }) => kind === 'datasync' && /parked.*ndjson/.test(path));
    expect(syncs.length).toBeGreaterThan(300 / 64 - 1);
  });

  it('asked to stop, finishes the letter in hand and leaves the others as they are', async () => {
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
    await ticks(() => write.observed);
    stopping.next();
    write.complete();
    await ticks(() => isComplete);
    expect(progress.at(-1)).toMatchObject({ written: 1, remaining: 2 });
    expect((await folder.letters()).map(({ items }) => items[0])).toEqual([2, 3]);
    // Those that were marked to be sent are not held to have failed.
    const sink = new TestSink();
    expect(await replay(queue, { sink, maxReplays: 1 })).toMatchObject({ written: 2, parked: 0 });
  });

  it('unsubscribed, lets go of the write, and its letter stays for the next', async () => {
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
        await ticks(() => begun === i || isComplete);
        subscription.unsubscribe();
      }
      expect(released).toBe(i);
    }
    const sink = new TestSink();
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
    const sink = new TestSink();
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
    await ticks(() => begun > 0);
    await other.close();
    await queue.close();
    write.complete();
    await ticks(() => failure !== undefined);
    expect(failure).toMatchObject({ code: 'SLUICE_DEAD_LETTERS_CLOSED' });
    expect(await folder.letters()).toHaveLength(2);
  });

  it.each<[object, string]>([
    [{}, 'the write of its sink must be a function'],
    [{ sink: new TestSink(), maxReplays: 0 }, 'maxReplays must be an integer of at least 1, got 0'],
    [{ sink: new TestSink(), concurrency: 0.5 }, 'concurrency must be'],
    [{ sink: new TestSink(), limit: 0 }, 'limit must be'],
    [{ sink: new TestSink(), pace: { rate: 0 } }, 'rate must be'],
    [{ sink: new TestSink(), pace: { rate: 1, perMs: 0 } }, 'perMs must be'],
    [{ sink: new TestSink(), filter: { state: 'parked' } }, 'unknown option "state"'],
    [{ sink: new TestSink(), policies: { deadLetters: { append: () => NEVER } } }, 'unknown option "deadLetters"'],
    [{ sink: new TestSink(), policies: { retry: { maxAttempts: 0 } } }, 'maxAttempts must be'],
    [{ sink: new TestSink(), dryRun: 'no' }, 'dryRun must be true or false'],
  ])('refuses %j', async (config, message) => {
    const queue = await folder.open();
    const make = () => replayDeadLetters(queue, config as ReplayDeadLettersConfig<unknown>);
    expect(make).toThrow(message);
    expect(make).toThrow(RangeError);
  });

  it('refuses a queue that is none of ours', () => {
    const other = { append: () => of(diversion([1])) };
    expect(() => replayDeadLetters(other as never, { sink: new TestSink() })).toThrow(
      'queue must come from openDeadLetters()',
    );
  });
});
