import { lastValueFrom, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { turnsUntil } from '../../test/support/collect.js';
import { append, deadLetterFolder } from '../../test/support/deadLetterFolder.js';
import { faultyDisk } from '../../test/support/faultyDisk.js';
import { poison, RefusingSink, transient } from '../../test/support/refusingSink.js';
import type { Sink } from '../contracts/sink.js';
import { SinkError } from '../contracts/sinkError.js';
import { replayDeadLetters } from './index.js';

const folder = deadLetterFolder();

interface Numbered {
  readonly key: string;
  readonly n: number;
}

const isNumbered = (item: unknown) => item as Numbered;

async function fill(queue: Awaited<ReturnType<typeof folder.open>>, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => append(queue, [{ key: `k${n % 7}`, n }])));
}

describe('small letters', () => {
  it('share writes and syncs: their number costs neither', async () => {
    const disk = faultyDisk();
    const queue = await folder.open({ disk });
    await fill(queue, 10_000);
    disk.steps.length = 0;
    const sink = new RefusingSink();
    expect(await lastValueFrom(replayDeadLetters(queue, { sink }))).toMatchObject({ written: 10_000, remaining: 0 });
    expect(sink.batches.length).toBeLessThan(60);
    expect(disk.steps.filter(({ kind }) => kind === 'datasync').length).toBeLessThan(120);
    expect(Math.max(...sink.batches.map(({ length }) => length))).toBe(500);
  });

  it.each([1, 4])('are written in the order of each key, %i writes at a time', async (concurrency) => {
    const queue = await folder.open();
    await fill(queue, 3_000);
    const written: Numbered[] = [];
    let inFlight = 0;
    let most = 0;
    const sink: Sink<unknown> = {
      name: 'slow',
      keyOf: (item) => isNumbered(item).key,
      async *write(batch) {
        inFlight += 1;
        most = Math.max(most, inFlight);
        const turns = isNumbered(batch[0]).n % 5;
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
        written.push(...batch.map(isNumbered));
        inFlight -= 1;
        yield { rows: batch.length };
      },
    };
    await lastValueFrom(replayDeadLetters(queue, { sink, concurrency }));
    expect(most).toBe(concurrency);
    for (let k = 0; k < 7; k++) {
      const own = written.filter(({ key }) => key === `k${k}`).map(({ n }) => n);
      expect(own).toEqual(Array.from({ length: own.length }, (_, i) => i * 7 + k));
    }
    expect(written).toHaveLength(3_000);
  });

  it('of several keys are settled when all of their items are, and keep what failed', async () => {
    const queue = await folder.open();
    for (let n = 0; n < 50; n++) {
      await append(
        queue,
        Array.from({ length: 6 }, (_, i) => ({ key: `k${i}`, n: n * 6 + i })),
      );
    }
    const taken: number[] = [];
    const sink: Sink<unknown> = {
      name: 'picky',
      keyOf: (item) => isNumbered(item).key,
      async *write(batch) {
        if (batch.some((item) => isNumbered(item).n % 10 === 3)) throw Object.assign(new Error('refused'), poison);
        taken.push(...batch.map((item) => isNumbered(item).n));
        yield { rows: batch.length };
      },
    };
    expect(await lastValueFrom(replayDeadLetters(queue, { sink, concurrency: 3 }))).toMatchObject({
      letters: 50,
      items: 300,
      written: 270,
      failedAgain: 30,
    });
    expect(new Set(taken).size).toBe(270);
    const left = (await folder.letters()).flatMap(({ items }) => items.map((item) => isNumbered(item).n));
    expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i * 10 + 3));
  });

  it('are not blamed for one another: each that fails has a letter of its own, and the others are gone', async () => {
    const queue = await folder.open();
    await fill(queue, 400);
    const sink = new RefusingSink();
    sink.refuses = (item) => (isNumbered(item).n % 100 === 50 ? poison : undefined);
    expect(await lastValueFrom(replayDeadLetters(queue, { sink }))).toMatchObject({ written: 396, failedAgain: 4 });
    const letters = await folder.letters();
    expect(letters.map(({ items }) => isNumbered(items[0]).n)).toEqual([50, 150, 250, 350]);
    expect(new Set(letters.map(({ previous }) => previous)).size).toBe(4);
  });

  it('of a sink that takes nothing are tried with one write each', async () => {
    const queue = await folder.open();
    await fill(queue, 100);
    const sink = new RefusingSink();
    sink.refuses = () => transient;
    await lastValueFrom(replayDeadLetters(queue, { sink, limit: 20 }));
    expect(sink.batches.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, () => 1));
  });

  it('wait together when the sink asks for a pause', async () => {
    const queue = await folder.open();
    await fill(queue, 3);
    const scheduler = new VirtualTimeScheduler();
    const begun: number[] = [];
    const sink: Sink<unknown> = {
      name: 'busy',
      write() {
        begun.push(scheduler.frame);
        return throwError(() => new SinkError('busy', { failureClass: 'transient', retryAfterMs: 700 }));
      },
    };
    let isComplete = false;
    replayDeadLetters(queue, { sink, scheduler, policies: { scheduler } }).subscribe({
      complete: () => {
        isComplete = true;
      },
    });
    while (!isComplete) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = scheduler.actions[0];
      if (!next) continue;
      scheduler.maxFrames = next.delay;
      scheduler.flush();
    }
    expect(begun).toEqual([0, 700, 1_400]);
  });

  it('hold few bytes while the disk settles nothing, of what was written and of what failed again', async () => {
    for (const refusal of [undefined, poison]) {
      const disk = faultyDisk();
      const queue = await folder.open({ disk });
      const text = 'x'.repeat(100_000);
      for (let n = 0; n < 200; n++) await append(queue, [text]);
      let go = () => {};
      const stuck = new Promise<undefined>((resolve) => {
        go = () => resolve(undefined);
      });
      const sink = new RefusingSink();
      let writes = 0;
      sink.refuses = () => {
        writes += 1;
        // Marks of attempts pass until the first write; then the disk takes nothing.
        disk.before ??= ({ kind }) => (kind === 'datasync' ? stuck : undefined);
        return refusal;
      };
      const replaying = lastValueFrom(replayDeadLetters(queue, { sink }));
      await turnsUntil(() => writes > 0);
      for (let i = 0; i < 500; i++) await new Promise((resolve) => setImmediate(resolve));
      expect(writes).toBeLessThan(60);
      disk.before = undefined;
      go();
      await replaying;
      await queue.purge({});
      await queue.close();
    }
  });

  it('keep what the sink has stamped', async () => {
    const queue = await folder.open();
    await append(queue, [{ n: 1 }]);
    let seq = 7;
    const sink: Sink<unknown> = {
      name: 'stamping',
      stamp: (items) => items.map((item) => ({ ...(item as object), seq: seq++ })),
      write: () => throwError(() => Object.assign(new Error('refused'), poison)),
    };
    await lastValueFrom(replayDeadLetters(queue, { sink }));
    expect(await folder.letters()).toMatchObject([{ items: [{ n: 1, seq: 7 }] }]);
  });

  it('are not cut, and a large one goes whole', async () => {
    const queue = await folder.open();
    for (const size of [1, 1, 3, 9, 2, 2]) {
      await append(
        queue,
        Array.from({ length: size }, () => size),
      );
    }
    const sink = new RefusingSink();
    await lastValueFrom(replayDeadLetters(queue, { sink, batchSize: 4 }));
    expect(sink.batches.map(({ length }) => length)).toEqual([1, 4, 9, 4]);
  });
});
