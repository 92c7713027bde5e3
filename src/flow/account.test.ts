import { concat, merge, NEVER, type Observable, type OperatorFunction, of, Subject, throwError } from 'rxjs';
import { filter, map, mergeMap, retry, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { nothing } from '../../test/support/emptyAccount.js';
import { naturals } from '../../test/support/sources.js';
import type { Sink } from '../contracts/sink.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { broadcast } from '../operators/broadcast.js';
import { lanes } from '../operators/lanes.js';
import { writeTo } from '../operators/writeTo.js';
import { memorySink } from '../sinks/memorySink.js';
import { Gate } from './gate.js';
import { gatedSource } from './gatedSource.js';
import { PipelineMonitor } from './monitor.js';
import { operate } from './operate.js';
import { withContext } from './withContext.js';

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
      naturals(10).pipe(
        filter((n) => n % 2 === 0),
        boundedBuffer(),
      );
    expect(account(build)).toEqual({ ...nothing, received: 10, filtered: 5, delivered: 5 });
  });

  it('counts what take() cuts off downstream of the last stage as delivered by it', () => {
    expect(account(() => naturals(10).pipe(boundedBuffer(), take(3)))).toEqual({
      ...nothing,
      received: 3,
      delivered: 3,
    });
  });

  it('counts what a stock operator adds between two stages as received', () => {
    const build = () =>
      naturals(10).pipe(
        mergeMap((n) => of(n, n)),
        boundedBuffer(),
      );
    expect(account(build)).toEqual({ ...nothing, received: 20, delivered: 20 });
  });

  it('counts items of sources that are none of its own', () => {
    expect(account(() => of(1, 2, 3).pipe(boundedBuffer()))).toEqual({ ...nothing, received: 3, delivered: 3 });
    expect(account(() => merge(of(1, 2), naturals(5)).pipe(boundedBuffer()))).toEqual({
      ...nothing,
      received: 7,
      delivered: 7,
    });
  });

  it('counts each item once along several stages', () => {
    const build = () =>
      concat(naturals(4, { name: 'a' }), naturals(5, { name: 'b' })).pipe(
        boundedBuffer(),
        boundedBuffer({ name: 'second' }),
      );
    expect(account(build)).toEqual({ ...nothing, received: 9, delivered: 9 });
  });

  it('counts what a transform adds as received, and what it takes out as filtered', () => {
    const repeatEach = (times: number) => boundedMergeMap((n: number) => Array(times).fill(n), { concurrency: 1 });
    expect(account(() => naturals(10).pipe(repeatEach(3)))).toEqual({ ...nothing, received: 30, delivered: 30 });
    expect(account(() => naturals(10).pipe(repeatEach(0)))).toEqual({ ...nothing, received: 10, filtered: 10 });
  });

  it('counts what goes through lanes once', () => {
    const build = () => naturals(10).pipe(lanes({ count: 3 }, (lane$) => lane$.pipe(boundedBuffer())));
    expect(account(build)).toEqual({ ...nothing, received: 10, delivered: 10 });
  });

  it('counts each copy that a broadcast hands out as an item from there on', () => {
    const build = () => {
      const shared$ = naturals(10).pipe(broadcast({ branches: 2 }));
      return merge(shared$.pipe(boundedBuffer({ name: 'left' })), shared$.pipe(boundedBuffer({ name: 'right' })));
    };
    expect(account(build)).toEqual({ ...nothing, received: 20, delivered: 20 });
  });

  it('counts writes as written, and what is emitted after a write as no item at all', () => {
    const build = () =>
      naturals(6).pipe(
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
        naturals(3),
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

describe('the account of boundedMergeMap, at every moment', () => {
  /** Items and inner observables that a test moves by hand. */
  function bench(concurrency: number) {
    const monitor = new PipelineMonitor();
    const gate = new Gate();
    const items$ = new Subject<number>();
    const inners: Subject<string>[] = [];
    const got: string[] = [];
    const project = () => {
      const inner = new Subject<string>();
      inners.push(inner);
      return inner;
    };
    const subscription = items$
      .pipe(boundedMergeMap(project, { concurrency }), withContext({ monitor, gate }))
      .subscribe((result) => got.push(result));
    return { monitor, gate, items$, inners, got, subscription };
  }

  it('counts an item once: while it is projected, while its result waits, and when that is delivered', () => {
    const { monitor, gate, items$, inners, got } = bench(2);
    const account = () => monitor.account();
    for (const n of [1, 2, 3]) items$.next(n);
    expect(account()).toEqual({ ...nothing, received: 3, held: 3 });
    inners[0]!.next('a');
    expect(account()).toEqual({ ...nothing, received: 3, delivered: 1, held: 2 });
    gate.close();
    inners[1]!.next('b');
    expect(account()).toEqual({ ...nothing, received: 3, delivered: 1, held: 2 });
    inners[0]!.complete();
    gate.open();
    inners[1]!.complete();
    expect(account()).toEqual({ ...nothing, received: 3, delivered: 2, held: 1 });
    inners[2]!.next('c');
    inners[2]!.complete();
    expect(account()).toEqual({ ...nothing, received: 3, delivered: 3 });
    expect(got).toEqual(['a', 'b', 'c']);
  });

  it('does not set what one item makes more against what another makes fewer', () => {
    const { monitor, items$, inners } = bench(2);
    items$.next(1);
    items$.next(2);
    inners[0]!.next('a');
    inners[0]!.next('b');
    for (const inner of inners) inner.complete();
    expect(monitor.stages[0]).toMatchObject({ in: 2, added: 1, removed: 1, out: 2 });
    expect(monitor.account()).toEqual({ ...nothing, received: 3, delivered: 2, filtered: 1 });
  });

  it('counts what is more than one result as received, and an item without any as filtered', () => {
    const { monitor, items$, inners } = bench(2);
    items$.next(1);
    items$.next(2);
    inners[0]!.next('a');
    inners[0]!.next('b');
    expect(monitor.account()).toEqual({ ...nothing, received: 3, delivered: 2, held: 1 });
    inners[1]!.complete();
    expect(monitor.account()).toEqual({ ...nothing, received: 3, delivered: 2, filtered: 1 });
    inners[0]!.complete();
    expect(monitor.account()).toEqual({ ...nothing, received: 3, delivered: 2, filtered: 1 });
  });

  it('holds for good an item without a result where it is torn down, and none that has given one', () => {
    const { monitor, items$, inners, subscription } = bench(2);
    for (const n of [1, 2, 3]) items$.next(n);
    inners[0]!.next('a');
    subscription.unsubscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 3, delivered: 1, held: 2 });
  });
});

describe('what was received', () => {
  it('never falls when items are taken out that others had made up for', () => {
    const monitor = new PipelineMonitor();
    const gate = new Gate('closed');
    const foreign$ = new Subject<number>();
    const own$ = new Subject<number>();
    const odd$ = own$.pipe(
      boundedBuffer({ name: 'first' }),
      withContext({ gate }),
      filter((n) => n % 2 === 1),
    );
    merge(foreign$, odd$)
      .pipe(boundedBuffer({ name: 'second' }), withContext({ monitor }))
      .subscribe();
    const look = () => monitor.account();
    for (let n = 0; n < 4; n++) own$.next(2 * n);
    expect(look()).toMatchObject({ received: 4, held: 4 });
    for (let n = 0; n < 4; n++) foreign$.next(n);
    expect(look()).toMatchObject({ received: 8, delivered: 4, held: 4 });
    gate.open();
    expect(look()).toEqual({ ...nothing, received: 8, delivered: 4, filtered: 4 });
  });

  it('never falls where a transform of a user makes more of some items and nothing of others', () => {
    const monitor = new PipelineMonitor();
    const items$ = new Subject<number>();
    const spread = () =>
      operate<number, number>({ kind: 'spread', role: 'transform' }, ({ emit }) => ({
        next(count) {
          for (let n = 0; n < count; n++) emit(n);
        },
      }));
    items$.pipe(spread(), withContext({ monitor })).subscribe();
    let received = 0;
    for (const count of [3, 0, 0, 0, 2, 1, 0]) {
      items$.next(count);
      const account = monitor.account();
      expect(account.received).toBeGreaterThanOrEqual(received);
      expect(account.received).toBe(account.delivered + account.filtered);
      received = account.received;
    }
    expect(monitor.account()).toMatchObject({ received: 9, delivered: 6, filtered: 3, conservation: 0 });
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
    ['in a branch of a broadcast', (source$) => source$.pipe(broadcast({ branches: 1 }), leak(), batches, write()), 4],
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
    naturals(8).pipe(chain, withContext({ monitor })).subscribe();
    const { conservation, received, filtered } = monitor.account();
    expect(conservation).toBe(missing);
    // What leaked away is not passed off as something else.
    expect(filtered).toBe(0);
    expect(received).toBe(8);
  });
});
