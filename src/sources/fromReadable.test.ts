import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { Subject, take, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { observe, settled } from '../../test/support/collect.js';
import { Gate } from '../flow/gate.js';
import { fromReadable } from './fromReadable.js';

/** A stream of numbers that counts how often it is asked. */
function counting(end: number, highWaterMark = 4) {
  let asked = 0;
  const stream = new Readable({
    objectMode: true,
    highWaterMark,
    read() {
      asked += 1;
      this.push(asked <= end ? asked : null);
    },
  });
  return {
    stream,
    get asked() {
      return asked;
    },
  };
}

describe('fromReadable', () => {
  it('emits objects, completes, and leaves the stream destroyed', async () => {
    const { stream } = counting(10);
    const seen = observe(fromReadable<number>(stream));
    await seen.ended;
    expect(seen.items).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(stream.destroyed).toBe(true);
  });

  it('emits bytes whole and in order', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const seen = observe(
      fromReadable(() => Readable.from([bytes.subarray(0, 7), bytes.subarray(7)], { objectMode: false })),
    );
    await seen.ended;
    expect(Buffer.concat(seen.items).equals(bytes)).toBe(true);
  });

  it('does not touch the stream while the gate is closed from the start', async () => {
    const source = counting(100);
    const gate = new Gate('closed');
    const seen = observe(fromReadable<number>(source.stream), gate);
    await settled();
    expect(source.asked).toBe(0);
    gate.open();
    await seen.ended;
    expect(seen.items).toHaveLength(100);
  });

  it('reads nothing while the gate is closed, beyond what the stream itself holds', async () => {
    const source = counting(1_000, 4);
    const gate = new Gate();
    const seen = observe(
      fromReadable<number>(source.stream).pipe(tap((n) => (n % 100 === 0 ? gate.close() : undefined))),
      gate,
    );
    for (let hundreds = 1; hundreds <= 9; hundreds++) {
      await settled();
      expect(seen.items).toHaveLength(hundreds * 100);
      expect(source.asked).toBeLessThanOrEqual(hundreds * 100 + 4 + 1);
      gate.open();
    }
    await settled();
    gate.open();
    await seen.ended;
    expect(seen.items).toHaveLength(1_000);
  });

  it('emits what the stream held before its error, then the error', async () => {
    const failure = new Error('reset');
    const stream = new PassThrough({ objectMode: true });
    const gate = new Gate('closed');
    const seen = observe(fromReadable<string>(stream), gate);
    stream.write('a');
    stream.write('b');
    await settled();
    stream.destroy(failure);
    await settled();
    expect(seen.end).toBeUndefined();
    gate.open();
    expect(seen.items).toEqual(['a', 'b']);
    expect(seen.end).toEqual({ kind: 'error', error: failure });
  });

  it('fails when the stream is closed before its end', async () => {
    const stream = new PassThrough({ objectMode: true });
    const seen = observe(fromReadable<string>(stream));
    stream.write('a');
    await seen.count(1);
    stream.destroy();
    await seen.ended;
    expect(seen.end).toMatchObject({ kind: 'error', error: { code: 'ERR_STREAM_PREMATURE_CLOSE' } });
  });

  it('fails for a stream that was destroyed or had failed before, and completes for one that had ended', async () => {
    const destroyed = new PassThrough();
    destroyed.destroy();
    await once(destroyed, 'close');
    expect(observe(fromReadable(destroyed)).end).toMatchObject({ error: { code: 'ERR_STREAM_PREMATURE_CLOSE' } });

    const failure = new Error('earlier');
    const failed = new PassThrough();
    failed.on('error', () => {});
    failed.destroy(failure);
    await settled();
    expect(observe(fromReadable(failed)).end).toEqual({ kind: 'error', error: failure });

    const ended = Readable.from([]);
    ended.resume();
    await once(ended, 'end');
    expect(observe(fromReadable(ended)).end).toEqual({ kind: 'complete' });
  });

  it('destroys the stream when it is unsubscribed, and swallows what the stream says to that', async () => {
    const stream = new Readable({
      objectMode: true,
      read() {
        this.push('x');
      },
      destroy(_error, callback) {
        callback(new Error('aborted'));
      },
    });
    const seen = observe(fromReadable<string>(stream).pipe(take(3)));
    expect(seen.items).toEqual(['x', 'x', 'x']);
    expect(stream.destroyed).toBe(true);
    await settled();
  });

  it('completes and destroys the stream on stopping', async () => {
    const stopping = new Subject<void>();
    const stream = new PassThrough({ objectMode: true });
    const seen = observe(fromReadable<string>(stream), new Gate(), stopping);
    stopping.next();
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(stream.destroyed).toBe(true);
    await settled();
  });

  it('opens a stream for each subscription where it is given a function, and takes a stream itself once', async () => {
    const source = fromReadable<string>(() => Readable.from(['a', 'b']));
    for (let round = 0; round < 2; round++) {
      const seen = observe(source);
      await seen.ended;
      expect(seen.items).toEqual(['a', 'b']);
    }
    const single = fromReadable<string>(Readable.from(['a', 'b']));
    await observe(single).ended;
    expect(observe(single).end).toMatchObject({ error: { message: expect.stringContaining('pass a function') } });
  });

  it('passes on what the function that opens throws', () => {
    const failure = new Error('no such thing');
    const seen = observe(
      fromReadable(() => {
        throw failure;
      }),
    );
    expect(seen.end).toEqual({ kind: 'error', error: failure });
  });

  it('lets the event loop turn although the stream is never empty', async () => {
    const seen = observe(fromReadable<number>(counting(Number.POSITIVE_INFINITY).stream, { yieldAfterMs: 0 }));
    await settled(3);
    expect(seen.items.length).toBeGreaterThan(0);
    seen.unsubscribe();
  });

  it('refuses bad arguments when it is made', () => {
    expect(() => fromReadable('file.csv' as never)).toThrow(
      /readable \(or the function that opens one\) must be a function/,
    );
    expect(() => fromReadable(Readable.from([]), { name: 5 } as never)).toThrow(/name must be a string/);
    expect(() => fromReadable(Readable.from([]), { encoding: 'utf8' } as never)).toThrow(/unknown option "encoding"/);
  });
});
