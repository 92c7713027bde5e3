import { getEventListeners } from 'node:events';
import {
  concat,
  concatMap,
  EMPTY,
  from,
  map,
  merge,
  NEVER,
  Observable,
  of,
  Subject,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { upTo } from '../../test/support/record.js';
import { naturals } from '../../test/support/sources.js';
import { isBufferOverflowError } from '../flow/errors.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { batch } from '../operators/batch.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import type { RunReport } from '../operators/running/runReport.js';
import { untilStopped } from '../operators/untilStopped.js';
import { fromAsyncIterable } from '../sources/fromAsyncIterable.js';
import { isDrainDeadlineError } from './drainDeadlineError.js';
import { type ToAsyncIterableConfig, toAsyncIterable } from './toAsyncIterable.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

/** The numbers from 0, and how many of them were emitted. */
function counted(count = Number.POSITIVE_INFINITY) {
  const state = { emitted: 0, isOpen: false };
  const source$ = new Observable<number>((subscriber) => {
    state.isOpen = true;
    subscriber.add(() => {
      state.isOpen = false;
    });
    return naturals(count)
      .pipe(
        map((n) => {
          state.emitted += 1;
          return n;
        }),
      )
      .subscribe(subscriber);
  });
  return { state, source$ };
}

const iterate = <T>(source$: Observable<T>, config?: ToAsyncIterableConfig) =>
  toAsyncIterable(source$, config)[Symbol.asyncIterator]();

describe('toAsyncIterable', () => {
  it.each([
    ['nothing', EMPTY, []],
    ['one item', of(1), [1]],
    ['items at once', from([1, 2, 3]), [1, 2, 3]],
    ['undefined and null', of(undefined, null), [undefined, null]],
    ['more than it reads ahead', from(upTo(1_000)), [...upTo(1_000)]],
  ])('yields every item in order, and ends: %s', async (_, source$, expected) => {
    expect(await all(toAsyncIterable<unknown>(source$))).toEqual(expected);
  });

  it('subscribes when it is first asked, and anew for each iteration', async () => {
    const { state, source$ } = counted(2);
    const iterable = toAsyncIterable(source$);
    const iterator = iterable[Symbol.asyncIterator]();
    await turn();
    expect(state.isOpen).toBe(false);
    expect(await iterator.next()).toEqual({ done: false, value: 0 });
    expect(await all(iterable)).toEqual([0, 1]);
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it.each([1, 2, 7, 100])('reads no more than %d items ahead of its consumer', async (readAhead) => {
    const { state, source$ } = counted();
    const iterator = iterate(source$, { readAhead });
    for (let taken = 1; taken <= 300; taken++) {
      expect(await iterator.next()).toEqual({ done: false, value: taken - 1 });
      if (taken % 60 === 0) for (let n = 0; n < 5; n++) await turn();
      expect(state.emitted).toBeLessThanOrEqual(taken + readAhead);
    }
    await iterator.return?.();
  });

  it('answers those who ask at the same time in their order', async () => {
    const source = new Subject<number>();
    const iterator = iterate(source);
    const answers = [iterator.next(), iterator.next(), iterator.next()];
    source.next(1);
    source.next(2);
    source.complete();
    expect(await Promise.all(answers)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
  });

  it('loses nothing of operators that make many items of one', async () => {
    const many = (n: number) => from([n, n, n]);
    const chain$ = naturals(200).pipe(
      concatMap(many),
      boundedMergeMap((n) => of(n), { concurrency: 2 }),
      batch({ size: 7 }),
    );
    const seen = (await all(toAsyncIterable(chain$, { readAhead: 1 }))).flat();
    expect(seen).toEqual(Array.from({ length: 600 }, (_, n) => Math.floor(n / 3)));
  });

  it('is the inverse of fromAsyncIterable', async () => {
    const source$ = fromAsyncIterable(toAsyncIterable(naturals(500)));
    expect(await all(toAsyncIterable(source$, { readAhead: 3 }))).toEqual(Array.from({ length: 500 }, (_, n) => n));
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
  ])('throws the error of its source once, after what was held: %s', async (_, source$, before) => {
    const iterator = iterate<number>(source$ as Observable<number>);
    for (const value of before) expect(await iterator.next()).toEqual({ done: false, value });
    await expect(iterator.next()).rejects.toThrow('lost');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it.each(['break', 'throw', 'return'] as const)('releases the source when its consumer leaves: %s', async (how) => {
    const { state, source$ } = counted();
    const iterable = toAsyncIterable(source$);
    const leave = async () => {
      for await (const n of iterable) {
        if (n < 5) continue;
        expect(state.isOpen).toBe(true);
        if (how === 'throw') throw new Error('enough');
        if (how === 'return') return;
        break;
      }
    };
    if (how === 'throw') await expect(leave()).rejects.toThrow('enough');
    else await leave();
    expect(state.isOpen).toBe(false);
  });

  it('answers whoever still asks when another leaves', async () => {
    const iterator = iterate(NEVER);
    const asked = [iterator.next(), iterator.next()];
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await Promise.all(asked)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(await iterate(NEVER).return?.()).toEqual({ done: true, value: undefined });
  });

  it('tells whoever leaves that the source cannot be released', async () => {
    const source$ = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => {
        throw new Error('close failed');
      };
    });
    const iterator = iterate(source$);
    await iterator.next();
    await expect(iterator.return?.()).rejects.toThrow('close failed');
  });

  it('fails where a source does not obey the gate, after what it holds', async () => {
    const source = new Subject<number>();
    const iterator = iterate(source, { capacity: 3 });
    const first = iterator.next();
    for (let n = 0; n < 6; n++) source.next(n);
    expect(source.observed).toBe(false);
    expect(await first).toEqual({ done: false, value: 0 });
    for (const value of [1, 2, 3]) expect(await iterator.next()).toEqual({ done: false, value });
    expect(isBufferOverflowError(await iterator.next().catch((error: unknown) => error))).toBe(true);
  });

  it.each([
    ['directly above', (source: Subject<number>) => source.pipe(map((n) => [n]))],
    ['above a stage, with its remedy', (source: Subject<number>) => source.pipe(untilStopped(), batch({ size: 2 }))],
    [
      'one of Sluice',
      (source: Subject<number>) => merge(source.pipe(untilStopped()), naturals(0)).pipe(batch({ size: 2 })),
    ],
  ])('drains: the source stops, and what is held is handed over: %s', async (_, make) => {
    const monitor = new PipelineMonitor();
    const stop = new AbortController();
    const source = new Subject<number>();
    const iterator = iterate<readonly number[]>(make(source), { stop: stop.signal, monitor });
    const first = iterator.next();
    for (let n = 0; n < 5; n++) source.next(n);
    stop.abort();
    expect(source.observed).toBe(false);
    const seen = [(await first).value];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) seen.push(next.value);
    expect(seen.flat()).toEqual([0, 1, 2, 3, 4]);
    expect(monitor.account()).toMatchObject({ received: 5, delivered: 5, held: 0, conservation: 0 });
  });

  it('that is stopped before it begins yields nothing', async () => {
    expect(await all(toAsyncIterable(naturals(), { stop: AbortSignal.abort() }))).toEqual([]);
  });

  it('throws what a drain had no time for, rather than end as if all were well', async () => {
    const scheduler = new VirtualTimeScheduler();
    const stop = new AbortController();
    const iterator = iterate(naturals(), { stop: stop.signal, scheduler, drainTimeoutMs: 100, readAhead: 4 });
    await iterator.next();
    stop.abort();
    scheduler.flush();
    const error = await iterator.next().catch((thrown: unknown) => thrown);
    expect(isDrainDeadlineError(error)).toBe(true);
    expect(error).toMatchObject({
      message: expect.stringContaining('4 items (toAsyncIterable 4) were not taken within 100 ms'),
      report: { held: 4, outcome: 'deadline' },
    });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('is followed by observers', async () => {
    const events: string[] = [];
    const observe = [
      {
        attach: () => undefined,
        finished: ({ outcome, delivered }: { outcome: string; delivered: number }) =>
          events.push(`${outcome} ${delivered}`),
      },
    ];
    await all(toAsyncIterable(naturals(3), { observe }));
    for await (const n of toAsyncIterable(naturals(), { observe })) if (n === 3) break;
    expect(events).toEqual(['completed 3', 'unsubscribed 4']);
  });

  it('fails where an observer refuses it, and releases what it had taken', async () => {
    const outcomes: string[] = [];
    const stop = new AbortController();
    const { state, source$ } = counted();
    const broken = () => {
      throw new Error('no room for a metric');
    };
    const observe = [{ finished: ({ outcome }: RunReport) => outcomes.push(outcome) }, { attach: broken }];
    await expect(all(toAsyncIterable(source$, { stop: stop.signal, observe }))).rejects.toThrow('no room for a metric');
    expect(outcomes).toEqual(['failed']);
    expect(state).toEqual({ emitted: 0, isOpen: false });
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  it('leaves nothing on its abort signal', async () => {
    const stop = new AbortController();
    let listeners = 0;
    const signal = {
      aborted: false,
      addEventListener: () => {
        listeners += 1;
      },
      removeEventListener: () => {
        listeners -= 1;
      },
    } as unknown as AbortSignal;
    await all(toAsyncIterable(naturals(3), { stop: signal }));
    expect(listeners).toBe(0);
    expect(stop.signal.aborted).toBe(false);
  });

  it.each([
    [undefined, {}, /the subscribe of its source must be a function, got undefined/],
    [NEVER, { capacity: 0 }, /capacity must be an integer of at least 1, got 0/],
    [NEVER, { readAhead: 9, capacity: 8 }, /readAhead must be an integer from 1 to 8, got 9/],
    [NEVER, { highWatermark: 9 }, /unknown option "highWatermark"/],
  ])('refuses what it cannot use: %#', (source$, config, message) => {
    expect(() => toAsyncIterable(source$ as never, config as never)).toThrow(message);
  });
});
