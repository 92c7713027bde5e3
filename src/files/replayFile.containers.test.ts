import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, replay, row } from '../../test/support/barFiles.js';
import { Folder, openPositions } from '../../test/support/folder.js';
import { zipArchive } from '../../test/support/zipArchive.js';
import { openBytes } from './read/openBytes.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

describe('the format of a file in a zip archive', () => {
  it('is told by its own name where that of the archive does not', async () => {
    const path = folder.write('bars.zip', zipArchive([['bars.csv', csv(row(1), row(2))]]));
    const { items, end } = await replay(path);
    expect([items.length, end]).toEqual([2, { kind: 'complete' }]);
    const unknown = folder.write('other.zip', zipArchive([['bars.dat', csv(row(1))]]));
    expect((await replay(unknown)).end).toMatchObject({
      error: { message: expect.stringContaining('the name of "bars.dat" in it does not end in .csv') },
    });
    expect((await replay(unknown, { format: 'csv' })).items).toHaveLength(1);
  });

  it('is told by the archive or by entry before', async () => {
    const archive = zipArchive([
      ['a.csv', csv(row(1))],
      ['b.dat', csv(row(2))],
    ]);
    expect((await replay(folder.write('bars.csv.zip', archive), { entry: 'b.dat' })).items).toHaveLength(1);
    expect((await replay(folder.write('bars.zip', archive), { entry: 'a.csv' })).items).toHaveLength(1);
  });
});

describe.skipIf(!existsSync('/proc/self/fdinfo'))('a container', () => {
  it('is read no further than it is asked for, and closed when it is destroyed', async () => {
    const text = Array.from({ length: 200_000 }, (_, i) => `${i},${(i * 7919) % 104729}\n`).join('');
    const path = folder.write('large.csv.gz', text);
    const stream = openBytes(path);
    await new Promise((resolve) => stream.once('readable', resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stream.readableLength).toBeLessThanOrEqual(64 * 1024);
    expect(openPositions(path)[0]).toBeLessThanOrEqual(2 * 64 * 1024);
    await new Promise((resolve) => stream.destroy().once('close', resolve));
    expect(openPositions(path)).toEqual([]);

    const zip = folder.write('large.zip', zipArchive([['a.csv', text]]));
    const entry = openBytes(zip);
    await new Promise((resolve) => entry.once('readable', resolve));
    expect(entry.innerName).toBe('a.csv');
    await new Promise((resolve) => entry.destroy().once('close', resolve));
    expect(openPositions(zip)).toEqual([]);
  });

  it('is read from a pipe and from standard input, whose first bytes may be few', async () => {
    const pipe = folder.path('pipe.csv');
    execFileSync('mkfifo', [pipe]);
    const gz = folder.write('bars.csv.gz', csv(row(1), row(2)));
    const { spawn } = await import('node:child_process');
    const writer = spawn('sh', ['-c', `{ head -c 1 "$1"; sleep 0.05; tail -c +2 "$1"; } > "$2"`, 'sh', gz, pipe]);
    const { items, end } = await replay(pipe);
    expect([items.length, end]).toEqual([2, { kind: 'complete' }]);
    await new Promise((resolve) => (writer.exitCode === null ? writer.once('exit', resolve) : resolve(undefined)));
  });
});
