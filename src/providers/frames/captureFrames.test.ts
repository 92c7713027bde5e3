import { readdirSync, readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { coded } from '../../../test/support/errors.js';
import { faultyDisk } from '../../../test/support/faultyDisk.js';
import { Folder } from '../../../test/support/folder.js';
import { capturedToy, replayedToy } from '../../../test/support/toyCapture.js';
import { trade } from '../../../test/support/toyVendor.js';
import { type CaptureHole, captureFrames } from './captureFrames.js';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const files = () => readdirSync(folder.path('captures')).sort();
const lines = (): Record<string, unknown>[] =>
  files().flatMap((name) =>
    gunzipSync(readFileSync(folder.path(`captures/${name}`)))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  );
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a capture', () => {
  it('has every frame in both directions with its time and connection, and how connections begin and end', async () => {
    const live = capturedToy(folder.path('captures'));
    const t = live.scheduler.frame;
    live.pass(5);
    live.vendor.last.open();
    live.vendor.last.receive('{"welcome":true}');
    live.vendor.last.pong();
    live.vendor.last.receive(Uint8Array.of(123, 125));
    live.pass(1_000);
    live.vendor.last.lose(new Error('reset'));
    await live.end();
    expect(lines()).toEqual([
      { sluice: 'frames', version: 1, capture: 'toy-20260105T143000000Z', provider: 'toy', segment: 1, startedAt: t },
      { is: 'connect', t, c: 1 },
      { is: 'open', t: t + 5, c: 1 },
      { is: 'out', t: t + 5, c: 1, text: 'login' },
      { is: 'in', t: t + 5, c: 1, text: '{"welcome":true}' },
      { is: 'out', t: t + 5, c: 1, text: 'sub trade A,quote A' },
      { is: 'alive', t: t + 5, c: 1 },
      { is: 'in', t: t + 5, c: 1, base64: 'e30=' },
      // It is not JSON: the session fails.
      { is: 'close', t: t + 5, c: 1 },
      { is: 'connect', t: expect.any(Number), c: 2 },
      { is: 'closed', t: t + 1_005, c: 2, error: { message: 'reset' } },
      { is: 'end', lines: 10 },
    ]);
    expect(live.capture.counts).toMatchObject({ connections: 2, frames: 4, bytes: 42, files: 1, lostFrames: 0 });
  });

  it('has no secret of the provider', async () => {
    const live = capturedToy(folder.path('captures'));
    live.login();
    live.say({ notice: 'you are s3cret' });
    await live.end();
    expect(
      lines()
        .filter(({ is }) => is === 'in')
        .at(-1),
    ).toMatchObject({ text: '{"notice":"you are ***"}' });
  });

  it('is for its owner alone, and has its final name once it is closed', async () => {
    const live = capturedToy(folder.path('captures'));
    live.login();
    live.pass(1_000);
    while (live.capture.counts.fileBytes === 0) await turn();
    expect(files()).toEqual(['toy-20260105T143000000Z.000001.ndjson.gz.open']);
    // It is replayed all the same, as far as it is written.
    await replayedToy(folder.path('captures'), { speed: 'max' }).done;
    await live.end();
    expect(files()).toEqual(['toy-20260105T143000000Z.000001.ndjson.gz']);
    expect(statSync(folder.path('captures')).mode & 0o777).toBe(0o700);
    expect(statSync(folder.path(`captures/${files()[0]}`)).mode & 0o777).toBe(0o600);
    expect(live.capture.counts.fileBytes).toBe(statSync(folder.path(`captures/${files()[0]}`)).size);
  });

  it('ends files by their age', async () => {
    const live = capturedToy(folder.path('captures'), { maxSegmentMs: 10_000 });
    live.login();
    const isClosed = () => live.capture.counts.files > 0 && files().some((name) => name.endsWith('.gz'));
    for (let n = 0; n < 2 || !isClosed(); n += 1) {
      live.say({ data: [trade('A', n)] });
      live.pass(1_000);
      await turn();
    }
    live.say({ data: [trade('A', 1)] });
    await live.end();
    expect(files().length).toBeGreaterThan(1);
    expect(lines().filter(({ is }) => is === 'in')).toHaveLength(live.capture.counts.frames - 2);
  });

  it('has no file where nothing happened', async () => {
    const capture = captureFrames(folder.path('captures'));
    await capture.close();
    expect(() => files()).toThrow(/ENOENT/);
  });
});

describe('a disk that is too slow', () => {
  it('costs frames that are counted and marked, never the stream, and the rest is whole', async () => {
    const disk = faultyDisk();
    let release = () => {};
    const stuck = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    disk.before = ({ kind }) => (kind === 'write' ? stuck : undefined);
    const holes: CaptureHole[] = [];
    const onHole = (hole: CaptureHole) => holes.push(hole);
    const live = capturedToy(folder.path('captures'), { disk, maxPendingBytes: 2_000, onHole });
    live.login();
    live.pass(1_000);
    for (let n = 0; n < 100; n += 1) live.say({ data: [trade('A', n)] });
    expect(live.seen).toHaveLength(100);
    const { lostFrames } = live.capture.counts;
    expect(lostFrames).toBeGreaterThan(50);
    release();
    await live.end();
    expect(holes).toEqual([expect.objectContaining({ frames: lostFrames })]);
    expect(lines().find(({ is }) => is === 'hole')).toMatchObject({ frames: lostFrames, bytes: expect.any(Number) });
    const told: CaptureHole[] = [];
    const { done, replay } = replayedToy(folder.path('captures'), { speed: 'max', onHole: (hole) => told.push(hole) });
    expect(await done).toEqual(live.seen.slice(0, 100 - lostFrames));
    expect(told).toEqual(holes);
    expect(replay.counts.lostFrames).toBe(lostFrames);
  });

  it('or full is reported once, and what waits is written when it has room again', async () => {
    const disk = faultyDisk();
    const errors: string[] = [];
    disk.before = ({ kind }) => {
      if (kind === 'write') throw coded('ENOSPC', 'ENOSPC: no space left');
      return undefined;
    };
    const live = capturedToy(folder.path('captures'), { disk, onError: ({ message }) => errors.push(message) });
    live.login();
    while (disk.steps.filter(({ kind }) => kind === 'write').length < 4) {
      live.pass(100);
      await turn();
    }
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(/cannot write the capture .*\.open: the disk is full; free some space/);
    disk.before = undefined;
    await live.end();
    expect(lines().filter(({ is }) => is === 'in')).toHaveLength(2);
  });

  it('makes the end fail, if it stays so', async () => {
    const disk = faultyDisk();
    const live = capturedToy(folder.path('captures'), { disk });
    live.login();
    disk.before = ({ kind }) => {
      if (kind === 'rename') throw coded('EACCES', 'EACCES: permission denied');
      return undefined;
    };
    await expect(live.end()).rejects.toMatchObject({
      code: 'SLUICE_FRAME_CAPTURE',
      message: expect.stringContaining('permission denied'),
    });
  });
});

it.each([
  ['', {}, 'captureFrames: folder must be the path of a folder, got ""'],
  ['~/x', {}, 'captureFrames: folder has ~, which only a shell replaces'],
  [
    'x',
    { maxSegmentMs: 0 },
    'captureFrames: maxSegmentMs must be a finite number of milliseconds of at least 1, got 0',
  ],
])('refuses %j %j', (path, config, message) => {
  expect(() => captureFrames(path, config)).toThrow(message);
});
