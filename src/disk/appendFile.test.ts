import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskError, faultyDisk } from '../../test/support/faultyDisk.js';
import { AppendFile } from './appendFile.js';

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-append-'));
  path = join(root, 'file');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = () => readFileSync(path, 'utf8');

describe('AppendFile', () => {
  it('leaves nothing of what it could not write, nor cut off at once, under what is shorter', async () => {
    const disk = faultyDisk();
    const file = new AppendFile(disk, path, 'create');
    await file.append(Buffer.from('one\n'));
    disk.before = ({ kind }) => {
      if (kind === 'datasync' || kind === 'truncate') throw diskError('EIO');
      return undefined;
    };
    await expect(file.append(Buffer.from('a long line\n'))).rejects.toMatchObject({ code: 'EIO' });
    expect(text()).toBe('one\na long line\n');
    disk.before = undefined;
    await file.append(Buffer.from('2\n'));
    expect(text()).toBe('one\n2\n');
    expect(file.size).toBe(6);
    await file.close();
  });

  it('cuts off what it could not write at once, where it can', async () => {
    const disk = faultyDisk();
    const file = new AppendFile(disk, path, 'create');
    disk.before = ({ kind }) => {
      if (kind !== 'datasync') return undefined;
      disk.before = undefined;
      throw diskError('ENOSPC');
    };
    await expect(file.append(Buffer.from('lost\n'))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(text()).toBe('');
    await file.append(Buffer.from('kept\n'));
    expect(text()).toBe('kept\n');
    await file.close();
  });

  it('ends the torn line of another, refuses a file that must be new, and notices one that was deleted', async () => {
    writeFileSync(path, 'torn');
    const disk = faultyDisk();
    await expect(new AppendFile(disk, path, 'create').append(Buffer.from('x\n'))).rejects.toMatchObject({
      code: 'EEXIST',
    });
    const file = new AppendFile(disk, path, 'append');
    await file.append(Buffer.from('1\n'));
    await file.append(Buffer.from('2\n'));
    expect(text()).toBe('torn\n1\n2\n');
    expect(await file.isGone()).toBe(false);
    rmSync(path);
    expect(await file.isGone()).toBe(true);
    await file.close();
    await file.append(Buffer.from('3\n'));
    expect(text()).toBe('3\n');
    await file.close();
    const created = new AppendFile(disk, `${path}-new`, 'create');
    await created.create();
    await created.close();
    rmSync(`${path}-new`);
    expect(await created.isGone()).toBe(true);
  });

  it('writes all of it to a disk that takes a few bytes at a time', async () => {
    const disk = faultyDisk();
    disk.before = ({ kind }) => (kind === 'write' ? 3 : undefined);
    const file = new AppendFile(disk, path, 'create');
    await file.append(Buffer.from('ten bytes\n'));
    expect(text()).toBe('ten bytes\n');
    await file.close();
  });
});
