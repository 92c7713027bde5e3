import { concat, merge, type Observable, of, Subject } from 'rxjs';
import { bufferCount, filter, map, mergeMap, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { nothing } from '../../test/support/emptyAccount.js';
import { naturals } from '../../test/support/sources.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { broadcast } from '../operators/broadcast.js';
import { route } from '../operators/route.js';
import { writeTo } from '../operators/writeTo.js';
import { memorySink } from '../sinks/memorySink.js';
import { PipelineMonitor } from './monitor.js';
import { withContext } from './withContext.js';

describe('what was delivered', () => {
  const even = filter((n: number) => n % 2 === 0);
  const pairs = boundedMergeMap((n: number) => [n, -n], { concurrency: 2 });

  it.each<[string, () => Observable<unknown>]>([
    ['a source alone', () => naturals(10)],
    ['a source of RxJS', () => of(1, 2, 3)],
    ['a filter behind the last stage', () => naturals(10).pipe(boundedBuffer(), even)],
    ['take() behind the last stage', () => naturals(10).pipe(boundedBuffer(), take(3))],
    ['a filter behind a transform', () => naturals(10).pipe(pairs, even)],
    ['take() behind a transform', () => naturals(10).pipe(pairs, take(3))],
    [
      'what makes many of one behind the last stage',
      () =>
        naturals(4).pipe(
          boundedBuffer(),
          mergeMap((n) => [n, n, n]),
        ),
    ],
    ['what makes one of many behind the last stage', () => naturals(9).pipe(boundedBuffer(), bufferCount(3))],
    ['a source of another make beside it', () => merge(of(1, 2), naturals(3).pipe(boundedBuffer()))],
    ['what is subscribed again', () => concat(naturals(3), naturals(2)).pipe(boundedBuffer(), even)],
    [
      'what fails on its way',
      () =>
        naturals(5).pipe(
          boundedBuffer(),
          map((n) => {
            if (n === 3) throw new Error('three');
            return n;
          }),
        ),
    ],
    [
      'two branches',
      () => {
        const shared$ = naturals(6).pipe(broadcast({ branches: 2 }));
        return merge(shared$.pipe(even), shared$);
      },
    ],
  ])('is what the subscriber got: %s', (_, build) => {
    const monitor = new PipelineMonitor();
    const got: unknown[] = [];
    build()
      .pipe(withContext({ monitor }))
      .subscribe({ next: (item) => got.push(item), error: () => {} });
    const { received, filtered, delivered, held, conservation } = monitor.account();
    expect({ delivered, conservation }).toEqual({ delivered: got.length, conservation: 0 });
    expect(received).toBe(filtered + delivered + held);
  });

  it('is known at every moment, also by the subscriber itself', () => {
    const monitor = new PipelineMonitor();
    let got = 0;
    naturals(10)
      .pipe(boundedBuffer(), even, withContext({ monitor }))
      .subscribe(() => {
        got += 1;
        expect(monitor.account().delivered).toBe(got);
      });
    expect(got).toBe(5);
    expect(monitor.account()).toEqual({ ...nothing, received: 10, filtered: 5, delivered: 5 });
  });

  it('counts the items of batches, and what is made of a batch as one', () => {
    const monitor = new PipelineMonitor();
    naturals(10)
      .pipe(batch({ size: 4 }), withContext({ monitor }))
      .subscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 10, delivered: 10 });
    const summed = new PipelineMonitor();
    naturals(10)
      .pipe(
        batch({ size: 4 }),
        map((items) => items.length),
        withContext({ monitor: summed }),
      )
      .subscribe();
    expect(summed.account()).toEqual({ ...nothing, received: 10, filtered: 7, delivered: 3 });
  });

  it('is nothing where everything is written, and what the other branches handed on where some is', () => {
    const monitor = new PipelineMonitor();
    naturals(10)
      .pipe(batch({ size: 4 }), writeTo(memorySink<number>()), withContext({ monitor }))
      .subscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 10, written: 10 });
    const mixed = new PipelineMonitor();
    naturals(10)
      .pipe(
        route((n: number) => (n % 2 === 0 ? 'even' : 'odd'), {
          even: (even$: Observable<number>) => even$.pipe(batch({ size: 4 }), writeTo(memorySink<number>())),
          odd: (odd$: Observable<number>) => odd$.pipe(boundedBuffer()),
        }),
        withContext({ monitor: mixed }),
      )
      .subscribe();
    expect(mixed.account()).toEqual({ ...nothing, received: 10, written: 5, delivered: 5 });
  });

  it('adds up over the pipelines of one monitor, and over their subscriptions', () => {
    const monitor = new PipelineMonitor();
    const watched = <T>(items$: Observable<T>) => items$.pipe(withContext({ monitor }));
    for (let times = 0; times < 3; times++) watched(naturals(4).pipe(boundedBuffer(), even)).subscribe();
    watched(naturals(6).pipe(batch({ size: 2 }), writeTo(memorySink<number>()))).subscribe();
    const items$ = new Subject<number>();
    watched(items$.pipe(boundedBuffer({ name: 'live' }))).subscribe();
    items$.next(1);
    expect(monitor.account()).toEqual({ ...nothing, received: 19, written: 6, filtered: 6, delivered: 7 });
  });

  it('counts once what goes through the same monitor twice', () => {
    const monitor = new PipelineMonitor();
    const once = <T>(items$: Observable<T>) => items$.pipe(withContext({ monitor }));
    once(once(naturals(4).pipe(boundedBuffer())).pipe(boundedBuffer({ name: 'below' }), even)).subscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 4, filtered: 2, delivered: 2 });
  });
});
