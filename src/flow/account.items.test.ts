import { bufferCount, concat, merge, NEVER, type Observable, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { filter, map, mergeMap, take, toArray } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { nothing } from '../../test/support/emptyAccount.js';
import { naturals } from '../../test/support/sources.js';
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
import { PipelineMonitor } from './monitor.js';
import { withContext } from './withContext.js';

/** What a sink does that never commits. */
const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };

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
          concat(naturals(95), NEVER).pipe(
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
          naturals(100).pipe(
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
          naturals(100).pipe(
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
        build: (clock) => naturals(100).pipe(batch({ size: 10 }), fast(clock)),
        says: { received: 100, delivered: 100 },
      },
    ],
    [
      'batch, pace with arrays from elsewhere, writeTo',
      {
        build: (clock) => merge(of([1, 2, 3]), naturals(20).pipe(batch({ size: 10 }))).pipe(fast(clock), write()),
        says: { received: 23, written: 23 },
      },
    ],
    [
      'batch, broadcast to two writers, one held up behind a buffer',
      {
        build: () => {
          const batches$ = naturals(35).pipe(batch({ size: 10 }), broadcast({ branches: 2 }));
          return merge(batches$.pipe(write()), batches$.pipe(boundedBuffer(), writeTo(stuck, { name: 'stuck' })));
        },
        says: { received: 70, written: 35, held: 35 },
      },
    ],
    [
      'batch, back to items, boundedBuffer, batch, writeTo',
      {
        build: () =>
          naturals(20).pipe(
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
        build: (clock) => merge(of(1, 2, 3), naturals(4)).pipe(boundedBuffer(), bufferCount(2), fast(clock), write()),
        says: { received: 7, written: 7 },
      },
    ],
    [
      'toArray and map before writeTo, half-way',
      {
        build: () =>
          naturals(6).pipe(
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
          naturals(20).pipe(
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
          naturals(20).pipe(
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
          naturals(200).pipe(
            writeCoordinator(slow(clock), { workers: 3, batchSize: 7, capacity: 20, by: (n) => n, eager: false }),
          ),
        says: { received: 200, written: 200 },
      },
    ],
    [
      'lanes, route, writeTo in each',
      {
        build: () =>
          naturals(60).pipe(
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
          const shared$ = naturals(30).pipe(broadcast({ branches: 2 }));
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
          naturals(40).pipe(
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
          naturals(20).pipe(
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
    naturals(50)
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
    naturals(10)
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
