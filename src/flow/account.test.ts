import fc from 'fast-check';
import {
  bufferCount,
  concat,
  merge,
  NEVER,
  Observable,
  type OperatorFunction,
  of,
  Subject,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { filter, map, mergeMap, retry, take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../contracts/sink.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { broadcast } from '../operators/broadcast.js';
import { conflate } from '../operators/conflate.js';
import { decode } from '../operators/decode.js';
import { dedupe } from '../operators/dedupe.js';
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
  const codec = { decode: (input: unknown) => ({ _tag: 'Right', right: input as number }) as const };

  it.each<[string, Chain]>([
    [
      'boundedBuffer, batch, writeTo',
      {
        build: () => numbers(95).pipe(boundedBuffer(), batch({ size: 10 }), write()),
        says: { received: 95, written: 95 },
      },
    ],
    [
      'batch, pace, writeTo',
      {
        build: (clock) => numbers(100).pipe(batch({ size: 10 }), fast(clock), write()),
        says: { received: 100, written: 100 },
      },
    ],
    [
      'batch, lanes, writeTo in each',
      {
        build: () =>
          numbers(100).pipe(
            batch({ size: 10 }),
            lanes({ count: 2 }, (lane$) => lane$.pipe(write())),
          ),
        says: { received: 100, written: 100 },
      },
    ],
    [
      'batch, boundedBuffer, writeTo',
      {
        build: () => numbers(95).pipe(batch({ size: 10 }), boundedBuffer(), write()),
        says: { received: 95, written: 95 },
      },
    ],
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
      'batch, dedupe of batches, writeTo',
      {
        build: () => numbers(100).pipe(batch({ size: 10 }), dedupe({ by: (items) => items[0]! % 50 }), write()),
        says: { received: 100, written: 50, dropped: { duplicate: 50 } },
      },
    ],
    [
      'batch, filter of batches, pace, writeTo',
      {
        build: (clock) =>
          numbers(100).pipe(
            batch({ size: 10 }),
            filter((items) => items[0] !== 20),
            fast(clock),
            write(),
          ),
        says: { received: 100, written: 90, filtered: 10 },
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
      'batch, decode of batches, writeTo',
      {
        build: () =>
          numbers(100).pipe(
            batch({ size: 10 }),
            decode<readonly number[]>(
              {
                decode: (input) =>
                  (input as readonly number[])[0] === 20
                    ? { _tag: 'Left', left: [] }
                    : { _tag: 'Right', right: input as readonly number[] },
              },
              { divertTo: () => {} },
            ),
            write(),
          ),
        says: { received: 100, written: 90, diverted: 10, divertedBy: { decode: 10 } },
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
      'bufferCount directly before writeTo',
      {
        build: () => merge(of(1, 2, 3), numbers(4)).pipe(bufferCount(2), write()),
        says: { received: 7, written: 7 },
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
      'decode, dedupe, batch, writeTo',
      {
        build: () =>
          numbers(40).pipe(
            map((n) => n % 25),
            decode<number>(codec, { divertTo: () => {} }),
            dedupe({ by: (n) => n }),
            batch({ size: 10 }),
            write(),
          ),
        says: { received: 40, written: 25, dropped: { duplicate: 15 } },
      },
    ],
    [
      'a filter between two stages',
      {
        build: () => numbers(40).pipe(boundedBuffer(), even, batch({ size: 10 }), write()),
        says: { received: 40, written: 20, filtered: 20 },
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
      'a source that is retried',
      {
        build: () => {
          let attempts = 0;
          const flapping$ = concat(
            numbers(5),
            new Observable<never>((subscriber) => {
              attempts += 1;
              if (attempts < 3) subscriber.error(new Error('down'));
              else subscriber.complete();
            }),
          );
          return flapping$.pipe(retry(), batch({ size: 4 }), write());
        },
        says: { received: 15, written: 15 },
      },
    ],
    [
      'two pipelines on one monitor, one of them with arrays from elsewhere',
      {
        // In one sum, what one has too many would make up for what the other filters out.
        build: (clock) =>
          merge(
            numbers(40).pipe(
              batch({ size: 10 }),
              filter((items) => items[0] === 0),
              fast(clock),
              write('one'),
            ),
            merge(of([1, 2, 3]), numbers(20, 'more').pipe(batch({ size: 10, name: 'other' }))).pipe(
              fast(clock),
              write('two'),
            ),
          ),
        says: { received: 63, written: 33, filtered: 30 },
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

  it('is exact at any moment, whatever carries the batches to the writer', () => {
    type Carrier = (clock: VirtualTimeScheduler) => OperatorFunction<readonly number[], readonly number[]>;
    const carriers: Carrier[] = [
      () => boundedBuffer({ capacity: 5 }),
      (scheduler) => pace({ rate: 2, perMs: 7, scheduler }),
      () => lanes({ count: 3 }, (lane$) => lane$.pipe(boundedBuffer({ capacity: 2 }))),
      (scheduler) => lanes({ count: 2 }, (lane$) => lane$.pipe(pace({ rate: 1, perMs: 3, scheduler }))),
      () => map((items) => items),
    ];
    let heldBetween = 0;
    fc.assert(
      fc.property(
        fc.nat(150),
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.constantFrom(...carriers), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }),
        (count, size, chain, moments) => {
          const clock = new VirtualTimeScheduler();
          const monitor = new PipelineMonitor();
          const sink = slow(clock);
          let emitted = 0;
          const batches$ = numbers(count).pipe(
            tap(() => {
              emitted += 1;
            }),
            batch<number>({ size }),
          );
          chain
            .reduce((items$, carrier) => items$.pipe(carrier(clock)), batches$)
            .pipe(writeTo(sink, { scheduler: clock }), withContext({ monitor }))
            .subscribe();
          for (const moment of [...moments.sort((one, other) => one - other), Number.POSITIVE_INFINITY]) {
            clock.maxFrames = moment;
            clock.flush();
            const written = sink.written.flat().length;
            const account = monitor.account();
            expect(account).toEqual({ ...nothing, received: emitted, written, held: emitted - written });
            heldBetween += account.held;
          }
          expect(sink.written.flat()).toHaveLength(count);
        },
      ),
      { seed: 7, numRuns: 150 },
    );
    expect(heldBetween).toBeGreaterThan(5_000);
  });

  it('shares out by arrays what did not reach the writer for several reasons', () => {
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

  it('adds up also where arrays from elsewhere hide what was dropped', () => {
    const monitor = new PipelineMonitor();
    merge(of(Array(50).fill(100)), numbers(20).pipe(batch({ size: 10 })))
      .pipe(dedupe({ by: (items) => items[0]! % 10 || 'first' }), write(), withContext({ monitor }))
      .subscribe();
    const { received, written, dropped, filtered, held } = monitor.account();
    expect({ written, filtered, held }).toEqual({ written: 50, filtered: 0, held: 0 });
    expect(received).toBe(written + Object.values(dropped).reduce((sum, count) => sum + count, 0));
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
