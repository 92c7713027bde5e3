import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { isNdjsonError } from '../../../src/sinks/ndjsonError.js';
import { type NdjsonSinkConfig, ndjsonSink } from '../../../src/sinks/ndjsonSink.js';

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
    await expect(write(sink, [1, circle])).rejects.toMatchObject({ name: 'NdjsonError', code: 'SLUICE_NDJSON_FAILED' });
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
    await expect(failed).rejects.toThrow(`cannot write ${path}: what should be its folder is a file`);
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

  it('refuses a bad path and unknown options', () => {
    expect(() => ndjsonSink('')).toThrow(RangeError);
    expect(() => ndjsonSink(path, { sync: true } as object)).toThrow('unknown option "sync"');
  });
});
