import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { DeadLetterHold } from '../../../src/dead-letters/index.js';
import { append, deadLetterFolder } from '../../support/deadLetterFolder.js';
import { type DiskStep, diskError, faultyDisk } from '../../support/faultyDisk.js';

const folder = deadLetterFolder();

/** Lets promises and the disk go on until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

async function setUp(more: { holdLogEveryMs?: number } = {}) {
  const disk = faultyDisk();
  const scheduler = new VirtualTimeScheduler();
  const holds: DeadLetterHold[] = [];
  const queue = await folder.open({ disk, scheduler, onHold: (hold) => holds.push(hold), ...more });
  /** Runs virtual time until something is so. */
  const passUntil = async (isSo: () => boolean) => {
    while (!isSo()) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = scheduler.actions[0];
      if (!next) continue;
      scheduler.maxFrames = next.delay;
      scheduler.flush();
    }
  };
  /** Appends, and tells whether it is durable. */
  const start = (items: readonly unknown[]) => {
    const state = { isDone: false };
    const done = append(queue, items).then(() => {
      state.isDone = true;
    });
    return { state, done };
  };
  return { disk, scheduler, holds, queue, passUntil, start };
}

const failing = (code: string, kinds: readonly DiskStep['kind'][]) => (step: DiskStep) => {
  if (kinds.includes(step.kind)) throw diskError(code);
  return undefined;
};

const items = async () => (await folder.letters()).map((letter) => letter.items[0]);

describe('a disk that takes nothing', () => {
  it('is waited for: no letter fails, none is lost, and none is there twice', async () => {
    const { disk, queue, passUntil, start, holds } = await setUp();
    await append(queue, [0]);
    disk.before = failing('ENOSPC', ['write']);
    const letters = [start([1, 1]), start([2])];
    await until(() => queue.holding !== undefined);
    expect(queue.holding).toMatchObject({ error: { code: 'ENOSPC' }, letters: 2, items: 3 });
    letters.push(start([3]));
    await passUntil(() => disk.steps.filter(({ kind }) => kind === 'write').length > 6);
    expect(letters.map(({ state }) => state.isDone)).toEqual([false, false, false]);
    expect(await items()).toEqual([0]);
    disk.before = undefined;
    await passUntil(() => letters.every(({ state }) => state.isDone));
    await until(() => queue.holding === undefined);
    expect(await items()).toEqual([0, 1, 2, 3]);
    expect(holds[0]).toMatchObject({ sinceMs: 0, letters: 2, items: 3 });
    expect(queue.stats()).toMatchObject({ open: { letters: 4, items: 5 }, appended: { letters: 4, items: 5 } });
  });

  it.each([
    ['and the half-written line is cut off at once', [] as const],
    ['and cannot be cut either, so that it is cut when it can', ['truncate'] as const],
  ])('in the middle of a letter, %s', async (_, alsoFailing) => {
    const { disk, queue, passUntil, start, scheduler } = await setUp();
    await append(queue, [0]);
    const file = join(folder.path, folder.files()[0]!);
    const whole = readFileSync(file, 'utf8');
    let writes = 0;
    disk.before = (step) => {
      if (alsoFailing.some((kind) => kind === step.kind)) throw diskError('EIO');
      if (step.kind !== 'write') return undefined;
      writes += 1;
      if (writes % 2 === 0) throw diskError('ENOSPC');
      return 20;
    };
    const letter = start(['half']);
    await passUntil(() => writes >= 6 || (alsoFailing.length > 0 && writes >= 2));
    // It waits for the next attempt, and is at nothing else.
    await until(() => scheduler.actions.length > 0);
    expect(queue.holding).toBeDefined();
    if (alsoFailing.length === 0) expect(readFileSync(file, 'utf8')).toBe(whole);
    else expect(readFileSync(file, 'utf8')).toHaveLength(whole.length + 20);
    disk.before = undefined;
    await passUntil(() => letter.state.isDone);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
    expect(await items()).toEqual([0, 'half']);
  });

  it('whose sync has failed is written to anew: a second sync alone would prove nothing', async () => {
    const { disk, queue, passUntil, start } = await setUp();
    await append(queue, [0]);
    disk.steps.length = 0;
    let syncs = 0;
    disk.before = ({ kind }) => {
      if (kind === 'datasync' && syncs++ === 0) throw diskError('EIO');
      return undefined;
    };
    const letter = start([1]);
    await passUntil(() => letter.state.isDone);
    const kinds = disk.steps.map(({ kind }) => kind);
    expect(kinds.slice(0, 2)).toEqual(['write', 'datasync']);
    expect(kinds.slice(2)).toContain('truncate');
    expect(kinds.slice(-2)).toEqual(['write', 'datasync']);
    expect(await items()).toEqual([0, 1]);
  });

  it('lets go of all letters of a segment at once: a full disk can be cleared with a purge', async () => {
    const { disk, queue } = await setUp();
    for (let i = 0; i < 100; i++) await append(queue, [i, i]);
    disk.before = failing('ENOSPC', ['write']);
    expect(await queue.purge({})).toEqual({ letters: 100, items: 200 });
    expect(folder.files()).toEqual([]);
    expect(queue.stats()).toMatchObject({ open: { letters: 0, items: 0 }, purged: { letters: 100, items: 200 } });
    expect(queue.holding).toBeUndefined();
  });

  it.each([
    ['letters', () => {}],
    ['letters and a purge that needs room in a journal', (purge: (stage: string) => void) => purge('other')],
  ])('lets go of whole segments while %s wait for it', async (_, alsoWaiting) => {
    const { disk, queue, passUntil, start } = await setUp();
    await append(queue, [0], { stage: 'other' });
    await append(queue, [1], { stage: 'kept' });
    // A purge of nothing ends the segment.
    await queue.purge({ stage: 'none' });
    for (let i = 2; i < 10; i++) await append(queue, [i], { stage: 'write' });
    const [, segment] = folder.files().filter((file) => file.endsWith('.ndjson'));
    disk.before = failing('ENOSPC', ['write']);
    const letters = [start(['a']), start(['b', 'b'])];
    await until(() => queue.holding !== undefined);
    const others: Promise<unknown>[] = [];
    alsoWaiting((stage) => others.push(queue.purge({ stage })));
    let purged: unknown;
    void queue.purge({ stage: 'write' }).then((count) => {
      purged = count;
    });
    await passUntil(() => purged !== undefined);
    expect(purged).toEqual({ letters: 8, items: 8 });
    expect(folder.files()).not.toContain(segment);
    expect(await items()).toEqual([0, 1]);
    expect(letters.map(({ state }) => state.isDone)).toEqual([false, false]);
    expect(queue.holding).toMatchObject({ letters: 2, items: 3 });
    disk.before = undefined;
    await passUntil(() => letters.every(({ state }) => state.isDone));
    let isDone = false;
    void Promise.all(others).then(() => {
      isDone = true;
    });
    await passUntil(() => isDone);
    expect(await items()).toEqual(others.length === 0 ? [0, 1, 'a', 'b'] : [1, 'a', 'b']);
  });

  it('ends no segment with a line in it that could not be cut off: its letter would be there twice', async () => {
    const { disk, queue, passUntil, start } = await setUp();
    await append(queue, [0]);
    disk.before = failing('EIO', ['datasync', 'truncate']);
    const letter = start([1]);
    await until(() => queue.holding !== undefined);
    let isPurged = false;
    const purged = queue.purge({ stage: 'none' }).then(() => {
      isPurged = true;
    });
    await passUntil(() => disk.steps.filter(({ kind }) => kind === 'truncate').length > 5);
    expect(isPurged).toBe(false);
    disk.before = undefined;
    await passUntil(() => letter.state.isDone && isPurged);
    await purged;
    await queue.close();
    const again = await folder.open();
    expect(await items()).toEqual([0, 1]);
    expect(again.stats()).toMatchObject({ open: { letters: 2, items: 2 }, quarantined: 0 });
  });

  it('keeps a segment of which a letter is still needed, and waits with the purge of the others', async () => {
    const { disk, queue, passUntil } = await setUp();
    for (let i = 0; i < 3; i++) await append(queue, [i], { stage: i === 1 ? 'other' : 'write' });
    disk.before = failing('ENOSPC', ['write']);
    let isDone = false;
    const purged = queue.purge({ stage: 'write' }).finally(() => {
      isDone = true;
    });
    await passUntil(() => disk.steps.filter(({ kind }) => kind === 'write').length > 5);
    expect(isDone).toBe(false);
    expect(await items()).toEqual([0, 1, 2]);
    disk.before = undefined;
    await passUntil(() => isDone);
    expect(await purged).toEqual({ letters: 2, items: 2 });
    expect(await items()).toEqual([1]);
  });

  it('keeps a segment with damage that there is no room to set aside', async () => {
    const before = await folder.open();
    await append(before, [0]);
    await before.close();
    const [segment] = folder.files();
    appendFileSync(join(folder.path, segment!), 'torn');
    const disk = faultyDisk();
    disk.before = failing('ENOSPC', ['write']);
    const scheduler = new VirtualTimeScheduler();
    const queue = await folder.open({ disk, scheduler });
    const purged = queue.purge({});
    await until(() => queue.holding !== undefined);
    expect(folder.files()).toContain(segment);
    disk.before = undefined;
    scheduler.flush();
    expect(await purged).toEqual({ letters: 1, items: 1 });
    await queue.close();
    await folder.open();
    expect(folder.files()).toEqual([expect.stringMatching(/^quarantine\//)]);
  });

  it('is reported at once, and then once a period, with how long it has lasted', async () => {
    const { disk, queue, passUntil, start, holds, scheduler } = await setUp({ holdLogEveryMs: 2_000 });
    disk.before = failing('EACCES', ['open']);
    const letter = start([1]);
    await passUntil(() => scheduler.frame > 20_000);
    expect(holds.length).toBeGreaterThan(2);
    expect(holds[0]!.sinceMs).toBe(0);
    for (const [i, { sinceMs }] of holds.slice(1).entries())
      expect(sinceMs - holds[i]!.sinceMs).toBeGreaterThanOrEqual(2_000);
    const tries = disk.steps.filter(({ kind }) => kind === 'open').length;
    expect(tries).toBeGreaterThan(holds.length);
    // It grows to five seconds, and no further: 100, 200, 400, … 5,000, 5,000.
    expect(tries).toBeLessThan(12);
    disk.before = undefined;
    await passUntil(() => letter.state.isDone);
    expect(queue.holding).toBeUndefined();
  });

  it('goes on where the callback that it is reported to throws', async () => {
    const disk = faultyDisk();
    const { config } = await import('rxjs');
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    try {
      const fault = new Error('log is full too');
      const onHold = () => {
        throw fault;
      };
      const queue = await folder.open({ disk, onHold });
      disk.before = (step) => {
        disk.before = undefined;
        return failing('ENOSPC', [step.kind])(step);
      };
      await append(queue, [1]);
      await until(() => unhandled.length > 0);
      expect(unhandled).toEqual([fault]);
      expect(await items()).toEqual([1]);
    } finally {
      config.onUnhandledError = null;
    }
  });

  it('holds removals too, and forgets none', async () => {
    const { disk, queue, passUntil } = await setUp();
    for (const n of [1, 2, 3]) await append(queue, [n]);
    const first = (await folder.letters())[0]!.id;
    disk.before = (step) => (step.path.endsWith('.journal') ? failing('ENOSPC', ['write'])(step) : undefined);
    let purged: unknown;
    const purge = queue.purge({ ids: [first] }).then((tally) => {
      purged = tally;
    });
    await passUntil(() => queue.holding !== undefined);
    expect(await items()).toEqual([1, 2, 3]);
    expect(queue.stats().open.letters).toBe(3);
    disk.before = undefined;
    await passUntil(() => purged !== undefined);
    await purge;
    expect(purged).toEqual({ letters: 1, items: 1 });
    expect(await items()).toEqual([2, 3]);
  });

  it('keeps a segment that it does not let go of, and removes it later', async () => {
    const { disk, queue } = await setUp();
    await append(queue, [1]);
    disk.before = failing('EBUSY', ['remove']);
    await queue.purge({});
    expect(folder.files().length).toBeGreaterThan(0);
    expect(await items()).toEqual([]);
    disk.before = undefined;
    await append(queue, [2]);
    await queue.purge({});
    expect(folder.files()).toEqual([]);
  });

  it('and does not until the queue is closed: what waits fails, and the folder is free', async () => {
    const { disk, queue, passUntil } = await setUp();
    disk.before = failing('ENOSPC', ['write']);
    const failure = append(queue, [1, 2]).catch((error: unknown) => error);
    await until(() => queue.holding !== undefined);
    let isClosed = false;
    const closed = queue.close().then(() => {
      isClosed = true;
    });
    await passUntil(() => isClosed);
    await closed;
    expect(await failure).toMatchObject({
      code: 'SLUICE_DEAD_LETTERS_CLOSED',
      message: `the dead letters in ${folder.path} were closed before 2 items were on the disk: the disk is full; free some space`,
    });
    const again = await folder.open();
    expect(again.stats()).toMatchObject({ open: { letters: 0 }, quarantined: 0 });
  });

  it('is deleted from under it: what comes then is kept in a new file', async () => {
    const { queue } = await setUp();
    await append(queue, [1]);
    rmSync(join(folder.path, folder.files()[0]!));
    await append(queue, [2]);
    expect(await items()).toEqual([2]);
    expect(queue.stats().open).toEqual({ letters: 1, items: 1 });
    rmSync(folder.path, { recursive: true });
    await append(queue, [3]);
    expect(await items()).toEqual([3]);
  });

  it('cannot take what is damaged out of a segment: the letters are read all the same, and nothing goes', async () => {
    const first = await folder.open({ now: () => 5 });
    await append(first, [1]);
    await first.close();
    const file = join(folder.path, '0000000000005.ndjson');
    const { appendFileSync } = await import('node:fs');
    appendFileSync(file, 'torn');
    const disk = faultyDisk();
    disk.before = (step) => (step.path.includes('quarantine') ? failing('ENOSPC', ['makeFolder'])(step) : undefined);
    const queue = await folder.open({ disk });
    expect(await items()).toEqual([1]);
    await queue.purge({});
    expect(readFileSync(file, 'utf8')).toContain('torn');
    disk.before = undefined;
    mkdirSync(join(folder.path, 'quarantine'));
    await append(queue, [2]);
    await queue.purge({});
    expect(folder.files()[0]).toMatch(/quarantine.0000000000005@\d+\.ndjson$/);
    expect(folder.files()).toHaveLength(1);
  });
});
