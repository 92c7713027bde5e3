import { concat, merge, type Observable, of, Subject, throwError } from 'rxjs';
import { filter, map, mergeMap, retry, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../../src/flow/gate.js';
import { gatedSource } from '../../../src/flow/gatedSource.js';
import { NO_MONITOR, PipelineMonitor, Stage } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { boundedBuffer } from '../../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../../src/operators/boundedMergeMap.js';
import { broadcast } from '../../../src/operators/broadcast.js';
import { lanes } from '../../../src/operators/lanes.js';
import { writeTo } from '../../../src/operators/writeTo.js';

const numbers = (end: number, name = 'numbers') =>
  gatedSource<number>({ name }, (outlet) => {
    let n = 0;
    outlet.pump(() => (n < end ? outlet.next(n++) : outlet.complete()));
  });

describe('Stage', () => {
  it('balances what came in against what became of it', () => {
    const stage = new Stage('s', { kind: 's' });
    stage.in = 10;
    expect(stage.conservation).toBe(10);
    stage.out = 3;
    stage.written = 1;
    stage.diverted = 1;
    stage.drop('late', 2);
    stage.drop('late');
    let held = 2;
    stage.holds(() => held);
    expect(stage.conservation).toBe(0);
    expect(Object.fromEntries(stage.dropped)).toEqual({ late: 3 });
    held = 3;
    expect(stage.conservation).toBe(-1);
  });

  it('counts what it held when its subscription ended as abandoned, once', () => {
    const stage = new Stage('s', { kind: 's' });
    stage.in = 4;
    stage.holds(() => 4);
    stage.close();
    stage.close();
    expect(stage).toMatchObject({ held: 0, abandoned: 4, conservation: 0, isLive: false });
    stage.reopen(undefined);
    expect(stage).toMatchObject({ held: 0, abandoned: 4, isLive: true });
  });

  it('says nothing of sources and transforms, whose items need not match', () => {
    for (const role of ['source', 'transform'] as const) {
      const stage = new Stage('s', { kind: 's', role });
      stage.out = 5;
      expect(stage.conservation).toBe(0);
    }
  });
});

describe('PipelineMonitor', () => {
  it('names stages apart that share a name', () => {
    const monitor = new PipelineMonitor();
    const ids = ['batch', 'batch', 'write'].map((kind) => monitor.register({ kind }).id);
    expect(ids).toEqual(['batch', 'batch#2', 'write']);
    expect(monitor.register({ kind: 'batch', name: 'mine' }).name).toBe('mine');
  });

  it('gives a stage that comes back its former account, and one beside a live one its own', () => {
    const monitor = new PipelineMonitor();
    const end = monitor.register({ kind: 'end' });
    const gate = new Gate();
    const first = monitor.register({ kind: 'read', feeds: end });
    first.out = 3;
    expect(monitor.register({ kind: 'read', feeds: end })).not.toBe(first);
    first.close();
    const again = monitor.register({ kind: 'read', feeds: end, gate });
    expect(again).toBe(first);
    expect(again.out).toBe(3);
    expect(again.gate).toBe(gate);
    again.close();
    for (const other of [{ kind: 'read' }, { kind: 'read', feeds: end, name: 'x' }, { kind: 'tail', feeds: end }]) {
      expect(monitor.register(other)).not.toBe(first);
    }
  });

  it('is empty before anything happens', () => {
    expect(new PipelineMonitor().account()).toEqual({
      received: 0,
      written: 0,
      diverted: 0,
      dropped: {},
      filtered: 0,
      delivered: 0,
      held: 0,
      conservation: 0,
    });
  });

  it('shows a fault: items that are in no account', () => {
    const monitor = new PipelineMonitor();
    const buffer = monitor.register({ kind: 'buffer' });
    const source = monitor.register({ kind: 'source', role: 'source', feeds: buffer });
    source.out = 10;
    buffer.in = 10;
    buffer.out = 7;
    expect(monitor.account().conservation).toBe(3);
    expect(buffer.conservation).toBe(3);
  });
});

describe('the account of a pipeline', () => {
  const account = (build: () => Observable<unknown>, monitor = new PipelineMonitor()) => {
    build()
      .pipe(withContext({ monitor }))
      .subscribe({ error: () => {} });
    const { conservation, ...rest } = monitor.account();
    expect(conservation).toBe(0);
    return rest;
  };
  const nothing = { received: 0, written: 0, diverted: 0, dropped: {}, filtered: 0, delivered: 0, held: 0 };

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
      conservation: 0,
    });
  });

  it('counts what is held when a subscription ends as held', () => {
    const gate = new Gate('closed');
    const items$ = new Subject<number>();
    const monitor = new PipelineMonitor();
    const subscription = items$.pipe(boundedBuffer(), withContext({ gate, monitor })).subscribe();
    for (let n = 0; n < 5; n++) items$.next(n);
    subscription.unsubscribe();
    expect(monitor.account()).toEqual({ ...nothing, received: 5, held: 5, conservation: 0 });
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

it('NO_MONITOR gives each stage an account of its own', () => {
  const one = NO_MONITOR.register({ kind: 'a' });
  const other = NO_MONITOR.register({ kind: 'a' });
  one.in = 1;
  expect(other.in).toBe(0);
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
