import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type SchedulerAction, type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Folder } from '../../../test/support/folder.js';
import { capturedToy, replayedToy } from '../../../test/support/toyCapture.js';
import { quote, trade } from '../../../test/support/toyVendor.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import { ConnectionLost, QuotaExceeded } from '../providerErrors.js';
import { replayFrames } from './replayFrames.js';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const files = () => readdirSync(folder.path('.')).sort();

/** A session with reconnects after waits that chance decides, and with gaps. */
async function session(capturing = {}) {
  const live = capturedToy(folder.path('.'), capturing, { random: () => 0.93 });
  live.pass(7.25);
  live.login();
  for (let n = 1; n <= 50; n += 1) {
    live.pass(3);
    live.say({ data: [trade('A', n), quote('A', n)] });
  }
  live.vendor.last.lose(new ConnectionLost('toy', 'reset'));
  live.pass(1_500);
  live.login();
  live.pass(30_000);
  // A sign of life that is no frame.
  live.vendor.last.pong();
  live.pass(30_000);
  live.say({ data: [trade('A', 1_000)], hole: ['trade A', 60, 70] });
  // The stream takes the connection for dead, and makes another one.
  live.pass(43_000);
  live.login();
  live.pass(10);
  live.say({ data: [quote('A', 2_000)] });
  live.pass(500);
  await live.end();
  return live;
}

describe('a capture that is replayed', () => {
  it('gives the records of the live run, gap records among them, ten times', async () => {
    const live = await session();
    expect(live.seen.filter(({ kind }) => kind === 'gap')).toHaveLength(5);
    expect(live.vendor.connections).toHaveLength(3);
    const runs = await Promise.all(
      Array.from({ length: 10 }, () => replayedToy(folder.path('.'), { speed: 'max' }).done),
    );
    for (const run of runs) expect(run).toEqual(live.seen);
  });

  it('waits for a slow reader and loses nothing', async () => {
    const live = await session();
    const { gate, seen, done, replay } = replayedToy(folder.path('.'), { speed: 'max' }, { capacity: 1 });
    gate.close();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    while (replay.counts.frames === 0) await turn();
    // All of the capture is read by now, and one turn would play it.
    for (let n = 0; n < 20; n += 1) await turn();
    expect(replay.counts.frames).toBe(3);
    expect(seen).toEqual([]);
    // A reader that takes one record per turn.
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    while (!isDone) {
      gate.open();
      await turn();
      gate.close();
      await turn();
    }
    expect(seen).toEqual(live.seen);
  });

  it.each([1, 10])('keeps the time of the capture at speed %d', async (speed) => {
    const live = await session();
    const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
    const { seen, done } = replayedToy(folder.path('.'), { speed, scheduler });
    const at: number[] = [];
    let isOver = false;
    void done.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const before = seen.length;
      scheduler.flush();
      if (seen.length > before) at.push(scheduler.frame);
      // The file is read in real time.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen).toEqual(live.seen);
    expect(scheduler.frame).toBeCloseTo((live.scheduler.frame - replayFrames(folder.path('.')).startedAt) / speed, 3);
  });

  it('yields to the event loop each 10 ms', async () => {
    const live = capturedToy(folder.path('.'));
    live.login();
    for (let n = 1; n <= 5_000; n += 1) live.say({ data: [trade('A', n)] });
    await live.end();
    // Each look at the clock takes a millisecond.
    let ms = 0;
    let most = 0;
    const scheduler: SchedulerLike = {
      now: () => ++ms,
      schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay?: number, state?: S) {
        const measured = function (this: SchedulerAction<S>, given?: S) {
          const before = replay.counts.frames;
          work.call(this, given);
          most = Math.max(most, replay.counts.frames - before);
        };
        return eventLoopScheduler.schedule(measured, delay, state);
      },
    };
    const { done, replay } = replayedToy(folder.path('.'), { speed: 'max', scheduler });
    expect(await done).toHaveLength(5_000);
    expect(most).toBeGreaterThan(100);
    expect(most).toBeLessThan(200);
  });

  it('runs timers at their time of the capture, whatever lies between', async () => {
    await session();
    const { replay, done } = replayedToy(folder.path('.'), { speed: 'max' });
    const { scheduler } = replay.config;
    const at: number[] = [];
    for (const ms of [20_000, 100, 5, 100.5]) scheduler.schedule(() => at.push(scheduler.now() - replay.startedAt), ms);
    const cancelled = scheduler.schedule(() => at.push(-1), 6);
    scheduler.schedule(() => cancelled.unsubscribe(), 5);
    await done;
    expect(at).toEqual([5, 100, 100.5, 20_000]);
  });

  it('ends with the error of the vendor where the live run did', async () => {
    const live = capturedToy(folder.path('.'));
    live.vendor.last.open();
    live.say({ fail: 'key' });
    await live.end();
    await expect(replayedToy(folder.path('.'), { speed: 'max' }).done).rejects.toMatchObject({
      code: 'SLUICE_BAD_CREDENTIALS',
      message: 'toy: Unknown key: ***',
    });
  });

  it('tells the stream the errors of the transport as they were', async () => {
    const live = capturedToy(folder.path('.'));
    live.login();
    live.vendor.last.lose(new QuotaExceeded('toy', 'too many of s3cret', { retryAfterMs: 5_000 }));
    live.pass(6_000);
    live.login();
    await live.end();
    const errors: unknown[] = [];
    await replayedToy(folder.path('.'), { speed: 'max' }, { onRetry: ({ error }) => errors.push(error) }).done;
    expect(errors).toMatchObject([
      { code: 'SLUICE_QUOTA_EXCEEDED', message: 'toy: too many of ***', retryable: true, retryAfterMs: 5_000 },
    ]);
  });

  it('has two connections at once where one was handed over to the other', async () => {
    const live = capturedToy(folder.path('.'));
    live.login();
    const [old] = live.vendor.connections;
    live.say({ data: [trade('A', 1)], handOver: true });
    live.pass(20);
    live.login();
    for (let n = 2; n < 20; n += 1) {
      live.pass(400);
      live.say({ data: [trade('A', n)] });
      // Until it is closed, both deliver.
      old?.receive(JSON.stringify({ data: [quote('A', n)] }));
    }
    expect(live.vendor.connections).toHaveLength(2);
    expect(old?.isClosed).toBe(true);
    await live.end();
    const { replay, done } = replayedToy(folder.path('.'), { speed: 'max' });
    expect(await done).toEqual(live.seen);
    expect(replay.counts.connections).toBe(2);
  });

  it('plays on where the stream of now makes fewer or more connections than that of the capture', async () => {
    const live = capturedToy(folder.path('.'));
    live.login();
    live.say({ data: [trade('A', 1)] });
    // Taken for dead after 40 s, which a more patient stream would not have done.
    live.pass(43_000);
    live.login();
    live.say({ data: [trade('A', 2)] });
    live.pass(1_000);
    await live.end();
    for (const deadAfterMs of [5_000, 600_000]) {
      const seen = await replayedToy(folder.path('.'), { speed: 'max' }, { deadAfterMs }).done;
      expect(seen.filter(({ kind }) => kind === 'trade')).toEqual(live.seen.filter(({ kind }) => kind === 'trade'));
    }
  });

  it('may consist of many files', async () => {
    const live = await session({ maxSegmentBytes: 1 });
    expect(files().length).toBeGreaterThan(1);
    expect(files().every((name) => /^toy-20260105T143000000Z\.\d{6}\.ndjson\.gz$/.test(name))).toBe(true);
    expect(await replayedToy(folder.path('.'), { speed: 'max' }).done).toEqual(live.seen);
  });
});

describe('a capture that is torn or damaged', () => {
  const only = () => folder.path(files()[0]!);
  const rewrite = (change: (lines: string[]) => string[]) => {
    const lines = gunzipSync(readFileSync(only())).toString().split('\n');
    writeFileSync(only(), gzipSync(change(lines).join('\n')));
  };
  const fails = (path = folder.path('.')) => replayedToy(path, { speed: 'max' }).done;

  it('gives what is whole of a file that a crash has cut off', async () => {
    const live = await session();
    truncateSync(only(), readFileSync(only()).length - 100);
    const seen = await fails();
    expect(seen.length).toBeGreaterThan(0);
    expect(live.seen.slice(0, seen.length)).toEqual(seen);
  });

  it('leaves out a torn last line', async () => {
    const live = await session();
    rewrite((lines) => [...lines.slice(0, -2), '{"is":"in","t":17']);
    expect(await fails()).toEqual(live.seen);
  });

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ['a line that is no event', (lines) => lines.with(5, '{"is":"in"}'), /is damaged at line 6: the line is no event/],
    ['a line that is missing', (lines) => lines.toSpliced(5, 1), /lines are missing before it/],
    ['no header', (lines) => lines.slice(1), /is not a capture of frames: its first line is no header/],
    [
      'a later version',
      (lines) => lines.with(0, lines[0]!.replace('"version":1', '"version":2')),
      /has version 2 of the format, and this program reads 1/,
    ],
  ])('fails with the file and the line: %s', async (_, change, message) => {
    await session();
    rewrite(change);
    const failing = (async () => fails())();
    await expect(failing).rejects.toMatchObject({
      code: 'SLUICE_FRAME_CAPTURE',
      message: expect.stringMatching(message),
    });
  });

  it('fails where bytes have changed', async () => {
    await session();
    const bytes = readFileSync(only());
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0, middle, middle + 20);
    writeFileSync(only(), bytes);
    const failing = (async () => fails())();
    await expect(failing).rejects.toMatchObject({
      code: 'SLUICE_FRAME_CAPTURE',
      message: expect.stringContaining('damaged'),
    });
  });

  it('names what is not there, and the choice where there are several', async () => {
    expect(() => replayFrames(folder.path('none'))).toThrow(/there is no capture at/);
    expect(() => replayFrames(folder.path('.'))).toThrow(/there is no capture in/);
    await session();
    const [name] = files();
    writeFileSync(folder.path(name!.replace('toy-', 'other-')), readFileSync(only()));
    expect(() => replayFrames(folder.path('.'))).toThrow(
      /has 2 captures: name one of them: .*other-2026.*, .*toy-2026/,
    );
    expect(replayFrames(folder.path('toy-20260105T143000000Z')).provider).toBe('toy');
    expect(replayFrames(folder.path(name!)).provider).toBe('toy');
  });

  it('fails where a file in the middle is missing or torn', async () => {
    const live = capturedToy(folder.path('.'), { maxSegmentMs: 1 });
    live.login();
    for (let n = 0; n < 6; n += 1) {
      const { fileBytes } = live.capture.counts;
      live.say({ data: [trade('A', n)] });
      while (live.capture.counts.fileBytes === fileBytes) {
        live.pass(100);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await live.end();
    expect(files().length).toBeGreaterThan(2);
    truncateSync(only(), readFileSync(only()).length - 30);
    await expect(fails()).rejects.toThrow(/the line is torn|the rest of the file is missing/);
    rmSync(folder.path(files()[1]!));
    expect(() => replayFrames(folder.path('.'))).toThrow(/the file 2 of the capture .* is missing/);
  });
});

it.each([0, -1, Number.NaN, 'fast'])('refuses the speed %s', (speed) => {
  expect(() => replayFrames('x', { speed: speed as never })).toThrow(
    /replayFrames: speed must be a number above 0, or "max"/,
  );
});
