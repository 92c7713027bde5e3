import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { append, deadLetterFolder, diversion } from '../../test/support/deadLetterFolder.js';
import { coded } from '../../test/support/errors.js';
import { faultyDisk } from '../../test/support/faultyDisk.js';
import { countDeadLetters, isDeadLetterError, type LetterProblem, openDeadLetters } from './index.js';

const folder = deadLetterFolder();

describe('openDeadLetters', () => {
  it('makes a line a letter, with all that is known about the items', async () => {
    const queue = await folder.open({ now: () => 1_700_000_000_000.5 });
    const error = coded('22003', 'value out of range');
    await append(queue, [{ kind: 'bar', n: 1 }], { stage: 'bars.write', error, attempts: 3 });
    expect(await folder.letters()).toEqual([
      {
        id: '1700000000000-1',
        at: 1_700_000_000_000.5,
        pipeline: 'test',
        stage: 'bars.write',
        reason: 'poison',
        error: { name: 'Error', code: '22003', sqlState: '22003', message: 'value out of range' },
        attempts: 3,
        replays: 0,
        kind: 'bar',
        items: [{ kind: 'bar', n: 1 }],
        state: 'open',
      },
    ]);
    expect(folder.files()).toEqual(['1700000000000.ndjson']);
  });

  it('completes when the bytes and the names of new files are on the disk, and not before', async () => {
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    disk.steps.length = 0;
    await append(queue, [1]);
    const file = join(folder.path, folder.files()[0]!);
    expect(disk.steps.filter(({ kind }) => kind !== 'makeFolder')).toEqual([
      { kind: 'open', path: file },
      { kind: 'write', path: file },
      { kind: 'datasync', path: file },
      { kind: 'syncFolder', path: folder.path },
    ]);
    disk.steps.length = 0;
    let go = () => {};
    disk.before = ({ kind }) =>
      kind === 'datasync' ? new Promise((resolve) => (go = () => resolve(undefined))) : undefined;
    let isDone = false;
    const done = append(queue, [2]).then(() => {
      isDone = true;
    });
    while (!disk.steps.some(({ kind }) => kind === 'datasync')) await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    go();
    await done;
    expect(disk.steps.map(({ kind }) => kind)).toEqual(['write', 'datasync']);
  });

  it('writes what comes during a sync with the next one, in the order it came', async () => {
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    await append(queue, [0]);
    disk.steps.length = 0;
    await Promise.all(Array.from({ length: 100 }, (_, n) => append(queue, [n + 1])));
    expect(disk.steps.filter(({ kind }) => kind === 'datasync')).toHaveLength(1);
    expect((await folder.letters()).map(({ items }) => items[0])).toEqual(Array.from({ length: 101 }, (_, n) => n));
    expect(queue.stats()).toMatchObject({ open: { letters: 101, items: 101 }, appended: { letters: 101, items: 101 } });
  });

  it('starts nothing before it is subscribed, and finishes what is unsubscribed', async () => {
    const queue = await folder.open();
    const letter = queue.append(diversion([1]));
    await append(queue, [2]);
    expect(await folder.letters()).toHaveLength(1);
    letter.subscribe().unsubscribe();
    await append(queue, [3]);
    expect((await folder.letters()).map(({ items }) => items[0])).toEqual([2, 1, 3]);
  });

  it('writes what the items were when they were given up', async () => {
    const queue = await folder.open();
    const item = { n: 1 };
    const done = append(queue, [item]);
    item.n = 2;
    await done;
    expect((await folder.letters())[0]!.items).toEqual([{ n: 1 }]);
  });

  it('begins a new segment when one is full, and names it after all others, whatever the clock says', async () => {
    let now = 5_000;
    const queue = await folder.open({ segmentBytes: 1_024, now: () => now-- });
    for (let n = 0; n < 12; n++) await append(queue, [{ n, pad: 'x'.repeat(200) }]);
    const segments = folder.files();
    expect(segments.length).toBeGreaterThan(2);
    expect(segments[0]).toBe('0000000004999.ndjson');
    expect((await folder.letters()).map(({ items }) => (items[0] as { n: number }).n)).toEqual(
      Array.from({ length: 12 }, (_, n) => n),
    );
    for (const file of segments) expect(readFileSync(join(folder.path, file)).length).toBeLessThanOrEqual(1_400);
  });

  it('splits a letter that would be too long, and refuses an item that is', async () => {
    const queue = await folder.open({ maxLetterBytes: 2_048 });
    const items = Array.from({ length: 40 }, (_, n) => ({ n, pad: 'x'.repeat(100) }));
    await append(queue, items);
    const letters = await folder.letters();
    expect(letters.length).toBeGreaterThan(2);
    expect(letters.flatMap((letter) => letter.items)).toEqual(items);
    await expect(append(queue, ['x'.repeat(3_000)])).rejects.toMatchObject({ code: 'SLUICE_DEAD_LETTERS_TOO_LARGE' });
    await expect(append(queue, [{ f: () => {} }])).rejects.toThrow('items[0].f is a function');
    expect(await folder.letters()).toHaveLength(letters.length);
  });

  it('finds the letters again, and counts them without reading them', async () => {
    const queue = await folder.open();
    await append(queue, [1, 2]);
    await append(queue, [3]);
    await queue.park({ ids: [(await folder.letters())[0]!.id] });
    await queue.close();
    const again = await folder.open();
    expect(again.stats()).toMatchObject({ open: { letters: 1, items: 1 }, parked: { letters: 1, items: 2 } });
    expect(await countDeadLetters(folder.path)).toEqual({
      open: { letters: 1, items: 1 },
      parked: { letters: 1, items: 2 },
      quarantined: 0,
      unknownVersion: 0,
    });
    await append(again, [4]);
    expect((await folder.letters()).map(({ items }) => items)).toEqual([[3], [4]]);
  });

  it('purges, parks and unparks the letters that are meant, and no others', async () => {
    let now = 10;
    const queue = await folder.open({ now: () => now++ });
    await append(queue, [{ kind: 'bar' }], { stage: 'a', reason: 'poison' });
    await append(queue, [{ kind: 'news' }], { stage: 'a', reason: 'exhausted' });
    await append(queue, [{ kind: 'bar' }], { stage: 'b', reason: 'exhausted' });
    const ids = async (filter: Parameters<typeof folder.letters>[0]) =>
      (await folder.letters(filter)).map(({ at }) => at);
    const [first, second, third] = await ids({});
    expect(await ids({ stage: 'a' })).toEqual([first, second]);
    expect(await ids({ reason: 'exhausted' })).toEqual([second, third]);
    expect(await ids({ kind: 'bar', stage: 'b' })).toEqual([third]);
    expect(await ids({ from: second!, to: third! })).toEqual([second]);
    expect(await queue.purge({ stage: 'b' })).toEqual({ letters: 1, items: 1 });
    expect(await queue.park({ reason: 'poison' })).toEqual({ letters: 1, items: 1 });
    expect(await ids({})).toEqual([second]);
    expect(await ids({ state: 'parked' })).toEqual([first]);
    expect(await queue.unpark({})).toEqual({ letters: 1, items: 1 });
    expect(await ids({})).toEqual([second, first]);
    expect((await folder.letters())[1]).toMatchObject({ replays: 0, previous: expect.stringMatching(/^\d+-1$/) });
    expect(await queue.purge({})).toEqual({ letters: 2, items: 2 });
    expect(queue.stats()).toMatchObject({ open: { letters: 0, items: 0 }, purged: { letters: 3, items: 3 } });
    expect(folder.files()).toEqual([]);
  });

  it('is shared by all who open it in one process, each with its own pipeline, until the last has closed it', async () => {
    const first = await folder.open({ pipeline: 'first' });
    const [second, third] = await Promise.all([
      folder.open({ pipeline: 'second' }),
      folder.open({ pipeline: 'third' }),
    ]);
    symlinkSync(folder.path, `${folder.path}-link`);
    const linked = await openDeadLetters<unknown>(`${folder.path}-link`, { pipeline: 'linked' });
    const queues = [first, second!, third!, linked];
    await Promise.all(Array.from({ length: 40 }, (_, n) => append(queues[n % 4]!, [n])));
    expect(new Set((await folder.letters()).map(({ id }) => id)).size).toBe(40);
    expect((await folder.letters({})).map(({ pipeline }) => pipeline).slice(0, 4)).toEqual([
      'first',
      'second',
      'third',
      'linked',
    ]);
    await first.close();
    await first.close();
    await expect(append(first, [1])).rejects.toMatchObject({ code: 'SLUICE_DEAD_LETTERS_CLOSED' });
    await append(linked, [41]);
    expect(folder.files()).toHaveLength(1);
    await Promise.all(queues.map((queue) => queue.close()));
    const closing = folder.open().then((queue) => queue.close());
    const again = await folder.open();
    await closing;
    await append(again, [42]);
    expect(await folder.letters()).toHaveLength(42);
  });

  it.runIf(process.platform === 'linux')(
    'is refused to a second process, which is told who has it, and free when that one is killed',
    async () => {
      mkdirSync(folder.path);
      const code = `
      const { dev, ino } = require('node:fs').statSync(${JSON.stringify(folder.path)});
      const server = require('node:net').createServer((socket) => socket.end(process.pid + '\\n'));
      server.listen({ path: '\\0sluice/folder/' + dev + '-' + ino }, () => console.log('locked'));
    `;
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await expect(folder.open()).rejects.toMatchObject({
        code: 'SLUICE_DEAD_LETTERS_LOCKED',
        message: `the dead letters in ${folder.path} are in use by process ${child.pid}: stop that one first, or choose another folder`,
      });
      child.kill('SIGKILL');
      await ended;
      const queue = await folder.open();
      await append(queue, [1]);
      expect(folder.files()).toHaveLength(1);
    },
  );

  it('says what is the matter with a folder that it cannot use', async () => {
    writeFileSync(folder.path, '');
    const opening = openDeadLetters(folder.path, { pipeline: 'p' });
    await expect(opening).rejects.toMatchObject({
      code: 'SLUICE_DEAD_LETTERS_FOLDER',
      message: expect.stringContaining('a file stands where a folder should be'),
    });
    await opening.catch((error: unknown) => expect(isDeadLetterError(error)).toBe(true));
    rmSync(folder.path);
    await folder.open();
  });

  it.each<[object, string]>([
    [{ pipeline: '' }, 'pipeline must be a string that is not empty'],
    [{ pipeline: 'p', segmentBytes: 10 }, 'segmentBytes must be an integer of at least 1024, got 10'],
    [{ pipeline: 'p', maxLetterBytes: 2 ** 40 }, 'maxLetterBytes must be an integer from 1024 to'],
    [{ pipeline: 'p', holdLogEveryMs: -1 }, 'holdLogEveryMs must be a finite number'],
    [{ pipeline: 'p', closeTimeoutMs: Number.NaN }, 'closeTimeoutMs must be'],
    [{ pipeline: 'p', onHold: 5 }, 'onHold must be a function'],
    [{ pipeline: 'p', segmentSize: 5 }, 'unknown option "segmentSize"'],
  ])('refuses %j', async (config, message) => {
    await expect(openDeadLetters(folder.path, config as { pipeline: string })).rejects.toThrow(message);
    await expect(openDeadLetters(folder.path, config as { pipeline: string })).rejects.toThrow(RangeError);
  });

  it('refuses filters that say nothing', async () => {
    const queue = await folder.open();
    await expect(queue.purge({ stages: 'a' } as object)).rejects.toThrow('unknown option "stages"');
    await expect(queue.purge({ from: Number.NaN })).rejects.toThrow(RangeError);
    await expect(queue.purge({ ids: 'a' } as object)).rejects.toThrow('ids must be an array');
    expect(() => queue.park({ state: 'open' })).toThrow(RangeError);
  });
});

describe('damage in a folder', () => {
  const problems: LetterProblem[] = [];
  const onProblem = (problem: LetterProblem) => problems.push(problem);
  const segment = '1700000000000';
  /** Three letters in one segment, which `damage` then changes. */
  const damaged = async (damage: (text: string) => string | Buffer) => {
    problems.length = 0;
    const queue = await folder.open({ now: () => Number(segment) });
    for (const n of [1, 2, 3]) await append(queue, [n]);
    await queue.close();
    const file = join(folder.path, `${segment}.ndjson`);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, damage(text));
    return text;
  };
  const items = async () => (await folder.letters()).map((letter) => letter.items[0]);

  it('at the end: the torn line is kept aside, once, and the whole ones are read', async () => {
    const text = await damaged((text) => text.slice(0, -5));
    const offset = text.indexOf('\n', text.indexOf('\n') + 1) + 1;
    expect(await items()).toEqual([1, 2]);
    const queue = await folder.open({ onProblem });
    const kept = join('quarantine', `${segment}@${offset}.ndjson`);
    const length = text.length - 5 - offset;
    expect(problems).toEqual([{ kind: 'quarantined', segment, offset, length, path: join(folder.path, kept) }]);
    expect(readFileSync(join(folder.path, kept), 'utf8')).toBe(text.slice(offset, -5));
    expect(queue.stats()).toMatchObject({ open: { letters: 2, items: 2 }, quarantined: 1 });
    await queue.close();
    const again = await folder.open({ onProblem });
    expect(problems).toHaveLength(1);
    await again.purge({});
    expect(folder.files()).toEqual([kept]);
    await append(again, [4]);
    expect(await items()).toEqual([4]);
  });

  it('at the end, where only the line end is missing, is none', async () => {
    await damaged((text) => text.slice(0, -1));
    await folder.open({ onProblem });
    expect(await items()).toEqual([1, 2, 3]);
    expect(problems).toEqual([]);
  });

  it('in the middle: what lies together is kept together, byte by byte', async () => {
    const rubbish = Buffer.from([0, 0, 0x0a, 0xff, 0x0a, 0x7b, 0x0a]);
    let offset = 0;
    await damaged((text) => {
      offset = text.indexOf('\n') + 1;
      return Buffer.concat([Buffer.from(text.slice(0, offset)), rubbish, Buffer.from(text.slice(offset))]);
    });
    const queue = await folder.open({ onProblem });
    expect(await items()).toEqual([1, 2, 3]);
    expect(problems).toMatchObject([{ kind: 'quarantined', offset, length: rubbish.length }]);
    expect(readFileSync(join(folder.path, 'quarantine', `${segment}@${offset}.ndjson`))).toEqual(rubbish);
    expect(queue.stats().open).toEqual({ letters: 3, items: 3 });
  });

  it('inside of a line that looks whole is found when the letter is read', async () => {
    const text = await damaged((text) => text.replace('"items":[2]', '"items":[2'));
    const queue = await folder.open({ onProblem });
    expect(await items()).toEqual([1, 3]);
    expect(problems).toEqual([]);
    expect(await queue.purge({ ids: [`${segment}-1`] })).toEqual({ letters: 1, items: 1 });
    expect(problems).toMatchObject([{ kind: 'quarantined', offset: text.indexOf('\n') + 1 }]);
    expect(queue.stats()).toMatchObject({ open: { letters: 1, items: 1 }, quarantined: 1 });
    await queue.purge({});
    expect(folder.files()).toEqual([join('quarantine', `${segment}@${text.indexOf('\n') + 1}.ndjson`)]);
  });

  it('of a line without an end holds no more than a letter may be', async () => {
    const text = await damaged(
      (text) => `${text}${'x'.repeat(3_000_000)}\n${text.split('\n')[0]!.replace('-1"', '-4"')}\n`,
    );
    const queue = await folder.open({ onProblem, maxLetterBytes: 1_024 });
    expect(problems).toMatchObject([{ offset: text.length, length: 3_000_001 }]);
    expect(queue.stats().open.letters).toBe(4);
  });

  it('of a place that cannot be asks for no memory', async () => {
    await damaged((text) => text.replace(`${segment}-2"`, `${segment}-99999999999"`));
    const queue = await folder.open({ onProblem });
    expect(problems).toHaveLength(1);
    expect(queue.stats().open.letters).toBe(2);
    expect(await queue.purge({})).toEqual({ letters: 2, items: 2 });
  });

  it('is not what a later version has written: that stays where it is', async () => {
    const later = '{"v":99,"what":"ever"}\n';
    await damaged((text) => text + later);
    const queue = await folder.open({ onProblem });
    expect(problems).toEqual([{ kind: 'unknownVersion', segment, letters: 1 }]);
    expect(queue.stats()).toMatchObject({ open: { letters: 3 }, unknownVersion: 1, quarantined: 0 });
    await queue.purge({});
    expect(readFileSync(join(folder.path, `${segment}.ndjson`), 'utf8')).toContain(later);
    expect((await countDeadLetters(folder.path)).unknownVersion).toBe(1);
    await queue.close();
    expect((await folder.open()).stats()).toMatchObject({ open: { letters: 0 }, unknownVersion: 1 });
  });

  it('of a journal costs no removal that was durable, and makes none', async () => {
    await damaged((text) => text);
    const journal = join(folder.path, `${segment}.journal`);
    // The torn line would be a removal of letter 1, if it were one.
    writeFileSync(journal, '["-",2]\nrubbish\n["-",1');
    const queue = await folder.open();
    expect(await items()).toEqual([1, 3]);
    await queue.purge({ ids: [`${segment}-3`] });
    await queue.close();
    expect((await folder.open()).stats().open.letters).toBe(1);
    expect(await items()).toEqual([1]);
  });

  it('where a journal outlived its segment is cleared up, and its name is not used again', async () => {
    mkdirSync(folder.path);
    writeFileSync(join(folder.path, `${segment}.journal`), '["-",1]\n');
    const queue = await folder.open({ now: () => Number(segment) });
    await append(queue, [1]);
    expect(folder.files()).toEqual([`${Number(segment) + 1}.ndjson`]);
    expect(await items()).toEqual([1]);
  });

  it('is reported to who only reads, with the reason', async () => {
    await damaged((text) => `${text}{}\n`);
    const unread: unknown[] = [];
    const { readDeadLetters } = await import('./index.js');
    for await (const _ of readDeadLetters(folder.path, {}, { onProblem: (problem) => unread.push(problem) }));
    expect(unread).toEqual([
      { segment, offset: expect.any(Number), length: 3, is: 'corrupt', reason: 'it has no version' },
    ]);
  });
});

describe('a path that only a shell understands', () => {
  it.each(['~/letters', '$HOME/letters'])('is refused by whatever opens or reads a folder: %s', async (path) => {
    const { countDeadLetters, readDeadLetters } = await import('./index.js');
    await expect(openDeadLetters(path, { pipeline: 'test' })).rejects.toThrow(
      /folder has .*, which only a shell replaces/,
    );
    expect(() => readDeadLetters(path)).toThrow(/folder has /);
    await expect((async () => countDeadLetters(path))()).rejects.toThrow(/folder has /);
  });
});
