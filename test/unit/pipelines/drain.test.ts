import { EventEmitter } from 'node:events';
import { concatMap, filter, from, map, of, Subject, tap, timer, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../../../src/contracts/sink.js';
import { batch } from '../../../src/operators/batch.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../../src/operators/boundedMergeMap.js';
import { pace } from '../../../src/operators/pace.js';
import { route } from '../../../src/operators/route.js';
import type { RunReport } from '../../../src/operators/running/runReport.js';
import { untilStopped } from '../../../src/operators/untilStopped.js';
import { writeCoordinator } from '../../../src/operators/writeCoordinator.js';
import { writeTo } from '../../../src/operators/writeTo.js';
import { run } from '../../../src/pipelines/run.js';
import { sinkSubscriber } from '../../../src/sinks/sinkSubscriber.js';
import { fromIterable } from '../../../src/sources/fromIterable.js';
import { naturals } from '../../support/sources.js';

/** A sink that takes 5 ms of virtual time a batch, and keeps what is committed. */
function slow(scheduler: VirtualTimeScheduler): Sink<number> & { written: number[] } {
  const written: number[] = [];
  return {
    name: 'slow',
    written,
    write: (items) =>
      timer(5, scheduler).pipe(
        map(() => {
          written.push(...items);
          return { rows: items.length };
        }),
      ),
  };
}

/** Runs a chain in virtual time and asks it to drain at `atMs`. */
function drained(
  make: (scheduler: VirtualTimeScheduler) => Parameters<typeof run>[0],
  atMs: number,
): Promise<RunReport> {
  const scheduler = new VirtualTimeScheduler();
  const stop = new AbortController();
  const promise = run(make(scheduler), { scheduler, stop: stop.signal, emitter: new EventEmitter() });
  scheduler.schedule(() => stop.abort(), atMs);
  scheduler.flush();
  return promise;
}

describe('a drain', () => {
  it('writes what stages above a coordinator hold', async () => {
    let sink: ReturnType<typeof slow> | undefined;
    const report = await drained((scheduler) => {
      sink = slow(scheduler);
      return naturals().pipe(
        boundedBuffer({ capacity: 500 }),
        pace({ rate: 2, perMs: 1, scheduler }),
        writeCoordinator(sink, { workers: 2, batchSize: 10, capacity: 20 }),
      );
    }, 20);
    expect(report).toMatchObject({ outcome: 'drained', held: 0, dropped: {}, conservation: 0 });
    expect(report.received).toBeGreaterThan(400);
    expect(report.written).toBe(report.received);
    expect(sink?.written.sort((a, b) => a - b)).toEqual(Array.from({ length: report.received }, (_, i) => i));
  });

  it('writes what is held above coordinators in the branches of a route', async () => {
    const report = await drained((scheduler) => {
      const branch = (items$: ReturnType<typeof naturals>) =>
        items$.pipe(writeCoordinator(slow(scheduler), { workers: 1, batchSize: 10, capacity: 20 }));
      return naturals().pipe(
        boundedBuffer({ capacity: 100 }),
        route((n: number) => (n % 2 ? 'odd' : 'even'), { odd: branch, even: branch }),
      );
    }, 20);
    expect(report).toMatchObject({ outcome: 'drained', held: 0, dropped: {}, conservation: 0 });
    expect(report.written).toBe(report.received);
  });

  it('unsubscribes a foreign source, with and without stages of ours above the coordinator', async () => {
    for (const between of [[], [untilStopped<number>(), boundedBuffer<number>()]]) {
      const subject = new Subject<number>();
      const promise = drained((scheduler) => {
        const [a = tap<number>(), b = tap<number>()] = between;
        scheduler.schedule(() => from([1, 2, 3]).subscribe((n) => subject.next(n)), 1);
        return subject.pipe(a, b, writeCoordinator(slow(scheduler), { workers: 1 }));
      }, 3);
      expect(await promise).toMatchObject({ outcome: 'drained', received: 3, written: 3, held: 0 });
      expect(subject.observed).toBe(false);
    }
  });

  it('finishes writes that are pipelines themselves', async () => {
    const really: number[] = [];
    const report = await drained((scheduler) => {
      const one = (n: number) => timer(1, scheduler).pipe(tap(() => really.push(n)));
      const sink: Sink<number> = {
        name: 'inside',
        write: (items) =>
          fromIterable(items).pipe(
            boundedMergeMap(one, { concurrency: 1 }),
            filter(() => false),
            map(() => ({ rows: 0 })),
          ),
      };
      return naturals().pipe(writeCoordinator(sink, { workers: 1, batchSize: 10, capacity: 50 }));
    }, 12);
    expect(report).toMatchObject({ outcome: 'drained', held: 0, conservation: 0 });
    expect(really).toEqual(Array.from({ length: report.written }, (_, i) => i));
  });

  it('finishes what boundedMergeMap holds, or stops it with onStop', async () => {
    const pages = (onStop: 'finish' | 'stop') =>
      drained((scheduler) => {
        const page = (n: number) => fromIterable([n, n, n]).pipe(pace({ rate: 1, perMs: 4, scheduler }));
        return naturals(10).pipe(
          boundedBuffer({ capacity: 5 }),
          boundedMergeMap(page, { concurrency: 2, onStop }),
          writeCoordinator(slow(scheduler), { workers: 1 }),
        );
      }, 6);
    const finished = await pages('finish');
    // Each of the requests that had been received gave its three items.
    const requests = finished.stages.find(({ kind }) => kind === 'boundedMergeMap')?.in ?? 0;
    expect(finished).toMatchObject({ outcome: 'drained', written: requests * 3, held: 0, conservation: 0 });
    expect(requests).toBeGreaterThan(5);
    expect((await pages('stop')).written).toBeLessThan(requests * 3);
  });

  it('ends an endless stream inside boundedMergeMap with onStop', async () => {
    const report = await drained(
      (scheduler) =>
        of('SPY').pipe(
          boundedMergeMap(() => naturals(), { concurrency: 1, onStop: 'stop' }),
          writeCoordinator(slow(scheduler), { workers: 1, capacity: 100 }),
        ),
      20,
    );
    expect(report).toMatchObject({ outcome: 'drained', held: 0, conservation: 0 });
    expect(report.written).toBe(report.received);
  });

  it('stops a stream below stock operators', async () => {
    const report = await drained(
      (scheduler) =>
        of(1).pipe(
          concatMap(() => naturals()),
          writeCoordinator(slow(scheduler), { capacity: 100 }),
        ),
      20,
    );
    expect(report).toMatchObject({ outcome: 'drained', held: 0, conservation: 0 });
  });
});

describe('a sinkSubscriber that is stopped', () => {
  it('writes what stages above it hold', async () => {
    const scheduler = new VirtualTimeScheduler();
    const sink = slow(scheduler);
    const writer = sinkSubscriber(sink, { workers: 1, batchSize: 10, capacity: 20 });
    naturals()
      .pipe(boundedBuffer({ capacity: 100 }), pace({ rate: 2, perMs: 1, scheduler }))
      .subscribe(writer);
    scheduler.schedule(() => writer.stop(), 10);
    scheduler.flush();
    const account = await writer.whenFinished();
    expect(account).toMatchObject({ held: 0, conservation: 0 });
    expect(account.written).toBe(account.received);
    expect(account.received).toBeGreaterThan(80);
  });
});

describe('a pipeline inside another', () => {
  it('is one of its own, with its own gate and account', async () => {
    const scheduler = new VirtualTimeScheduler();
    const inner: number[] = [];
    const report = run(
      of(1, 2, 3).pipe(
        boundedMergeMap(
          (n) =>
            run(fromIterable([n]).pipe(writeCoordinator(slow(scheduler))), { signals: [], scheduler }).then(
              (result) => {
                inner.push(result.written);
                return result;
              },
            ),
          { concurrency: 1 },
        ),
      ),
      { signals: [] },
    );
    const ticking = setInterval(() => scheduler.flush(), 1);
    expect(await report).toMatchObject({ outcome: 'completed', received: 3, delivered: 3, held: 0 });
    clearInterval(ticking);
    expect(inner).toEqual([1, 1, 1]);
  });

  it('does not wait at the gate of the chain in whose callback it is subscribed', () => {
    const written: number[] = [];
    const sink: Sink<number> = { name: 'plain', write: (items) => [{ rows: written.push(...items) }] };
    let inside = 0;
    of(1, 2, 3)
      .pipe(
        boundedMergeMap(
          (n) => {
            // Full as soon as this one is taken: its gate is closed while the callback runs.
            fromIterable([n, n])
              .pipe(batch({ size: 1 }), writeTo(sink))
              .subscribe();
            inside += 1;
            return of(n);
          },
          { concurrency: 1 },
        ),
      )
      .subscribe();
    expect(inside).toBe(3);
    expect(written).toEqual([1, 1, 2, 2, 3, 3]);
  });
});
