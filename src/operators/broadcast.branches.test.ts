import { Observable } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { bench } from '../../test/support/broadcastBench.js';
import { record } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { withContext } from '../flow/withContext.js';
import { broadcast } from './broadcast.js';

describe('broadcast', () => {
  it('is held up no longer by a branch that has left', () => {
    const { subscribe, push, moves } = bench();
    const first = subscribe();
    const second = subscribe(new Gate('closed'));
    push(1);
    second.subscription.unsubscribe();
    expect(first.values).toEqual([1]);
    expect(moves).toEqual(['c', 'o']);
    expect(second.gate.waiting).toBe(0);
  });

  it('is not held up by a branch that leaves while an item half handed out waits for it', () => {
    const { monitor, source, subscribe, push, stage } = bench();
    const first = subscribe(new Gate(), (item) => {
      if (item === 2) second.gate.close();
    });
    const second = subscribe();
    push(1, 2, 3);
    expect([first.values, second.values]).toEqual([[1, 2], [1]]);
    second.subscription.unsubscribe();
    expect(first.values).toEqual([1, 2, 3]);
    second.gate.open();
    push(4);
    source.complete();
    expect(first).toMatchObject({ values: [1, 2, 3, 4], completed: true });
    expect(second.values).toEqual([1]);
    expect(stage()).toMatchObject({ in: 4, out: 4, held: 0 });
    // What went on without it is not in its account.
    expect(monitor.stages.filter(({ kind }) => kind === 'branch').map(({ out }) => out)).toEqual([4, 1]);
  });

  it('is not held up by the one waited for where another leaves first', () => {
    const { subscribe, push } = bench({ branches: 3 });
    const first = subscribe(new Gate(), (item) => {
      if (item === 2) for (const { gate } of [second, third]) gate.close();
    });
    const second = subscribe();
    const third = subscribe();
    push(1, 2, 3);
    third.subscription.unsubscribe();
    expect(first.values).toEqual([1, 2]);
    second.subscription.unsubscribe();
    push(4);
    expect([first.values, second.values, third.values]).toEqual([[1, 2, 3, 4], [1], [1]]);
  });

  it('goes on for the others when a branch leaves with an item', () => {
    const { source, subscribe, push, stage } = bench();
    const first = subscribe(new Gate(), () => first.subscription.unsubscribe());
    const second = subscribe();
    push(1, 2);
    expect([first.values, second.values]).toEqual([[], [1, 2]]);
    second.subscription.unsubscribe();
    expect(source.observed).toBe(false);
    expect(stage()).toMatchObject({ in: 2, out: 2, conservation: 0 });
  });

  it('lets go of the source when all have left, also before it has begun', () => {
    const { source, subscribe } = bench({ branches: 3 });
    const early = [subscribe(), subscribe()];
    for (const branch of early) branch.subscription.unsubscribe();
    expect(source.observed).toBe(false);
    const branches = [subscribe(), subscribe(), subscribe()];
    expect(source.observed).toBe(true);
    for (const branch of branches) branch.subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('abandons what waits when all have left', () => {
    const { monitor, subscribe, push, stage } = bench();
    const branches = [subscribe(), subscribe(new Gate('closed'))];
    push(1, 2);
    for (const branch of branches) branch.subscription.unsubscribe();
    expect(branches.map(({ values }) => values)).toEqual([[], []]);
    expect(stage()).toMatchObject({ in: 2, out: 0, abandoned: 2, conservation: 0 });
    expect(monitor.account()).toMatchObject({ received: 2, held: 2, conservation: 0 });
  });

  it('abandons what waits when the last leaves with the item before it', () => {
    const { monitor, shared$, push, stage } = bench();
    const gate = new Gate('closed');
    const branches = [1, 2].map(() => record(shared$.pipe(withContext({ gate, monitor }), take(1))));
    push(1, 2, 3);
    gate.open();
    expect(branches.map(({ values }) => values)).toEqual([[1], [1]]);
    expect(stage()).toMatchObject({ in: 3, out: 1, abandoned: 2, conservation: 0 });
    expect(monitor.account().conservation).toBe(0);
  });

  it('keeps as many accounts as there were branches at one time, however often they come and go', () => {
    const { monitor, subscribe, push } = bench({ branches: 1 });
    const stays = subscribe();
    let others = [subscribe(), subscribe()];
    for (let cycle = 0; cycle < 200; cycle++) {
      others[cycle % 2]?.subscription.unsubscribe();
      push(cycle);
      const again = subscribe();
      others = others.map((other, index) => (index === cycle % 2 ? again : other));
    }
    expect(stays.values).toHaveLength(200);
    const names = monitor.stages.map(({ id }) => id);
    expect(names).toEqual(['broadcast', 'broadcast[0]', 'broadcast[1]', 'broadcast[2]']);
    expect(monitor.account()).toMatchObject({ held: 0, conservation: 0 });
  });

  it('gives one that joins as another leaves an account beside it', () => {
    const { monitor, source, shared$, subscribe, push } = bench({ branches: 1 });
    subscribe();
    const heard: number[] = [];
    for (let round = 0; round < 20; round++) {
      // The place of the one that completes is taken before it has left.
      shared$.pipe(take(1), withContext({ monitor })).subscribe({
        complete: () => shared$.pipe(take(1), withContext({ monitor })).subscribe((item) => heard.push(item)),
      });
      push(2 * round, 2 * round + 1);
    }
    expect(heard).toHaveLength(20);
    expect(source.observed).toBe(true);
    expect(monitor.stages).toHaveLength(4);
    expect(new Set(monitor.stages.map(({ id }) => id)).size).toBe(4);
  });

  it('begins anew after all have left', () => {
    const { source, subscribe, push, monitor } = bench();
    for (const branch of [subscribe(), subscribe()]) branch.subscription.unsubscribe();
    const first = subscribe();
    expect(source.observed).toBe(false);
    const second = subscribe();
    push(7);
    expect([first.values, second.values]).toEqual([[7], [7]]);
    expect(monitor.stages.map(({ name }) => name)).toEqual(['broadcast', 'broadcast[0]', 'broadcast[1]']);
  });

  it('begins anew after the source has ended, also from within its end', () => {
    let round = 0;
    const shared$ = new Observable<number>((subscriber) => {
      round += 1;
      subscriber.next(round);
      subscriber.complete();
    }).pipe(broadcast({ branches: 1 }));
    const again: number[] = [];
    shared$.subscribe({ complete: () => shared$.subscribe((value) => again.push(value)) });
    expect(again).toEqual([2]);
    expect(record(shared$).values).toEqual([3]);
  });
});
