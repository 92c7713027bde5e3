import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { concat, EMPTY, from, map, NEVER, Observable, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { upTo } from '../../test/support/record.js';
import { naturals } from '../../test/support/sources.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { batch } from '../operators/batch.js';
import type { RunReport } from '../operators/running/runReport.js';
import { untilStopped } from '../operators/untilStopped.js';
import { fromReadable } from '../sources/fromReadable.js';
import { isDrainDeadlineError } from './drainDeadlineError.js';
import { toReadable } from './toReadable.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const item of stream) seen.push(item);
  return seen;
}

/** Everything up to an error, and the error. */
async function untilError(stream: AsyncIterable<unknown>): Promise<{ seen: unknown[]; error: unknown }> {
  const seen: unknown[] = [];
  try {
    for await (const item of stream) seen.push(item);
  } catch (error) {
    return { seen, error };
  }
  return { seen, error: undefined };
}

describe('toReadable', () => {
  it.each([
    ['nothing', EMPTY, []],
    ['items at once', from([1, 2, 3]), [1, 2, 3]],
    ['what is falsy', of(0, '', false), [0, '', false]],
    ['more than it holds', from(upTo(1_000)), [...upTo(1_000)]],
  ])('hands over every item in order, and ends: %s', async (_, source$, expected) => {
    expect(await all(toReadable<unknown>(source$))).toEqual(expected);
  });

  it('joins strings and bytes', async () => {
    const lines$ = naturals(500).pipe(map((n) => (n % 2 ? `${n}\n` : Buffer.from(`${n}\n`))));
    const text = Buffer.concat((await all(toReadable(lines$, { objectMode: false }))) as Buffer[]).toString();
    expect(text).toBe(Array.from({ length: 500 }, (_, n) => `${n}\n`).join(''));
  });

  it('subscribes when it is first read', async () => {
    let subscribed = 0;
    const stream = toReadable(
      new Observable<number>(() => {
        subscribed += 1;
      }),
    );
    await turn();
    expect(subscribed).toBe(0);
    stream.read();
    expect(subscribed).toBe(1);
    stream.destroy();
  });

  it('reads no further ahead than its options allow, however slow its reader is', async () => {
    let emitted = 0;
    const source$ = naturals().pipe(
      map((n) => {
        emitted += 1;
        return n;
      }),
    );
    let received = 0;
    const stream = toReadable(source$, { readAhead: 3, highWaterMark: 2 });
    const slow = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_item, _encoding, callback) {
        received += 1;
        expect(emitted).toBeLessThanOrEqual(received + 3 + 2 + 2);
        if (received === 200) stream.destroy();
        setImmediate(callback);
      },
    });
    await expect(pipeline(stream, slow)).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(received).toBe(200);
  });

  it('is the inverse of fromReadable', async () => {
    const source$ = fromReadable<number>(() => toReadable(naturals(500), { highWaterMark: 1 }));
    expect(await all(toReadable(source$, { readAhead: 1 }))).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });

  it.each([
    [
      'which comes behind items',
      concat(
        from([1, 2, 3]),
        throwError(() => new Error('lost')),
      ),
      [1, 2, 3],
    ],
    ['which comes at once', throwError(() => new Error('lost')), []],
  ])('fails with the error of its source once all is read: %s', async (_, source$, before) => {
    const stream = toReadable(source$ as Observable<number>);
    expect(await untilError(stream)).toMatchObject({ seen: before, error: { message: 'lost' } });
    const piped = new PassThrough({ objectMode: true });
    const taken: unknown[] = [];
    piped.on('data', (item) => taken.push(item));
    await expect(pipeline(toReadable(source$ as Observable<number>), piped)).rejects.toThrow('lost');
    expect(taken).toEqual(before);
  });

  it('has an error where its source fails without one', async () => {
    const { error } = await untilError(toReadable(throwError(() => undefined)));
    expect(error).toMatchObject({ message: expect.stringContaining('failed without a reason') });
  });

  it('releases the source when it is destroyed, or the other end is', async () => {
    const source = new Subject<number>();
    const one = toReadable(source);
    one.read();
    expect(source.observed).toBe(true);
    one.destroy();
    expect(source.observed).toBe(false);

    const other = toReadable(source);
    const sink = new PassThrough({ objectMode: true });
    const piped = pipeline(other, sink).catch((error: unknown) => error);
    await turn();
    expect(source.observed).toBe(true);
    sink.destroy(new Error('client left'));
    expect(await piped).toMatchObject({ message: 'client left' });
    expect(source.observed).toBe(false);
  });

  it('refuses null, which would end it, and says so', async () => {
    const { seen, error } = await untilError(toReadable(of(1, null, 2)));
    expect(seen).toEqual([1]);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain('an item is null');
  });

  it('drains: the source stops, and what is held is handed over', async () => {
    const monitor = new PipelineMonitor();
    const stop = new AbortController();
    const source = new Subject<number>();
    const stream = toReadable(source.pipe(untilStopped(), batch({ size: 2 })), { stop: stop.signal, monitor });
    stream.read();
    for (let n = 0; n < 5; n++) source.next(n);
    stop.abort();
    expect(source.observed).toBe(false);
    expect(await all(stream)).toEqual([[0, 1], [2, 3], [4]]);
    expect(monitor.account()).toMatchObject({ received: 5, delivered: 5, held: 0, conservation: 0 });
  });

  it('fails where a drain had no time for what is held, rather than end as if all were well', async () => {
    const scheduler = new VirtualTimeScheduler();
    const stop = new AbortController();
    const stream = toReadable(naturals(), {
      stop: stop.signal,
      scheduler,
      drainTimeoutMs: 100,
      readAhead: 4,
      highWaterMark: 1,
    });
    const failed = once(stream, 'error');
    expect(stream.read()).toBe(0);
    await turn();
    stop.abort();
    scheduler.flush();
    while (stream.read() !== null);
    expect(isDrainDeadlineError((await failed.catch((error: unknown[]) => error))[0])).toBe(true);
  });

  it('fails where an observer refuses it, and tells those that follow it already', async () => {
    const outcomes: string[] = [];
    const broken = () => {
      throw new Error('no room for a metric');
    };
    const observe = [{ finished: ({ outcome }: RunReport) => outcomes.push(outcome) }, { attach: broken }];
    const { seen, error } = await untilError(toReadable(NEVER, { observe }));
    expect([seen, error]).toEqual([[], expect.objectContaining({ message: 'no room for a metric' })]);
    expect(outcomes).toEqual(['failed']);
  });

  it.each([
    [undefined, {}, /the subscribe of its source must be a function, got undefined/],
    [NEVER, { objectMode: 1 }, /objectMode must be/],
    [NEVER, { highWaterMark: -1 }, /highWaterMark must be an integer of at least 0, got -1/],
    [NEVER, { encoding: 'utf8' }, /unknown option "encoding"/],
  ])('refuses what it cannot use: %#', (source$, config, message) => {
    expect(() => toReadable(source$ as never, config as never)).toThrow(message);
  });
});
