import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { coded } from '../../test/support/errors.js';
import { isNdjsonError } from './ndjsonError.js';
import { type NdjsonSinkConfig, ndjsonSink } from './ndjsonSink.js';

/** May change what a file does that is opened. */
let onOpen: ((file: FileHandle, path: string) => void) | undefined;
afterEach(() => {
  onOpen = undefined;
});

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  return {
    ...fs,
    async open(path: string, flags: string) {
      const file = await fs.open(path, flags);
      onOpen?.(file, path);
      return file;
    },
  };
});

/** Takes half of a batch, and fails. */
function writeHalf(file: FileHandle): void {
  const write = file.write.bind(file);
  file.write = (async (_: Uint8Array, __: number, ___: number, position: number) => {
    await write(Buffer.from('2\n3'), 0, 3, position);
    throw coded('ENOSPC');
  }) as unknown as FileHandle['write'];
}

const root = mkdtempSync(join(tmpdir(), 'sluice-ndjson-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let path: string;
beforeEach(() => {
  path = join(root, `folder-${count++}`, 'out.ndjson');
});

const write = <T>(sink: ReturnType<typeof ndjsonSink<T>>, batch: readonly T[]) =>
  lastValueFrom(from(sink.write(batch)));
const lines = () => readFileSync(path, 'utf8').split('\n');

describe('ndjsonSink', () => {
  it.each([{}, { fsync: true }])(
    'appends a line an item, and makes the folder (%j)',
    async (config: NdjsonSinkConfig<unknown>) => {
      const sink = ndjsonSink<unknown>(path, config);
      expect(await write(sink, [{ a: 1 }, 'two\nlines', null])).toEqual({ rows: 3 });
      await write(ndjsonSink<unknown>(path, config), [4]);
      expect(lines()).toEqual(['{"a":1}', '"two\\nlines"', 'null', '4', '']);
    },
  );

  it('writes nothing before it is subscribed', () => {
    ndjsonSink(path).write([1]);
    expect(existsSync(path)).toBe(false);
  });

  it('keeps the batches of lanes apart, in the order of their subscription', async () => {
    const sink = ndjsonSink<string>(path);
    // The first are long and the last short: left alone, the last would be done first.
    const batches = Array.from({ length: 20 }, (_, b) =>
      Array.from({ length: Math.ceil(4 ** (9 - b / 2)) }, (_, i) => `${b}-${i}`),
    );
    await Promise.all(batches.map((batch) => write(sink, batch)));
    expect(
      lines()
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
    ).toEqual(batches.flat());
  });

  it('leaves nothing of a batch with an item that is not JSON, and writes the next', async () => {
    const sink = ndjsonSink<unknown>(path);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    await expect(write(sink, [1, circle])).rejects.toMatchObject({ name: 'NdjsonError', code: 'SLUICE_NDJSON_VALUE' });
    await expect(write(sink, [1, undefined])).rejects.toThrow('not JSON');
    await expect(write(sink, [1, 2n])).rejects.toThrow('not JSON');
    await write(sink, [2]);
    expect(lines()).toEqual(['2', '']);
  });

  it('names a folder that is a file, and works once it is not', async () => {
    const sink = ndjsonSink<number>(path);
    const folder = join(path, '..');
    writeFileSync(folder, '');
    const failed = write(sink, [1]);
    await expect(failed).rejects.toThrow(`cannot write ${path}: a file stands where a folder should be`);
    await failed.catch((error: unknown) => expect(isNdjsonError(error)).toBe(true));
    rmSync(folder);
    await write(sink, [2]);
    expect(lines()).toEqual(['2', '']);
  });

  it('names a path that is a folder', async () => {
    mkdirSync(path, { recursive: true });
    await expect(write(ndjsonSink(path), [1])).rejects.toThrow('it is a folder');
  });

  it.runIf(existsSync('/dev/full'))('names a full disk', async () => {
    await expect(write(ndjsonSink('/dev/full'), [1])).rejects.toMatchObject({
      message: expect.stringContaining('the disk is full'),
      cause: { code: 'ENOSPC' },
    });
  });

  it('gives a torn last line its end, so that it does not swallow the next item', async () => {
    mkdirSync(join(path, '..'));
    writeFileSync(path, '1\n{"a":');
    const sink = ndjsonSink<number>(path);
    await write(sink, [2]);
    await write(sink, [3]);
    expect(lines()).toEqual(['1', '{"a":', '2', '3', '']);
  });

  it('leaves nothing of a batch that the disk takes half of', async () => {
    const sink = ndjsonSink<number>(path);
    await write(sink, [1]);
    onOpen = (file) => {
      writeHalf(file);
    };
    await expect(write(sink, [2, 34])).rejects.toThrow('the disk is full');
    expect(lines()).toEqual(['1', '']);
    onOpen = undefined;
    await write(sink, [5]);
    expect(lines()).toEqual(['1', '5', '']);
  });

  it('cuts off with the next batch what could not be cut off at once', async () => {
    const sink = ndjsonSink<number>(path);
    await write(sink, [1]);
    onOpen = (file) => {
      writeHalf(file);
      file.truncate = async () => {
        throw coded('EIO');
      };
    };
    await expect(write(sink, [2, 34])).rejects.toThrow('the disk is full');
    onOpen = undefined;
    await write(sink, [5]);
    expect(lines()).toEqual(['1', '5', '']);
  });

  it('fails when the file cannot be closed, and leaves nothing of the batch', async () => {
    const sink = ndjsonSink<number>(path);
    onOpen = (file) => {
      const close = file.close.bind(file);
      file.close = async () => {
        await close();
        throw coded('EDQUOT');
      };
    };
    await expect(write(sink, [1])).rejects.toThrow('the disk quota is used up');
    onOpen = undefined;
    await write(sink, [2]);
    expect(lines()).toEqual(['2', '']);
  });

  it.runIf(process.platform !== 'win32')('with fsync puts the folder of a new file on the disk too', async () => {
    const synced: string[] = [];
    onOpen = (file, opened) => {
      const { sync, datasync } = file;
      file.sync = () => {
        synced.push(opened);
        return sync.call(file);
      };
      file.datasync = () => {
        synced.push(opened);
        return datasync.call(file);
      };
    };
    const deep = join(path, '..', 'deep', 'out.ndjson');
    const sink = ndjsonSink<number>(deep, { fsync: true });
    await write(sink, [1]);
    const folder = join(path, '..');
    expect(synced).toEqual([folder, root, deep, join(folder, 'deep')]);
    await write(sink, [2]);
    expect(synced.slice(4)).toEqual([deep]);
    synced.length = 0;
    await write(ndjsonSink<number>(join(folder, 'beside.ndjson'), { fsync: true }), [1]);
    expect(synced).toEqual([join(folder, 'beside.ndjson'), folder]);
    synced.length = 0;
    await write(ndjsonSink<number>(path), [1]);
    expect(synced).toEqual([]);
  });

  it('begins anew when the file is moved away between batches, and leaves what others have appended', async () => {
    const sink = ndjsonSink<number>(path, { fsync: true });
    await write(sink, [1]);
    renameSync(path, `${path}.1`);
    await write(sink, [2]);
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('1\n');
    appendFileSync(path, '3\n4');
    await write(sink, [5]);
    expect(lines()).toEqual(['2', '3', '4', '5', '']);
  });

  it.runIf(process.platform !== 'win32')('writes to a pipe', async () => {
    mkdirSync(join(path, '..'));
    spawnSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const sink = ndjsonSink<number>(path);
    await write(sink, [1, 2]);
    await write(sink, [3]);
    const buffer = Buffer.alloc(100);
    expect(buffer.toString('utf8', 0, readSync(reader, buffer))).toBe('1\n2\n3\n');
    closeSync(reader);
  });

  it('refuses a bad path and unknown options', () => {
    expect(() => ndjsonSink('')).toThrow(RangeError);
    expect(() => ndjsonSink(path, { fsync: 'no' } as object)).toThrow('fsync must be true or false, got "no"');
    expect(() => ndjsonSink(path, { name: 5 } as object)).toThrow('name must be a string that is not empty, got 5');
    expect(() => ndjsonSink(path, { sync: true } as object)).toThrow('unknown option "sync"');
  });
});
