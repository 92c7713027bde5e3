import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { turnsUntil } from '../../test/support/collect.js';
import { append, deadLetterFolder } from '../../test/support/deadLetterFolder.js';
import { diskError, faultyDisk } from '../../test/support/faultyDisk.js';
import { RefusingSink } from '../../test/support/refusingSink.js';
import { type LetterProblem, readDeadLetters, replayDeadLetters, type UnreadLine } from './index.js';

const folder = deadLetterFolder();

describe.runIf(process.platform !== 'win32')('everything in a folder of dead letters', () => {
  let umask: number;
  beforeEach(() => {
    umask = process.umask(0);
  });
  afterEach(() => void process.umask(umask));

  it('is for its owner alone: files 0600, folders 0700', async () => {
    const queue = await folder.open();
    for (const n of [1, 2]) await append(queue, [n]);
    const ids = (await folder.letters()).map(({ id }) => id);
    await queue.park({ ids: ids.slice(0, 1) });
    await append(queue, [3]);
    await queue.close();
    writeFileSync(join(folder.path, '0000000000001.ndjson'), 'damage\n');
    await (await folder.open()).close();
    const modes = readdirSync(folder.path, { recursive: true, withFileTypes: true }).map((entry) => {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      return `${entry.isDirectory() ? 'folder' : 'file'} ${(mode & 0o777).toString(8)}`;
    });
    // All but the one that this test has written.
    expect(new Set(modes)).toEqual(new Set(['folder 700', 'file 600']));
    expect((statSync(folder.path).mode & 0o777).toString(8)).toBe('700');
  });
});

describe('a file system that cannot sync folders', () => {
  it.each(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF', 'EPERM'])(
    'by %s holds dead letters, and is told once',
    async (code) => {
      const disk = faultyDisk();
      disk.before = ({ kind }) => {
        if (kind === 'syncFolder') throw diskError(code);
        return undefined;
      };
      const problems: LetterProblem[] = [];
      const queue = await folder.open({ disk, segmentBytes: 1_024, onProblem: (problem) => problems.push(problem) });
      for (let n = 0; n < 20; n++) await append(queue, [n]);
      await queue.park({});
      expect(await queue.purge({ state: 'parked' })).toEqual({ letters: 20, items: 20 });
      expect(problems).toEqual([{ kind: 'unsyncedFolder', folder: folder.path, code }]);
    },
  );

  it('by EIO holds none: they wait', async () => {
    const disk = faultyDisk();
    disk.before = ({ kind }) => {
      if (kind === 'syncFolder') throw diskError('EIO');
      return undefined;
    };
    const queue = await folder.open({ disk, closeTimeoutMs: 0 });
    const appending = append(queue, [1]);
    await turnsUntil(() => queue.holding !== undefined);
    expect(queue.holding).toMatchObject({ error: { code: 'EIO' } });
    disk.before = undefined;
    await appending;
  });
});

describe.runIf(process.platform === 'linux')('what is no file and has the name of one', () => {
  const segment = () => join(folder.path, '0000000000009.ndjson');
  const journal = () => join(folder.path, '0000000000009.journal');
  beforeEach(() => mkdirSync(folder.path));

  it.each<[string, string, () => void]>([
    ['a folder', 'a folder', () => mkdirSync(segment())],
    ['a link', 'a link', () => symlinkSync('/etc/hostname', segment())],
    ['a folder for a journal without its segment', 'a folder', () => mkdirSync(journal())],
  ])('is passed over with a word: %s', async (_, is, make) => {
    make();
    const problems: LetterProblem[] = [];
    const queue = await folder.open({ onProblem: (problem) => problems.push(problem) });
    expect(problems).toEqual([{ kind: 'passedOver', path: expect.stringContaining('0000000000009'), is }]);
    await append(queue, [1]);
    const sink = new RefusingSink();
    await lastValueFrom(replayDeadLetters(queue, { sink }));
    expect(sink.taken).toEqual([1]);
  });

  it.each<[string, () => void]>([
    ['a pipe', () => void spawnSync('mkfifo', [segment()])],
    [
      'a pipe for a journal',
      () => {
        writeFileSync(segment(), '');
        spawnSync('mkfifo', [journal()]);
      },
    ],
    [
      'a link for a journal',
      () => {
        writeFileSync(segment(), '');
        symlinkSync('/etc/hostname', journal());
      },
    ],
    ['a link for the parked letters', () => symlinkSync('/tmp', join(folder.path, 'parked'))],
  ])('is refused, with what to do: %s', async (_, make) => {
    make();
    await expect(folder.open()).rejects.toMatchObject({
      code: 'SLUICE_DEAD_LETTERS_FOLDER',
      message: expect.stringMatching(/is a (pipe|link), which is not used: move it out of its folder/),
    });
  });

  it('is reported by a reader too, which takes no lock', async () => {
    mkdirSync(segment());
    const lines: UnreadLine[] = [];
    const read = async () => {
      for await (const letter of readDeadLetters(folder.path, {}, { onProblem: (line) => lines.push(line) }))
        void letter;
    };
    await read();
    expect(lines).toMatchObject([{ is: 'corrupt', reason: expect.stringContaining('is a folder rather than a file') }]);
    rmSync(segment(), { recursive: true });
    spawnSync('mkfifo', [segment()]);
    await expect(read()).rejects.toThrow('is a pipe');
  });
});
