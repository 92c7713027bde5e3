import { lastValueFrom, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { turnsUntil } from '../../test/support/collect.js';
import { append, deadLetterFolder, diversion } from '../../test/support/deadLetterFolder.js';
import { faultyDisk } from '../../test/support/faultyDisk.js';
import { fatal, poison, RefusingSink } from '../../test/support/refusingSink.js';
import { type ReplayDeadLettersConfig, type ReplayProgress, replayDeadLetters } from './index.js';

const folder = deadLetterFolder();

type Queue = Awaited<ReturnType<typeof folder.open>>;
const replay = (queue: Queue, config: ReplayDeadLettersConfig<unknown>) =>
  lastValueFrom(replayDeadLetters(queue, config));

describe('replayDeadLetters', () => {
  it('replay re-reads without removing', async () => {
    // The fault of an earlier system: each replay sent everything again, as nothing that was written was ever removed.
    const queue = await folder.open();
    for (const n of [1, 2, 3]) await append(queue, [n, n * 10]);
    const sink = new RefusingSink();
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
    await replayDeadLetters(queue, { sink: new RefusingSink() }).forEach((one) => void progress.push(one));
    expect(progress.flatMap(({ removed }) => removed)).toEqual(ids);
    expect(progress.map(({ letters, remaining }) => letters + remaining)).toEqual(progress.map(() => 50));
    expect(queue.stats()).toMatchObject({ open: { letters: 0, items: 0 }, replayed: { letters: 50, items: 50 } });
  });

  it('removes a letter only when its items are written, and that is on the disk before it is reported', async () => {
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
    await turnsUntil(() => write.observed);
    // The attempt is on the disk before the sink hears of it, and the letter is still there.
    expect(disk.steps.at(-1)!.kind).toBe('syncFolder');
    expect(disk.steps.at(-2)).toMatchObject({ kind: 'datasync', path: expect.stringMatching(/journal$/) });
    expect(await folder.letters()).toHaveLength(1);
    expect(progress).toEqual([]);
    disk.steps.length = 0;
    write.next({ rows: 1 });
    write.complete();
    await turnsUntil(() => isComplete);
    expect(disk.steps.map(({ kind }) => kind).slice(0, 2)).toEqual(['write', 'datasync']);
    expect(progress).toMatchObject([{ written: 1, removed: [expect.stringMatching(/-1$/)] }]);
    expect(await folder.letters()).toEqual([]);
  });

  it('puts only what fails again into new letters, as old as the one they come from, one for each error', async () => {
    let now = 100;
    const queue = await folder.open({ now: () => now++ });
    await append(queue, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }], { attempts: 5, reason: 'exhausted' });
    const [old] = await folder.letters();
    const sink = new RefusingSink();
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
    const sink = new RefusingSink();
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
    const sink = new RefusingSink();
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
    const sink = new RefusingSink();
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
    const sink = new RefusingSink();
    await Promise.all([replay(queue, { sink }), replay(queue, { sink, concurrency: 3 }), queue.purge({ ids: [] })]);
    expect([...sink.taken].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(folder.files()).toEqual([]);
  });

  it('keeps the order of letters and items, and each item as it was', async () => {
    const queue = await folder.open({ segmentBytes: 1_024 });
    const items = Array.from({ length: 100 }, (_, n) => ({ n, seq: 1_000 - n, at: new Date(n), gap: Number.NaN }));
    for (let n = 0; n < 100; n += 5) await append(queue, items.slice(n, n + 5));
    const sink = new RefusingSink();
    await replay(queue, { sink });
    expect(sink.taken).toEqual(items);
  });

  it('sends the letters that are meant, as many as it may', async () => {
    const queue = await folder.open();
    for (const n of [1, 2, 3, 4]) await append(queue, [n], { stage: n % 2 === 0 ? 'even' : 'odd' });
    const sink = new RefusingSink();
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
    const sink = new RefusingSink();
    const progress = await replay(queue, { sink, dryRun: true, filter: { reason: 'poison' } });
    expect(progress).toMatchObject({ letters: 3, items: 6, written: 0, remaining: 0, removed: [], added: [] });
    expect(sink.batches).toEqual([]);
    expect(disk.steps).toEqual([]);
    expect(await replay(queue, { sink })).toMatchObject({ written: 6 });
  });

  it('says so once where there is nothing to do', async () => {
    const queue = await folder.open({ now: () => 7 });
    const progress: ReplayProgress[] = [];
    await replayDeadLetters(queue, { sink: new RefusingSink() }).forEach((one) => void progress.push(one));
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
    const sink = new RefusingSink();
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

  it.each<[object, string]>([
    [{}, 'the write of its sink must be a function'],
    [{ sink: new RefusingSink(), maxReplays: 0 }, 'maxReplays must be an integer of at least 1, got 0'],
    [{ sink: new RefusingSink(), concurrency: 0.5 }, 'concurrency must be'],
    [{ sink: new RefusingSink(), limit: 0 }, 'limit must be'],
    [{ sink: new RefusingSink(), pace: { rate: 0 } }, 'rate must be'],
    [{ sink: new RefusingSink(), pace: { rate: 1, perMs: 0 } }, 'perMs must be'],
    [{ sink: new RefusingSink(), filter: { state: 'parked' } }, 'unknown option "state"'],
    [{ sink: new RefusingSink(), policies: { deadLetters: { append: () => NEVER } } }, 'unknown option "deadLetters"'],
    [{ sink: new RefusingSink(), policies: { retry: { maxAttempts: 0 } } }, 'maxAttempts must be'],
    [{ sink: new RefusingSink(), dryRun: 'no' }, 'dryRun must be true or false'],
  ])('refuses %j', async (config, message) => {
    const queue = await folder.open();
    const make = () => replayDeadLetters(queue, config as ReplayDeadLettersConfig<unknown>);
    expect(make).toThrow(message);
    expect(make).toThrow(RangeError);
  });

  it('refuses a queue that is none of ours', () => {
    const other = { append: () => of(diversion([1])) };
    expect(() => replayDeadLetters(other as never, { sink: new RefusingSink() })).toThrow(
      'queue must come from openDeadLetters()',
    );
  });
});
