import { defer, EMPTY, NEVER, of, range, Subject, throwError } from 'rxjs';
import { finalize, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { probeGate } from '../testing/probeGate.js';
import { boundedMergeMap } from './boundedMergeMap.js';

/** Inner observables that the test drives by hand, one for each item. */
function bench(concurrency: number, state: 'open' | 'closed' = 'open') {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<number>();
  const inners: Subject<string>[] = [];
  const projected: [number, number][] = [];
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const merge = boundedMergeMap(
    (item: number, index) => {
      projected.push([item, index]);
      const inner = new Subject<string>();
      inners.push(inner);
      return inner;
    },
    { concurrency },
  );
  const result = record(source.pipe(probe, merge, withContext({ gate, monitor })));
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, monitor, source, push, inners, projected, moves, result, stage: monitor.stages[0]! };
}

describe('boundedMergeMap', () => {
  it.each([
    [
      () => boundedMergeMap(of, { concurrency: 0 }),
      'boundedMergeMap: concurrency must be an integer of at least 1, got 0',
    ],
    [
      () => boundedMergeMap(of, {} as never),
      'boundedMergeMap: concurrency must be an integer of at least 1, got undefined',
    ],
    [() => boundedMergeMap('x' as never, { concurrency: 1 }), 'boundedMergeMap: project must be a function, got "x"'],
    [() => boundedMergeMap(of, { concurrency: 1, workers: 2 } as never), 'boundedMergeMap: unknown option "workers"'],
  ])('refuses wrong options when it is made (%#)', (make, message) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it('never subscribes more than concurrency, closes its gate at the last place and opens it when one is free', () => {
    const { push, inners, projected, moves, result, source } = bench(2);
    push(10);
    expect(moves).toEqual(['o']);
    push(11);
    expect(moves).toEqual(['o', 'c']);
    push(12, 13);
    expect(projected).toEqual([
      [10, 0],
      [11, 1],
    ]);
    inners[1]!.next('b');
    inners[1]!.complete();
    expect(projected).toHaveLength(3);
    expect(moves).toEqual(['o', 'c']);
    inners[0]!.complete();
    inners[2]!.complete();
    expect(projected).toHaveLength(4);
    expect(moves).toEqual(['o', 'c', 'o']);
    source.complete();
    expect(result.completed).toBe(false);
    inners[3]!.next('d');
    inners[3]!.complete();
    expect(result).toMatchObject({ values: ['b', 'd'], completed: true });
  });

  it.each([
    ['of()', 1, (item: number) => of(item), 1_000_000],
    ['of()', 4, (item: number) => of(item), 1_000_000],
    ['EMPTY', 1, () => EMPTY, 0],
    ['EMPTY', 4, () => EMPTY, 0],
  ])(
    'neither overflows the stack nor hangs with a million synchronous completions (%s, concurrency %i)',
    (_, concurrency, project, results) => {
      let count = 0;
      let completed = false;
      range(0, 1_000_000)
        .pipe(boundedMergeMap<number, number>(project, { concurrency }))
        .subscribe({
          next: () => count++,
          complete: () => {
            completed = true;
          },
        });
      expect(count).toBe(results);
      expect(completed).toBe(true);
    },
  );

  it('does not nest when a completion lets a long line of items go', () => {
    const source = new Subject<number>();
    const first = new Subject<number>();
    const result = record(source.pipe(boundedMergeMap((n) => (n === 0 ? first : of(n)), { concurrency: 1 })));
    for (const n of upTo(1_025)) source.next(n);
    first.complete();
    source.complete();
    expect(result).toMatchObject({ completed: true });
    expect(result.values).toEqual([...upTo(1_025)].slice(1));
  });

  it('takes promises and iterables', async () => {
    expect(record(of(1, 2).pipe(boundedMergeMap((n) => [n, n * 10], { concurrency: 1 }))).values).toEqual([
      1, 10, 2, 20,
    ]);
    const values = await new Promise<number[]>((resolve) => {
      const seen: number[] = [];
      of(1, 2, 3)
        .pipe(boundedMergeMap((n) => Promise.resolve(n * 2), { concurrency: 2 }))
        .subscribe({ next: (n) => seen.push(n), complete: () => resolve(seen) });
    });
    expect(values).toEqual([2, 4, 6]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('bad item');
      },
      'bad item',
    ],
    ['gives nothing that can be subscribed', () => undefined as never, 'undefined'],
  ])('fails when project %s, also when an inner completion sets it going', (_, project, message) => {
    const atOnce = record(of(1).pipe(boundedMergeMap(project, { concurrency: 1 })));
    expect((atOnce.error as Error).message).toContain(message);
    expect(atOnce.completed).toBe(false);

    const monitor = new PipelineMonitor();
    const source = new Subject<number>();
    const inner = new Subject<number>();
    const later = record(
      source.pipe(
        boundedMergeMap((n) => (n === 0 ? inner : project()), { concurrency: 1 }),
        withContext({ monitor }),
      ),
    );
    source.next(0);
    source.next(1);
    expect(() => inner.complete()).not.toThrow();
    expect((later.error as Error).message).toContain(message);
    expect(monitor.account()).toMatchObject({ held: 1, conservation: 0 });
  });

  it('fails when project throws as the gate opens, and not in the stack of whoever opened it', () => {
    const gate = new Gate('closed');
    const failure = new Error('bad item');
    const result = record(
      of(1).pipe(
        boundedMergeMap(
          () => {
            throw failure;
          },
          { concurrency: 1 },
        ),
        withContext({ gate }),
      ),
    );
    expect(result.error).toBeUndefined();
    expect(() => gate.open()).not.toThrow();
    expect(result.error).toBe(failure);
  });

  it('fails with an inner, and unsubscribes the others', () => {
    const { push, inners, result, source } = bench(2);
    push(1, 2, 3);
    inners[0]!.error(new Error('inner'));
    expect((result.error as Error).message).toBe('inner');
    expect(inners[1]!.observed).toBe(false);
    expect(inners).toHaveLength(2);
    expect(source.observed).toBe(false);
  });

  it('delivers the results that wait before the error of an inner, and begins nothing new', () => {
    const { push, inners, result, gate, source, monitor } = bench(2);
    push(1, 2, 3);
    gate.close();
    inners[0]!.next('a');
    inners[1]!.complete();
    const failure = new Error('inner');
    inners[0]!.error(failure);
    expect(result.error).toBeUndefined();
    expect(source.observed).toBe(false);
    gate.open();
    expect(result).toMatchObject({ values: ['a'], error: failure });
    expect(inners).toHaveLength(2);
    expect(monitor.account().conservation).toBe(0);
  });

  it('keeps a place for an inner that never completes, and holds back what comes at the end', () => {
    const failure = new Error('line cut');
    const result = record(new Subject<number>().pipe(boundedMergeMap(() => NEVER, { concurrency: 1 })));
    expect(result.completed).toBe(false);
    const { push, inners, source, result: waiting } = bench(1);
    push(1);
    source.error(failure);
    expect(waiting.error).toBeUndefined();
    inners[0]!.next('a');
    expect(waiting.values).toEqual(['a']);
    inners[0]!.complete();
    expect(waiting.error).toBe(failure);
    expect(record(throwError(() => failure).pipe(boundedMergeMap(of, { concurrency: 1 }))).error).toBe(failure);
  });

  it('holds the results that come while downstream is closed, and begins nothing meanwhile', () => {
    const { push, inners, gate, result, stage, source } = bench(2, 'open');
    push(1, 2);
    gate.close();
    inners[0]!.next('a');
    inners[0]!.complete();
    inners[1]!.next('b');
    push(3);
    expect(result.values).toEqual([]);
    expect(inners).toHaveLength(2);
    expect(stage.held).toBe(3);
    source.complete();
    gate.open();
    expect(result.values).toEqual(['a', 'b']);
    expect(inners).toHaveLength(3);
    inners[1]!.complete();
    inners[2]!.complete();
    expect(result.completed).toBe(true);
  });

  it('lets inner sources that can pause find the gate downstream', () => {
    const gate = new Gate('closed');
    let emitted = 0;
    const seen: number[] = [];
    of('a')
      .pipe(
        boundedMergeMap(() => gatedFrom(upTo(10), () => emitted++), { concurrency: 1 }),
        withContext({ gate }),
      )
      .subscribe((n) => {
        seen.push(n);
        if (n === 4) gate.close();
      });
    gate.open();
    expect(emitted).toBe(5);
    gate.open();
    expect(seen).toEqual([...upTo(10)]);
  });

  it('fails, after the results that wait, when inners emit too many in spite of the gate', () => {
    const { push, inners, gate, result, monitor } = bench(1);
    push(1);
    gate.close();
    for (let n = 0; n <= 1_024; n++) inners[0]!.next(`r${n}`);
    expect(result.error).toBeUndefined();
    gate.open();
    expect(result.values).toHaveLength(1_024);
    expect(result.error).toBeInstanceOf(BufferOverflowError);
    expect((result.error as Error).message).toContain('An inner observable emits while downstream is closed');
    expect(monitor.account()).toMatchObject({ delivered: 1_024, dropped: { overflow: 1 }, conservation: 0 });
  });

  it('names the result for which there is no room', () => {
    const gone: unknown[] = [];
    const monitor = new PipelineMonitor({ observer: { fate: (...fate) => gone.push(fate.slice(1)) } });
    const gate = new Gate('closed');
    const inner = new Subject<number>();
    const source = new Subject<number>();
    record(
      source.pipe(
        boundedMergeMap(() => inner, { concurrency: 1 }),
        withContext({ gate, monitor }),
      ),
    );
    gate.open();
    source.next(0);
    gate.close();
    for (let n = 0; n <= 1_024; n++) inner.next(n);
    expect(gone).toEqual([['dropped', 'overflow', [1_024]]]);
  });

  it('unsubscribes its inners and its wait when unsubscribed', () => {
    const { push, inners, gate, result, stage, monitor } = bench(2);
    push(1, 2, 3);
    gate.close();
    inners[0]!.next('a');
    result.subscription.unsubscribe();
    expect(inners.map((inner) => inner.observed)).toEqual([false, false]);
    expect(gate.waiting).toBe(0);
    expect(stage.abandoned).toBe(3);
    expect(monitor.account().conservation).toBe(0);
  });

  it('projects nothing more when the subscriber has had enough', () => {
    const gate = new Gate('closed');
    const projected: number[] = [];
    const source = new Subject<number>();
    const merge = boundedMergeMap(
      (n: number) => {
        projected.push(n);
        return of(n);
      },
      { concurrency: 1 },
    );
    const result = record(source.pipe(merge, withContext({ gate }), take(1)));
    for (const n of upTo(3)) source.next(n);
    gate.open();
    expect(result).toMatchObject({ values: [0], completed: true });
    expect(projected).toEqual([0]);
  });

  it('begins the next inner when the one before has let go of what it used', () => {
    const log: string[] = [];
    const inners = [new Subject<number>(), new Subject<number>()];
    const project = (n: number) =>
      defer(() => {
        log.push(`take ${n}`);
        return inners[n]!.pipe(finalize(() => log.push(`let go ${n}`)));
      });
    of(0, 1)
      .pipe(boundedMergeMap(project, { concurrency: 1 }))
      .subscribe();
    inners[0]!.complete();
    inners[1]!.complete();
    expect(log).toEqual(['take 0', 'let go 0', 'take 1', 'let go 1']);
  });

  it('has closed its gate by the time that the inner in the last place is subscribed', () => {
    const probe = probeGate<number>();
    const moves: string[] = [];
    probe.gateLog$.subscribe((move) => moves.push(move));
    const seen: (string | undefined)[] = [];
    const project = () =>
      defer(() => {
        seen.push(moves.at(-1));
        return EMPTY;
      });
    of(1, 2)
      .pipe(probe, boundedMergeMap(project, { concurrency: 1 }))
      .subscribe();
    expect(seen).toEqual(['c', 'c']);
  });

  it('emits and counts no result more when the subscriber has had enough', () => {
    const gate = new Gate('open');
    const monitor = new PipelineMonitor();
    const inner = new Subject<string>();
    const source = new Subject<number>();
    const merge = boundedMergeMap(() => inner, { concurrency: 1 });
    const result = record(source.pipe(merge, withContext({ gate, monitor }), take(1)));
    source.next(1);
    gate.close();
    for (const value of ['a', 'b', 'c']) inner.next(value);
    gate.open();
    expect(result).toMatchObject({ values: ['a'], completed: true });
    expect(monitor.account()).toMatchObject({ delivered: 1, conservation: 0 });
  });

  it('queues an item that a result sets going', () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    let depth = 0;
    source
      .pipe(
        boundedMergeMap(
          (n) => {
            expect(depth).toBe(0);
            return of(n);
          },
          { concurrency: 1 },
        ),
      )
      .subscribe((n) => {
        depth += 1;
        seen.push(n);
        if (n < 5) source.next(n + 1);
        depth -= 1;
      });
    source.next(0);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
