import { from as fromIx } from 'ix/asynciterable';
import { filter, map } from 'ix/asynciterable/operators';
import { config, Subject, take, tap } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { observe, settled } from '../../test/support/collect.js';
import { Gate } from '../flow/gate.js';
import { fromAsyncIterable } from './fromAsyncIterable.js';

async function* counted(log: string[], end: number) {
  try {
    for (let n = 1; n <= end; n++) {
      log.push(`next ${n}`);
      yield n;
    }
  } finally {
    log.push('released');
  }
}

/** An iterator whose pulls are answered by hand. */
function byHand() {
  const pulls: { resolve(value: number): void; end(): void; reject(error: unknown): void }[] = [];
  const log: string[] = [];
  const iterable: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((resolve, reject) => {
          log.push('pull');
          pulls.push({
            resolve: (value) => resolve({ done: false, value }),
            end: () => resolve({ done: true, value: undefined }),
            reject,
          });
        }),
      return: async () => {
        log.push('return');
        return { done: true, value: undefined };
      },
    }),
  };
  return { iterable, pulls, log };
}

describe('fromAsyncIterable', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('emits what the iterable yields and completes', async () => {
    const log: string[] = [];
    const seen = observe(fromAsyncIterable(counted(log, 3)));
    await seen.ended;
    expect(seen.items).toEqual([1, 2, 3]);
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(log.filter((entry) => entry === 'released')).toHaveLength(1);
  });

  it('reads an IxJS pipeline', async () => {
    const pipeline = fromIx([1, 2, 3, 4]).pipe(
      filter((n) => n % 2 === 0),
      map(async (n) => n * 10),
    );
    const source = fromAsyncIterable(pipeline);
    for (let round = 0; round < 2; round++) {
      const seen = observe(source);
      await seen.ended;
      expect(seen.items).toEqual([20, 40]);
    }
  });

  it('pulls one at a time, and none while the gate is closed', async () => {
    const { iterable, pulls, log } = byHand();
    const gate = new Gate('closed');
    const seen = observe(fromAsyncIterable(iterable), gate);
    await settled();
    expect(log).toEqual([]);
    gate.open();
    await settled();
    expect(log).toEqual(['pull']);
    pulls[0]!.resolve(1);
    await settled();
    expect(seen.items).toEqual([1]);
    expect(log).toEqual(['pull', 'pull']);
    seen.unsubscribe();
  });

  it('keeps the one answer that finds the gate closed, and pulls no further', async () => {
    const { iterable, pulls, log } = byHand();
    const gate = new Gate();
    const seen = observe(fromAsyncIterable(iterable), gate);
    gate.close();
    pulls[0]!.resolve(1);
    await settled();
    expect(seen.items).toEqual([]);
    expect(log).toEqual(['pull']);
    gate.open();
    expect(seen.items).toEqual([1]);
    await settled();
    expect(log).toEqual(['pull', 'pull']);
    seen.unsubscribe();
  });

  it('is never more than one item ahead of a gate that closes in the middle', async () => {
    const log: string[] = [];
    const gate = new Gate();
    const seen = observe(
      fromAsyncIterable(counted(log, 100)).pipe(tap((n) => (n === 10 ? gate.close() : undefined))),
      gate,
    );
    await settled();
    expect(seen.items).toHaveLength(10);
    expect(log).toHaveLength(10);
    gate.open();
    await seen.ended;
    expect(seen.items).toHaveLength(100);
  });

  it('passes a rejected pull on as the error, after what came before', async () => {
    const failure = new Error('page 2');
    const { iterable, pulls, log } = byHand();
    const seen = observe(fromAsyncIterable(iterable));
    pulls[0]!.resolve(1);
    await settled();
    pulls[1]!.reject(failure);
    await seen.ended;
    expect(seen.items).toEqual([1]);
    expect(seen.end).toEqual({ kind: 'error', error: failure });
    expect(log).not.toContain('return');
  });

  it('passes on what next() throws', () => {
    const failure = new Error('broken');
    const seen = observe(
      fromAsyncIterable<number>({
        [Symbol.asyncIterator]: () => ({
          next: () => {
            throw failure;
          },
        }),
      }),
    );
    expect(seen.end).toEqual({ kind: 'error', error: failure });
  });

  it('returns the iterator when it is unsubscribed, and discards the answer in flight', async () => {
    const { iterable, pulls, log } = byHand();
    const seen = observe(fromAsyncIterable(iterable));
    seen.unsubscribe();
    expect(log).toEqual(['pull', 'return']);
    pulls[0]!.resolve(1);
    await settled();
    expect(seen.items).toEqual([]);
    expect(seen.monitor.account()).toMatchObject({ received: 1, dropped: { stopped: 1 }, conservation: 0 });
  });

  it('returns the iterator for take(1)', async () => {
    const log: string[] = [];
    const seen = observe(fromAsyncIterable(counted(log, 100)).pipe(take(1)));
    await seen.ended;
    await settled();
    expect(log).toEqual(['next 1', 'released']);
  });

  it('completes on stopping, returns the iterator and counts what waited at the gate', async () => {
    const { iterable, pulls, log } = byHand();
    const gate = new Gate();
    const stopping = new Subject<void>();
    const seen = observe(fromAsyncIterable(iterable), gate, stopping);
    gate.close();
    pulls[0]!.resolve(1);
    await settled();
    stopping.next();
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(log).toEqual(['pull', 'return']);
    expect(seen.monitor.account()).toMatchObject({ dropped: { stopped: 1 }, conservation: 0 });
  });

  it('reports a rejected return() where RxJS reports unhandled errors', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const failure = new Error('cannot close');
    for (const fail of [
      () => Promise.reject(failure),
      () => {
        throw failure;
      },
    ]) {
      const seen = observe(
        fromAsyncIterable<number>({
          [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: fail }),
        }),
      );
      seen.unsubscribe();
    }
    while (unhandled.length < 2) await settled(1);
    expect(unhandled).toEqual([failure, failure]);
  });

  it('lets the event loop turn although every pull is answered at once', async () => {
    const seen = observe(fromAsyncIterable(counted([], 1_000_000), { yieldAfterMs: 0 }));
    await settled(3);
    const count = seen.items.length;
    seen.unsubscribe();
    expect(count).toBeLessThan(1_000_000);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
  ])('errors when a pull is answered with %s', async (_, answer) => {
    const seen = observe(
      fromAsyncIterable<number>({ [Symbol.asyncIterator]: () => ({ next: async () => answer as never }) }),
    );
    await settled();
    expect(seen.end).toMatchObject({
      kind: 'error',
      error: { name: 'TypeError', message: expect.stringContaining('must resolve to { done, value }') },
    });
  });

  it('errors when the answer to a pull throws as it is read', async () => {
    const failure = new Error('no value');
    const answer = {
      get done(): false {
        throw failure;
      },
      value: 1,
    };
    const seen = observe(fromAsyncIterable<number>({ [Symbol.asyncIterator]: () => ({ next: async () => answer }) }));
    await settled();
    expect(seen.end).toEqual({ kind: 'error', error: failure });
  });

  it('refuses bad arguments when it is made', () => {
    expect(() => fromAsyncIterable([1] as never)).toThrow(/iterable\[Symbol.asyncIterator\] must be a function/);
    expect(() => fromAsyncIterable(counted([], 1), { yieldAfterMs: Number.NaN })).toThrow(RangeError);
    expect(() => fromAsyncIterable(counted([], 1), { name: 5 } as never)).toThrow(/name must be a string/);
    expect(() => fromAsyncIterable(counted([], 1), { nmae: 'x' } as never)).toThrow(/unknown option "nmae"/);
  });
});
