import {
  bufferCount,
  concat,
  merge,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  Subject,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { filter, map, mergeMap, retry, take, toArray } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../contracts/sink.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { broadcast } from '../operators/broadcast.js';
import { conflate } from '../operators/conflate.js';
import { lanes } from '../operators/lanes.js';
import { pace } from '../operators/pace.js';
import { route } from '../operators/route.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { memorySink } from '../sinks/memorySink.js';
import { slowSink } from '../testing/slowSink.js';
import { accountOf } from './account.js';
import { Gate } from './gate.js';
import { gatedSource } from './gatedSource.js';
import { PipelineMonitor } from './monitor.js';
import { operate } from './operate.js';
import { withContext } from './withContext.js';

/** The numbers from 0, from a source that obeys the gate and never yields. */
const numbers = (end: number, name = 'numbers') =>
  gatedSource<number>({ name, yieldAfterMs: Number.POSITIVE_INFINITY }, (outlet) => {
    let n = 0;
    outlet.pump(() => (n < end ? outlet.next(n++) : outlet.complete()));
  });

const nothing = {
  received: 0,
  written: 0,
  diverted: 0,
  divertedBy: {},
  dropped: {},
  filtered: 0,
  delivered: 0,
  held: 0,
  conservation: 0,
};

/** What a sink does that never commits. */
const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };

describe('the account of a pipeline', () => {
  const account = (build: () => Observable<unknown>, monitor = new PipelineMonitor()) => {
    build()
      .pipe(withContext({ monitor }))
      .subscribe({ error: () => {} });
    return monitor.account();
  };
  it('counts what a stock operator takes out between two stages as filtered', () => {
    const build = () =>
      numbers(10).pipe(
        filter((n) => n % 2 === 0),
        boundedBuffer(),
      );
    expect(account(build)).toEqual({ ...nothing, received: 10, filtered: 5, delivered: 5 });
  });

  it('counts what take() cuts off downstream of the last stage as delivered by it', () => {
    expect(account(() => numbers(10).pipe(boundedBuffer(), take(3)))).toEqual({
      ...nothing,
      received: 3,
      delivered: 3,
    });
  });

  it('counts what a stock operator adds between two stages as received', () => {
    const build = () =>
      numbers(10).pipe(
        mergeMap((n) => of(n, n)),
        boundedBuffer(),
      );
    expect(account(build)).toEqual({ ...nothing, received: 20, delivered: 20 });
  });

  it('counts items of sources that are none of its own', () => {
    expect(account(() => of(1, 2, 3).pipe(boundedBuffer()))).toEqual({ ...nothing, received: 3, delivered: 3 });
    expect(account(() => merge(of(1, 2), numbers(5)).pipe(boundedBuffer()))).toEqual({
      ...nothing,
      received: 7,
      delivered: 7,
    });
  });

  it('counts each item once along several stages', () => {
    const build = () =>
      concat(numbers(4, 'a'), numbers(5, 'b')).pipe(boundedBuffer(), boundedBuffer({ name: 'second' }));
    expect(account(build)).toEqual({ ...nothing, received: 9, delivered: 9 });
  });

  it('counts what a transform adds as received, and what it takes out as filtered', () => {
    const repeatEach = (times: number) => boundedMergeMap((n: number) => Array(times).fill(n), { concurrency: 1 });
    expect(account(() => numbers(10).pipe(repeatEach(3)))).toEqual({ ...nothing, received: 30, delivered: 30 });
    expect(account(() => numbers(10).pipe(repeatEach(0)))).toEqual({ ...nothing, received: 10, filtered: 10 });
  });

  it('counts what goes through lanes once', () => {
    const build = () => numbers(10).pipe(lanes({ count: 3 }, (lane$) => lane$.pipe(boundedBuffer())));
    expect(account(build)).toEqual({ ...nothing, received: 10, delivered: 10 });
  });

  it('counts each copy that a broadcast hands out as an item from there on', () => {
    const build = () => {
      const shared$ = numbers(10).pipe(broadcast({ branches: 2 }));
      return merge(shared$.pipe(boundedBuffer({ name: 'left' })), shared$.pipe(boundedBuffer({ name: 'right' })));
    };
    expect(account(build)).toEqual({ ...nothing, received: 20, delivered: 20 });
  });

  it('counts writes as written, and what is emitted after a write as no item at all', () => {
    const build = () =>
      numbers(6).pipe(
        map((n) => [n]),
        writeTo({ name: 'null', write: () => of({ rows: 1 }) }),
        boundedBuffer(),
      );
    expect(account(build)).toEqual({ ...nothing, received: 6, written: 6 });
  });

  it('counts drops by reason', () => {
    const gate = new Gate('closed');
    const items$ = new Subject<number>();
    const monitor = new PipelineMonitor();
    const buffer = boundedBuffer<number>({ capacity: 2, overflow: 'dropOldest' });
    items$.pipe(buffer, withContext({ gate, monitor })).subscribe();
    for (let n = 0; n < 5; n++) items$.next(n);
    expect(monitor.account()).toEqual({
      ...nothing,
      received: 5,
      dropped: { dropOldest: 3 },
      held: 2,
    });
  });

  it('counts what is held when a subscription ends as held', () => {
    const gate = new Gate('closed');
    const items$ = new Subject<number>();
    const monitor = new PipelineMonitor();
    const subscription = items$.pipe(boundedBuffer(), withContext({ gate, monitor })).subscribe();
    for (let n = 0; n < 5; n++) items$.next(n);
    subscription.unsubscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 5, held: 5 });
    expect(monitor.stages[0]?.abandoned).toBe(5);
  });

  it('takes up the account of a source that is retried, below the stage it feeds', () => {
    let attempt = 0;
    const monitor = new PipelineMonitor();
    const flapping$ = gatedSource<number>({ name: 'flapping' }, (outlet) => {
      attempt += 1;
      for (let n = 0; n < 3; n++) outlet.next(n);
      if (attempt < 4) outlet.error(new Error('down'));
      else outlet.complete();
    });
    expect(account(() => flapping$.pipe(retry(), boundedBuffer()), monitor)).toEqual({
      ...nothing,
      received: 12,
      delivered: 12,
    });
    expect(monitor.stages.map(({ id }) => id)).toEqual(['boundedBuffer', 'flapping']);
  });

  it('balances after a failure', () => {
    const build = () =>
      concat(
        numbers(3),
        throwError(() => new Error('x')),
      ).pipe(boundedBuffer());
    expect(account(build)).toEqual({ ...nothing, received: 3, delivered: 3 });
  });
});

describe('the account of a transform', () => {
  const three = () =>
    gatedSource<number>({ name: 'three' }, (outlet) => {
      let n = 0;
      outlet.pump(() => (n < 3 ? outlet.next(n++) : outlet.complete()));
    });

  it('counts the items of the sources inside it once, and what asked for them as filtered', () => {
    const monitor = new PipelineMonitor();
    three()
      .pipe(
        boundedMergeMap(() => three(), { concurrency: 1 }),
        withContext({ monitor }),
      )
      .subscribe();
    expect(monitor.account()).toMatchObject({ received: 3 + 9, delivered: 9, filtered: 3, held: 0, conservation: 0 });
  });

  it('counts results that come from elsewhere as received, and one for one as the same item', () => {
    for (const [results, received, filtered] of [
      [[1], 3, 0],
      [[1, 2, 3], 9, 0],
      [[], 3, 3],
    ] as const) {
      const monitor = new PipelineMonitor();
      three()
        .pipe(
          boundedMergeMap(() => results, { concurrency: 2 }),
          withContext({ monitor }),
        )
        .subscribe();
      const delivered = 3 * results.length;
      expect(monitor.account()).toMatchObject({ received, delivered, filtered, held: 0, conservation: 0 });
    }
  });
});

/** A chain on a virtual clock. What it says of itself when the clock has run dry, or stands at `untilMs`. */
interface Chain {
  readonly build: (clock: VirtualTimeScheduler) => Observable<unknown>;
  readonly untilMs?: number;
  readonly says: Partial<typeof nothing> & {
    readonly dropped?: Record<string, number>;
    readonly divertedBy?: Record<string, number>;
  };
}

describe('the account in items', () => {
  const write = (name = 'write') => writeTo(memorySink<number>(), { name });
  const slow = (clock: VirtualTimeScheduler) => slowSink<number>({ serviceTimeMs: 10, scheduler: clock });
  const fast = (clock: VirtualTimeScheduler) => pace<readonly number[]>({ rate: 1_000, perMs: 1, scheduler: clock });
  const even = filter((n: number) => n % 2 === 0);

  it.each<[string, Chain]>([
    [
      'batch, boundedBuffer, writeTo, half-way',
      {
        // Written: 3 batches. In the write: 1. In the buffer: 4 of 10 and the one of 5 items. In the batch: 4.
        build: (clock) =>
          concat(numbers(95), NEVER).pipe(
            batch({ size: 10 }),
            boundedBuffer({ capacity: 100 }),
            writeTo(slow(clock), { scheduler: clock }),
          ),
        untilMs: 35,
        says: { received: 95, written: 30, held: 65 },
      },
    ],
    [
      'batch, lanes with a buffer in each, writeTo, half-way',
      {
        build: (clock) =>
          numbers(100).pipe(
            batch({ size: 10 }),
            lanes({ count: 2 }, (lane$) =>
              lane$.pipe(boundedBuffer({ capacity: 10 }), writeTo(slow(clock), { scheduler: clock })),
            ),
          ),
        untilMs: 15,
        says: { received: 100, written: 20, held: 80 },
      },
    ],
    [
      'batch, boundedBuffer, filter of batches, writeTo, half-way',
      {
        build: (clock) =>
          numbers(100).pipe(
            batch({ size: 10 }),
            boundedBuffer({ capacity: 100 }),
            filter((items) => items[0] !== 10),
            writeTo(slow(clock), { scheduler: clock }),
          ),
        untilMs: 25,
        says: { received: 100, written: 20, held: 70, filtered: 10 },
      },
    ],
    [
      'batch, pace and no write',
      {
        build: (clock) => numbers(100).pipe(batch({ size: 10 }), fast(clock)),
        says: { received: 100, delivered: 100 },
      },
    ],
    [
      'batch, pace with arrays from elsewhere, writeTo',
      {
        build: (clock) => merge(of([1, 2, 3]), numbers(20).pipe(batch({ size: 10 }))).pipe(fast(clock), write()),
        says: { received: 23, written: 23 },
      },
    ],
    [
      'batch, broadcast to two writers, one held up behind a buffer',
      {
        build: () => {
          const batches$ = numbers(35).pipe(batch({ size: 10 }), broadcast({ branches: 2 }));
          return merge(batches$.pipe(write()), batches$.pipe(boundedBuffer(), writeTo(stuck, { name: 'stuck' })));
        },
        says: { received: 70, written: 35, held: 35 },
      },
    ],
    [
      'batch, back to items, boundedBuffer, batch, writeTo',
      {
        build: () =>
          numbers(20).pipe(
            batch({ size: 10 }),
            mergeMap((items) => [...items, ...items]),
            boundedBuffer({ name: 'between' }),
            batch({ size: 5, name: 'again' }),
            writeTo(stuck),
          ),
        says: { received: 40, held: 40 },
      },
    ],
    [
      'bufferCount before writeTo, with stages above and between',
      {
        build: (clock) => merge(of(1, 2, 3), numbers(4)).pipe(boundedBuffer(), bufferCount(2), fast(clock), write()),
        says: { received: 7, written: 7 },
      },
    ],
    [
      'toArray and map before writeTo, half-way',
      {
        build: () =>
          numbers(6).pipe(
            toArray(),
            map((items) => [...items, 7]),
            boundedBuffer(),
            writeTo(stuck),
          ),
        says: { received: 7, held: 7 },
      },
    ],
    [
      'batch, map to one number, boundedBuffer',
      {
        build: () =>
          numbers(20).pipe(
            batch({ size: 5 }),
            map((items) => items.length),
            boundedBuffer(),
          ),
        says: { received: 20, filtered: 16, delivered: 4 },
      },
    ],
    [
      'items that are arrays, boundedBuffer, batch, writeTo',
      {
        build: () =>
          numbers(20).pipe(
            map((n) => [n, n, n]),
            boundedBuffer(),
            batch({ size: 5 }),
            writeTo(memorySink<number[]>()),
          ),
        says: { received: 20, written: 20 },
      },
    ],
    [
      'the coordinator',
      {
        build: (clock) =>
          numbers(200).pipe(
            writeCoordinator(slow(clock), { workers: 3, batchSize: 7, capacity: 20, by: (n) => n, eager: false }),
          ),
        says: { received: 200, written: 200 },
      },
    ],
    [
      'lanes, route, writeTo in each',
      {
        build: () =>
          numbers(60).pipe(
            lanes({ count: 2, by: (n) => n }, (lane$) =>
              lane$.pipe(
                route((n: number) => (n % 3 === 0 ? 'third' : 'other'), {
                  third: (branch$: Observable<number>) => branch$.pipe(batch({ size: 4 }), write('third')),
                  other: (branch$: Observable<number>) =>
                    branch$.pipe(batch({ size: 4 }), boundedBuffer(), write('other')),
                }),
              ),
            ),
          ),
        says: { received: 60, written: 60 },
      },
    ],
    [
      'broadcast to two writers',
      {
        build: () => {
          const shared$ = numbers(30).pipe(broadcast({ branches: 2 }));
          return merge(
            shared$.pipe(batch({ size: 4 }), write('left')),
            shared$.pipe(even, batch({ size: 4 }), write('right')),
          );
        },
        says: { received: 60, written: 45, filtered: 15 },
      },
    ],
    [
      'mergeMap that doubles',
      {
        build: () =>
          numbers(40).pipe(
            mergeMap((n) => [n, n]),
            batch({ size: 10 }),
            write(),
          ),
        says: { received: 80, written: 80 },
      },
    ],
    [
      'stages with branches after the write',
      {
        build: () =>
          numbers(20).pipe(
            batch({ size: 5 }),
            write(),
            lanes({ count: 2 }, (lane$) => lane$.pipe(boundedBuffer())),
          ),
        says: { received: 20, written: 20 },
      },
    ],
  ])('is exact: %s', (_name, { build, untilMs, says }) => {
    const clock = new VirtualTimeScheduler();
    if (untilMs !== undefined) clock.maxFrames = untilMs;
    const monitor = new PipelineMonitor();
    build(clock).pipe(withContext({ monitor })).subscribe();
    clock.flush();
    expect(monitor.account()).toEqual({ ...nothing, ...says });
    expect(accountOf(monitor.stages)).toEqual(monitor.account());
  });

  it('counts what did not reach the writer for several reasons', () => {
    const monitor = new PipelineMonitor();
    const items$ = new Subject<number>();
    const subscription = items$
      .pipe(batch({ size: 5 }), conflate({ by: () => 'all' }), writeTo(stuck), withContext({ monitor }))
      .subscribe();
    for (let n = 0; n < 53; n++) items$.next(n);
    // Of ten batches the first is in the write, the last is held, and eight gave way; three items wait for a batch.
    const says = { ...nothing, received: 53, held: 5 + 5 + 3, dropped: { conflated: 40 } };
    expect(monitor.account()).toEqual(says);
    subscription.unsubscribe();
    expect(monitor.account()).toEqual(says);
  });

  it('tells what a stage before a transform holds from what the transform makes fewer', () => {
    const monitor = new PipelineMonitor();
    numbers(50)
      .pipe(
        batch({ size: 10 }),
        boundedBuffer(),
        boundedMergeMap((items) => (items[0] === 20 ? NEVER : of(items.length)), { concurrency: 1 }),
        withContext({ monitor }),
      )
      .subscribe();
    // Of 50 items 20 made two results, 10 are in the transform, and 20 are in the buffer.
    expect(monitor.account()).toEqual({ ...nothing, received: 50, delivered: 2, filtered: 18, held: 30 });
  });

  it('tells batches that went only to another pipeline of a broadcast from those held', () => {
    const monitor = new PipelineMonitor();
    const items$ = new Subject<number>();
    const batches$ = items$.pipe(batch({ size: 2 }), broadcast({ branches: 2 }));
    batches$.pipe(take(3), boundedBuffer(), writeTo(stuck), withContext({ monitor })).subscribe();
    batches$.pipe(withContext({ monitor: new PipelineMonitor() })).subscribe();
    for (let n = 0; n < 10; n++) items$.next(n);
    expect(monitor.account()).toEqual({ ...nothing, received: 10, filtered: 4, held: 6 });
  });

  it('takes what goes to a stage of another monitor for delivered', () => {
    const monitor = new PipelineMonitor();
    numbers(10)
      .pipe(batch({ size: 5 }), withContext({ monitor }), boundedBuffer())
      .subscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 10, delivered: 10 });
  });

  it('counts what went only to another pipeline of a broadcast as filtered', () => {
    const monitor = new PipelineMonitor();
    const items$ = new Subject<number>();
    const shared$ = items$.pipe(broadcast({ branches: 2 }));
    shared$.pipe(take(3), withContext({ monitor })).subscribe();
    shared$.pipe(withContext({ monitor: new PipelineMonitor() })).subscribe();
    for (let n = 0; n < 10; n++) items$.next(n);
    expect(monitor.account()).toEqual({ ...nothing, received: 10, delivered: 3, filtered: 7 });
  });
});

/** Counts each value in, and every other one out. */
const leak = <T>() =>
  operate<T, T>({ kind: 'leak' }, ({ emit }) => {
    let n = 0;
    return {
      next(value) {
        n += 1;
        if (n % 2 === 0) emit(value);
      },
    };
  });

describe('conservation', () => {
  const write = (name = 'write') => writeTo(memorySink<number>(), { name });
  const batches = batch<number>({ size: 2 });

  it.each<[string, OperatorFunction<number, unknown>, number]>([
    ['at the end', leak(), 4],
    ['before a batch', (source$) => source$.pipe(leak(), batches, write()), 4],
    ['between a batch and a writer', (source$) => source$.pipe(batches, leak(), write()), 4],
    ['between a batch and the end', (source$) => source$.pipe(batches, leak(), boundedBuffer()), 4],
    ['beside a buffer that holds', (source$) => source$.pipe(batches, leak(), boundedBuffer(), writeTo(stuck)), 4],
    ['in a lane', lanes({ count: 2 }, (lane$) => lane$.pipe(leak(), batches, write())), 4],
    [
      'in a lane behind a batch',
      (source$) =>
        source$.pipe(
          batches,
          lanes({ count: 1 }, (lane$) => lane$.pipe(leak(), write())),
        ),
      4,
    ],
    ['in a branch of a broadcast', (source$) => source$.pipe(broadcast(), leak(), batches, write()), 4],
    [
      'before a transform',
      (source$) =>
        source$.pipe(
          batches,
          leak(),
          boundedMergeMap((items) => items, { concurrency: 1 }),
        ),
      4,
    ],
    ['after a write', (source$) => source$.pipe(batches, write(), leak()), 2],
  ])('shows a stage that counts in and forgets out, %s', (_where, chain, missing) => {
    const monitor = new PipelineMonitor();
    numbers(8).pipe(chain, withContext({ monitor })).subscribe();
    const { conservation, received, filtered } = monitor.account();
    expect(conservation).toBe(missing);
    // What leaked away is not passed off as something else.
    expect(filtered).toBe(0);
    expect(received).toBe(8);
  });
});
