import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskError, faultyDisk } from '../../test/support/faultyDisk.js';
import { NotAFileError, nodeDisk, withUnsyncedFolders } from './disk.js';

let root: string;
let umask: number;
beforeEach(() => {
  umask = process.umask(0);
  root = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
});
afterEach(() => {
  process.umask(umask);
  rmSync(root, { recursive: true, force: true });
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe.runIf(process.platform !== 'win32')('what is created is for its owner alone, whatever the umask', () => {
  it.each(['create', 'append', 'appendOwn'] as const)('a file opened to %s', async (mode) => {
    const path = join(root, 'file');
    await (await nodeDisk.open(path, mode)).close();
    expect(modeOf(path)).toBe('600');
  });

  it('a folder and those above it; one that exists stays as it is', async () => {
    mkdirSync(join(root, 'a'), { mode: 0o755 });
    await nodeDisk.makeFolder(join(root, 'a', 'b', 'c'));
    expect(['a', 'a/b', 'a/b/c'].map((name) => modeOf(join(root, name)))).toEqual(['755', '700', '700']);
  });
});

describe.runIf(process.platform === 'linux')('what is no file', () => {
  const things: [string, string, (path: string) => void][] = [
    ['a folder', 'a folder', (path) => mkdirSync(path)],
    [
      'a link to a file',
      'a link',
      (path) => {
        writeFileSync(`${path}.target`, 'x');
        symlinkSync(`${path}.target`, path);
      },
    ],
    ['a link to nothing', 'a link', (path) => symlinkSync('/nowhere', path)],
    ['a pipe', 'a pipe', (path) => void spawnSync('mkfifo', [path])],
  ];
  for (const mode of ['read', 'update', 'appendOwn'] as const) {
    it.each(things)(`is refused at once, opened to ${mode}: %s`, async (_, is, make) => {
      const path = join(root, '1.ndjson');
      make(path);
      const error = await nodeDisk.open(path, mode).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NotAFileError);
      expect(error).toMatchObject({ path, is });
    });
  }

  it('is refused: a socket', async () => {
    const path = join(root, 's');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(nodeDisk.open(path, 'read')).rejects.toMatchObject({ is: 'a socket' });
    server.close();
  });

  it('may be written to where the user names it, as /dev/stdout is: a pipe and a link', async () => {
    const path = join(root, 'link');
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'file'), path);
    const file = await nodeDisk.open(path, 'append');
    await file.close();
  });
});

describe('a folder that cannot be synced', () => {
  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EPERM'])(
    'by %s is used, and told once',
    async (code) => {
      const disk = faultyDisk();
      disk.before = ({ kind }) => {
        if (kind === 'syncFolder') throw diskError(code);
        return undefined;
      };
      const told: string[][] = [];
      const tolerant = withUnsyncedFolders(disk, (...about) => told.push(about));
      for (let i = 0; i < 3; i++) await tolerant.syncFolder(root);
      expect(told).toEqual([[root, code]]);
    },
  );

  it.each(['EIO', 'ENOSPC', 'EACCES', 'EROFS'])('by %s fails', async (code) => {
    const disk = faultyDisk();
    disk.before = () => {
      throw diskError(code);
    };
    await expect(withUnsyncedFolders(disk, () => {}).syncFolder(root)).rejects.toMatchObject({ code });
  });
});
