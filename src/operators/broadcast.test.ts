import { NEVER, Observable, of, ReplaySubject, range, Subject, throwError } from 'rxjs';
import { map, take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { bench } from '../../test/support/broadcastBench.js';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { boundedBuffer } from './boundedBuffer.js';
import { broadcast } from './broadcast.js';

describe('broadcast', () => {
  it.each([
    [{ branches: 0 }, 'broadcast: branches must be an integer of at least 1, got 0'],
    [{ branches: '2' }, 'broadcast: branches must be an integer of at least 1, got "2"'],
    [{ branches: 2, count: 2 }, 'broadcast: unknown option "count"'],
    [{}, 'broadcast: branches must be an integer of at least 1, got undefined'],
    [undefined, 'broadcast: branches must be an integer of at least 1, got undefined'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => broadcast(config as never)).toThrow(RangeError);
    expect(() => broadcast(config as never)).toThrow(message);
  });

  it('waits for its branches, and gives every item to each', () => {
    const { source, subscribe, push } = bench({ branches: 2 });
    const first = subscribe();
    expect(source.observed).toBe(false);
    const second = subscribe();
    push(1, 2);
    source.complete();
    expect(first).toMatchObject({ values: [1, 2], completed: true });
    expect(second).toMatchObject({ values: [1, 2], completed: true });
  });

  it('subscribes the source once', () => {
    let subscriptions = 0;
    const source$ = new Observable<number>((subscriber) => {
      subscriptions += 1;
      subscriber.next(1);
    });
    const shared$ = source$.pipe(broadcast({ branches: 3 }));
    const values = [record(shared$), record(shared$), record(shared$)].map((branch) => branch.values);
    expect(values).toEqual([[1], [1], [1]]);
    expect(subscriptions).toBe(1);
  });

  it('gives those who come later what comes from then on', () => {
    const { subscribe, push } = bench({ branches: 1 });
    const first = subscribe();
    push(1);
    const second = subscribe();
    push(2);
    expect([first.values, second.values]).toEqual([[1, 2], [2]]);
  });

  it('gives those who come later nothing of what waits for the others, nor what is half handed out', () => {
    const waiting = bench({ branches: 1 });
    const first = waiting.subscribe(new Gate('closed'));
    waiting.push(1, 2);
    const second = waiting.subscribe();
    waiting.push(3);
    const third = waiting.subscribe(new Gate('closed'));
    first.gate.open();
    expect([first.values, second.values]).toEqual([[1, 2, 3], [3]]);
    waiting.push(4);
    expect([first.values, second.values, third.values]).toEqual([[1, 2, 3], [3], []]);
    third.gate.open();
    expect([first.values, second.values, third.values]).toEqual([[1, 2, 3, 4], [3, 4], [4]]);

    const halfWay = bench({ branches: 2 });
    const leads = halfWay.subscribe(new Gate(), () => follows.gate.close());
    const follows = halfWay.subscribe();
    halfWay.push(1, 2);
    const late = halfWay.subscribe();
    halfWay.push(3);
    for (let opening = 0; opening < 3; opening++) follows.gate.open();
    expect([leads.values, follows.values, late.values]).toEqual([[1, 2, 3], [1, 2, 3], [3]]);
    for (const { monitor } of [waiting, halfWay]) expect(monitor.account()).toMatchObject({ held: 0, conservation: 0 });
  });

  it('gives one that joins while an item is handed out what comes next, and nothing of what waits behind it', () => {
    const { subscribe, push } = bench({ branches: 1 });
    let late: { readonly values: number[] } | undefined;
    const first = subscribe(new Gate('closed'), () => {
      late ??= subscribe();
    });
    push(1, 2, 3);
    first.gate.open();
    push(4);
    expect([first.values, late?.values]).toEqual([[1, 2, 3, 4], [4]]);
  });

  it('counts what waits for branches that have all left as dropped, where one that came later stays', () => {
    const { monitor, subscribe, push, stage } = bench({ branches: 1 });
    const first = subscribe(new Gate('closed'));
    push(1, 2);
    const late = subscribe();
    first.subscription.unsubscribe();
    push(3);
    expect(late.values).toEqual([3]);
    expect(stage()).toMatchObject({ in: 3, out: 1, held: 0 });
    expect(monitor.account()).toMatchObject({ received: 3, dropped: { branchEnded: 2 }, filtered: 0, conservation: 0 });
  });

  it('gives as many branches as it asks for every item of a source that is over at once', () => {
    const monitor = new PipelineMonitor();
    const shared$ = gatedFrom(upTo(5_000)).pipe(broadcast({ branches: 2 }));
    const branches = [1, 2].map(() => record(shared$.pipe(boundedBuffer(), withContext({ monitor }))));
    for (const { values } of branches) expect(values).toEqual([...upTo(5_000)]);
    expect(monitor.account()).toMatchObject({ received: 10_000, delivered: 10_000, filtered: 0, conservation: 0 });
  });

  it('closes its gate with that of any branch, in the same moment, and opens with the last of them', () => {
    const { subscribe, moves } = bench();
    const first = subscribe();
    const second = subscribe();
    expect(moves).toEqual(['o']);
    first.gate.close();
    expect(moves).toEqual(['o', 'c']);
    second.gate.close();
    first.gate.open();
    expect(moves).toEqual(['o', 'c']);
    second.gate.open();
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('is closed from the start where a branch is', () => {
    const { subscribe, moves } = bench();
    const first = subscribe(new Gate('closed'));
    subscribe();
    expect(moves).toEqual(['c']);
    first.gate.open();
    expect(moves).toEqual(['c', 'o']);
  });

  it('closes when a branch joins that is closed', () => {
    const { subscribe, moves } = bench({ branches: 1 });
    subscribe();
    const late = subscribe(new Gate('closed'));
    expect(moves).toEqual(['o', 'c']);
    late.gate.open();
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('has an item wait for all branches, and hands it to all at once', () => {
    const { subscribe, push, stage } = bench();
    const first = subscribe();
    const second = subscribe(new Gate('closed'));
    push(1, 2);
    expect([first.values, second.values]).toEqual([[], []]);
    expect(stage()).toMatchObject({ in: 2, out: 0, held: 2 });
    second.gate.open();
    expect([first.values, second.values]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(stage()).toMatchObject({ in: 2, out: 2, held: 0 });
  });

  it('does not emit to a branch that another one has closed, and does not repeat what it gave out', () => {
    const { monitor, subscribe, push, stage } = bench();
    const gate = new Gate();
    const first = subscribe(new Gate(), () => gate.close());
    const second = subscribe(gate);
    push(1, 2);
    expect([first.values, second.values]).toEqual([[1], []]);
    expect(stage()).toMatchObject({ in: 2, out: 0, held: 2 });
    expect(monitor.account().conservation).toBe(0);
    gate.open();
    expect([first.values, second.values]).toEqual([[1, 2], [1]]);
    gate.open();
    expect([first.values, second.values]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(stage()).toMatchObject({ in: 2, out: 2, held: 0 });
    expect(monitor.account().conservation).toBe(0);
  });

  it('completes and fails every branch, after what waited', () => {
    for (const end of ['complete', 'error'] as const) {
      const { source, subscribe, push } = bench();
      const branches = [subscribe(new Gate('closed')), subscribe()];
      push(1);
      source[end](new Error('lost'));
      expect(branches.map(({ completed, error }) => ({ completed, error }))).toEqual([
        { completed: false, error: undefined },
        { completed: false, error: undefined },
      ]);
      branches[0]?.gate.open();
      for (const branch of branches) {
        expect(branch.values).toEqual([1]);
        expect(branch.completed).toBe(end === 'complete');
        expect(branch.error).toEqual(end === 'error' ? new Error('lost') : undefined);
      }
    }
  });

  it('fails at once with a source that fails at once', () => {
    const shared$ = throwError(() => new Error('no source')).pipe(broadcast({ branches: 2 }));
    const branches = [record(shared$), record(shared$)];
    expect(branches.map(({ error }) => error)).toEqual([new Error('no source'), new Error('no source')]);
  });

  it('keeps what throws in one branch in that branch', () => {
    const { shared$, push } = bench();
    const broken = record(
      shared$.pipe(
        map(() => {
          throw new Error('broken');
        }),
      ),
    );
    const whole = record(shared$);
    push(1, 2);
    expect(broken.error).toEqual(new Error('broken'));
    expect(whole).toMatchObject({ values: [1, 2], error: undefined });
  });

  it('gives every branch items that arrive while it emits, in order', () => {
    const { source, subscribe, push } = bench();
    const first = subscribe(new Gate(), (item) => {
      if (item < 3) source.next(item + 1);
    });
    const second = subscribe();
    push(1);
    expect([first.values, second.values]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('does not give the current item to a branch that joins during it', () => {
    const { subscribe, push } = bench({ branches: 1 });
    let late: { readonly values: number[] } | undefined;
    const first = subscribe(new Gate(), () => {
      late ??= subscribe();
    });
    push(1, 2);
    expect([first.values, late?.values]).toEqual([[1, 2], [2]]);
  });

  it('pulls one item of a synchronous source for take(1) in every branch', () => {
    let pulled = 0;
    const shared$ = range(0, 1_000_000).pipe(
      tap(() => {
        pulled += 1;
      }),
      broadcast({ branches: 2 }),
    );
    const branches = [record(shared$.pipe(take(1))), record(shared$.pipe(take(1)))];
    expect(branches.map(({ values }) => values)).toEqual([[0], [0]]);
    expect(pulled).toBe(1);
  });

  it('lets the slowest branch set the pace of a synchronous source', () => {
    const gate = new Gate('closed');
    let pulled = 0;
    const items = gatedFrom(upTo(200), () => {
      pulled += 1;
    });
    const shared$ = items.pipe(broadcast({ branches: 2 }));
    record(shared$);
    const slow = record(shared$.pipe(boundedBuffer({ capacity: 10 }), withContext({ gate })));
    expect(pulled).toBe(8);
    gate.open();
    expect(slow.completed).toBe(true);
  });

  it('fails in every branch when a source that ignores the gate has too many wait', () => {
    const { subscribe, push, stage } = bench();
    const branches = [subscribe(new Gate('closed')), subscribe()];
    push(...upTo(1_025));
    expect(stage().dropped.get('overflow')).toBe(1);
    branches[0]?.gate.open();
    for (const branch of branches) {
      expect(branch.values).toHaveLength(1_024);
      expect(branch.error).toBeInstanceOf(BufferOverflowError);
    }
  });

  it('accounts for copies, also of branches that come and go', () => {
    const monitor = new PipelineMonitor();
    const source = new Subject<number>();
    const shared$ = source.pipe(boundedBuffer(), broadcast({ branches: 1, name: 'fan' }));
    record(shared$.pipe(boundedBuffer({ name: 'a' }), withContext({ monitor })));
    source.next(1);
    const late = record(shared$.pipe(boundedBuffer({ name: 'b' }), withContext({ monitor })));
    source.next(2);
    late.subscription.unsubscribe();
    source.next(3);
    const byName = new Map(monitor.stages.map((stage) => [stage.name, stage]));
    expect(byName.get('fan')).toMatchObject({ in: 3, out: 3, feeds: undefined });
    expect(byName.get('fan[0]')).toMatchObject({ in: 3, feeds: byName.get('a'), branchOf: byName.get('fan') });
    expect(byName.get('fan[1]')).toMatchObject({ in: 1, feeds: byName.get('b') });
    expect(monitor.account()).toMatchObject({ received: 4, delivered: 4, filtered: 0, held: 0, conservation: 0 });
  });

  it('keeps the accounts of two pipelines apart', () => {
    const monitors = [new PipelineMonitor(), new PipelineMonitor()];
    const shared$ = of(1, 2, 3).pipe(broadcast({ branches: 2 }));
    for (const monitor of monitors) record(shared$.pipe(boundedBuffer(), withContext({ monitor })));
    for (const monitor of monitors) {
      expect(monitor.account()).toMatchObject({ received: 3, delivered: 3, conservation: 0 });
    }
  });

  it('tells the source when the first pipeline drains, and completes branches of others when theirs do', () => {
    const stopping = [new ReplaySubject<void>(1), new ReplaySubject<void>(1)];
    const source$ = gatedFrom(upTo(10)).pipe(broadcast({ branches: 2 }));
    const closed = new Gate('closed');
    const branches = stopping.map((signal) => record(source$.pipe(withContext({ gate: closed, stopping: signal }))));
    stopping[1]?.next();
    expect(branches.map(({ completed }) => completed)).toEqual([false, true]);
    stopping[0]?.next();
    expect(branches.map(({ completed }) => completed)).toEqual([true, true]);
  });

  it('completes a branch that waits for others when its pipeline drains', () => {
    const stopping = new ReplaySubject<void>(1);
    const waiting = record(NEVER.pipe(broadcast({ branches: 2 }), withContext({ stopping })));
    stopping.next();
    expect(waiting.completed).toBe(true);
  });

  it('leaves no wait at a gate when it ends', () => {
    const { subscribe, push } = bench();
    const branches = [subscribe(new Gate('closed')), subscribe(new Gate('closed'))];
    push(1);
    for (const branch of branches) branch.subscription.unsubscribe();
    expect(branches.map(({ gate }) => gate.waiting)).toEqual([0, 0]);
  });
});
