import { concat, EMPTY, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import { map, mergeMap, retry, take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { hashKey } from '../primitives/hashKey.js';
import { probeGate } from '../testing/probeGate.js';
import { boundedBuffer } from './boundedBuffer.js';
import { type LanesConfig, lanes } from './lanes.js';

/** Lanes whose chains have each a gate that the test moves. */
function bench(config: LanesConfig<number>, state: 'open' | 'closed' = 'open') {
  const monitor = new PipelineMonitor();
  const gates = Array.from({ length: config.count }, () => new Gate(state));
  const source = new Subject<number>();
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const operator = lanes<number, string>(config, (lane$, index) =>
    lane$.pipe(
      map((item) => `${index}:${item}`),
      withContext({ gate: gates[index]! }),
    ),
  );
  const result = record(source.pipe(probe, operator, withContext({ monitor })));
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  return { monitor, gates, source, push, moves, result, stage: monitor.stages[0]! };
}

/** Which of two lanes a key is in. */
const laneOf = (key: number) => hashKey(key) % 2;
/** Two keys for each of two lanes. */
const KEYS = { a: [...upTo(20)].filter((n) => laneOf(n) === 0), b: [...upTo(20)].filter((n) => laneOf(n) === 1) };
const [A, A2] = KEYS.a as [number, number];
const [B, B2] = KEYS.b as [number, number];
const by = (item: number) => item;

describe('lanes', () => {
  it.each([
    [() => lanes({ count: 0 }, (lane$) => lane$), 'lanes: count must be an integer from 1 to 4096, got 0'],
    [() => lanes({} as never, (lane$) => lane$), 'lanes: count must be an integer from 1 to 4096, got undefined'],
    [() => lanes({ count: 1, by: 'key' as never }, (lane$) => lane$), 'lanes: by must be a function, got "key"'],
    [() => lanes({ count: 1 }, undefined as never), 'lanes: project must be a function, got undefined'],
    [() => lanes({ count: 1, key: by } as never, (lane$) => lane$), 'lanes: unknown option "key"'],
  ])('refuses wrong options when it is made (%#)', (make, message) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it('keeps a key in one lane, and uses all lanes', () => {
    const used = new Map<number, Set<number>>();
    const operator = lanes<number, void>({ count: 4, by: (item) => item % 50 }, (lane$, index) =>
      lane$.pipe(
        map((item) => {
          const key = item % 50;
          used.set(key, (used.get(key) ?? new Set()).add(index));
        }),
      ),
    );
    gatedFrom(upTo(1_000)).pipe(operator).subscribe();
    expect(used.size).toBe(50);
    expect([...used.values()].every((lanesOfKey) => lanesOfKey.size === 1)).toBe(true);
    expect(new Set([...used.values()].flatMap((lanesOfKey) => [...lanesOfKey])).size).toBe(4);
  });

  it('gives items to the lanes in turn, where there is no key', () => {
    const { push, result } = bench({ count: 3 });
    push(1, 2, 3, 4);
    expect(result.values).toEqual(['0:1', '1:2', '2:3', '0:4']);
  });

  it('passes over a lane that is closed, where there is no key, and waits only when all are', () => {
    const { push, result, gates, moves, stage } = bench({ count: 2 });
    gates[0]!.close();
    push(1, 2);
    expect(result.values).toEqual(['1:1', '1:2']);
    gates[1]!.close();
    expect(moves).toEqual(['o']);
    push(3, 4);
    expect(moves).toEqual(['o', 'c']);
    expect(stage.held).toBe(2);
    gates[0]!.open();
    expect(result.values.slice(2)).toEqual(['0:3', '0:4']);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('lets an item whose lane is closed wait, and those behind it with it', () => {
    const { push, result, gates, moves, stage } = bench({ count: 2, by });
    gates[0]!.close();
    push(B);
    expect(moves).toEqual(['o']);
    push(A, B2);
    expect(moves).toEqual(['o', 'c']);
    expect(result.values).toEqual([`1:${B}`]);
    expect(stage.held).toBe(2);
    gates[0]!.open();
    expect(result.values).toEqual([`1:${B}`, `0:${A}`, `1:${B2}`]);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('drops the items of a lane whose chain has ended, and does not hang', () => {
    const monitor = new PipelineMonitor();
    const operator = lanes<number, number>({ count: 2, by }, (lane$, index) =>
      index === 0 ? lane$.pipe(take(1)) : lane$,
    );
    const result = record(gatedFrom([A, B, A2, A, B2]).pipe(operator, withContext({ monitor })));
    expect(result).toMatchObject({ values: [A, B, B2], completed: true });
    expect(monitor.account()).toMatchObject({
      received: 5,
      delivered: 3,
      dropped: { branchEnded: 2 },
      conservation: 0,
    });
  });

  it('does not let an item wait for a lane that ends meanwhile', () => {
    const source = new Subject<number>();
    const ending = new Gate('closed');
    const operator = lanes<number, number>({ count: 2, by }, (lane$, index) =>
      index === 0 ? lane$.pipe(take(1), withContext({ gate: ending })) : lane$,
    );
    const result = record(source.pipe(operator));
    source.next(A);
    source.next(B);
    expect(result.values).toEqual([]);
    ending.open();
    expect(result.values).toEqual([A, B]);
    source.next(A);
    source.next(B);
    expect(result.values).toEqual([A, B, B]);
  });

  it('passes over lanes that have ended, where there is no key', () => {
    const operator = lanes<number, number>({ count: 2 }, (lane$, index) => (index === 0 ? lane$.pipe(take(1)) : lane$));
    expect(record(gatedFrom(upTo(5)).pipe(operator))).toMatchObject({ values: [0, 1, 2, 3, 4], completed: true });
  });

  it('goes on while one lane has ended at once', () => {
    const operator = lanes<number, number>({ count: 2, by }, (lane$, index) => (index === 0 ? EMPTY : lane$));
    expect(record(gatedFrom([A, B, B2]).pipe(operator))).toMatchObject({ values: [B, B2], completed: true });
  });

  it('completes when all chains have ended, and lets go of its source', () => {
    const source = new Subject<number>();
    const result = record(source.pipe(lanes({ count: 2 }, (lane$) => lane$.pipe(take(1)))));
    source.next(1);
    source.next(2);
    expect(result).toMatchObject({ values: [1, 2], completed: true });
    expect(source.observed).toBe(false);
  });

  it('resumes a lane that is retried', () => {
    let failures = 0;
    const operator = lanes<number, number>({ count: 2, by }, (lane$) =>
      lane$.pipe(
        tap((item) => {
          if (item === A2 && failures++ === 0) throw new Error('once');
        }),
        retry(1),
      ),
    );
    expect(record(gatedFrom([A, B, A2, A, B2, A2]).pipe(operator))).toMatchObject({
      values: [A, B, A, B2, A2],
      completed: true,
    });
  });

  it('holds what comes for a lane until it is subscribed again, and completes it then if the source has ended', () => {
    const again = new Subject<void>();
    const source = new Subject<number>();
    let failures = 0;
    const operator = lanes<number, number>({ count: 2, by }, (lane$) =>
      lane$.pipe(
        tap((item) => {
          if (item === A2 && failures++ === 0) throw new Error('once');
        }),
        retry({ delay: () => again }),
      ),
    );
    const result = record(source.pipe(operator));
    source.next(A2);
    source.next(A);
    source.complete();
    expect(result).toMatchObject({ values: [], completed: false });
    again.next();
    expect(result).toMatchObject({ values: [A], completed: true });
  });

  it('refuses a second subscriber of a lane, and names the remedy', () => {
    const operator = lanes<number, number>({ count: 1, name: 'writers' }, (lane$) =>
      concat(of(0), of(1)).pipe(mergeMap(() => lane$)),
    );
    const result = record(NEVER.pipe(operator));
    expect((result.error as Error).message).toBe(
      'writers[0] has a subscriber already: use broadcast() to read a branch more than once',
    );
  });

  it.each([
    [
      'project throws',
      { count: 2 },
      () => {
        throw new Error('bad');
      },
    ],
    [
      'by throws',
      {
        count: 2,
        by: () => {
          throw new Error('bad');
        },
      },
      (lane$: Observable<number>) => lane$,
    ],
    ['a chain fails', { count: 2 }, () => throwError(() => new Error('bad'))],
    [
      'a chain fails with an item',
      { count: 2 },
      (lane$: Observable<number>) =>
        lane$.pipe(
          map(() => {
            throw new Error('bad');
          }),
        ),
    ],
  ])('fails when %s, and lets go of its source', (_, config, project) => {
    const source = new Subject<number>();
    const monitor = new PipelineMonitor();
    const result = record(source.pipe(lanes<number, number>(config, project), withContext({ monitor })));
    expect(() => source.next(1)).not.toThrow();
    expect((result.error as Error).message).toBe('bad');
    expect(result.completed).toBe(false);
    expect(source.observed).toBe(false);
    expect(monitor.account().conservation).toBe(0);
    expect(monitor.stages.every((stage) => !stage.isLive)).toBe(true);
  });

  it('fails when by throws as a lane opens, and not in the stack of whoever opened it', () => {
    let bad = false;
    const key = (item: number) => {
      if (bad) throw new Error('bad');
      return item;
    };
    const { push, gates, result, monitor } = bench({ count: 2, by: key }, 'closed');
    push(A, B);
    bad = true;
    expect(() => gates[0]!.open()).not.toThrow();
    expect((result.error as Error).message).toBe('bad');
    expect(monitor.account()).toMatchObject({ received: 2, held: 2, conservation: 0 });
  });

  it('completes when the chains of all lanes have, also after a source has failed', () => {
    for (const failure of [undefined, new Error('line cut')]) {
      const source = new Subject<number>();
      const gates = [new Gate('closed'), new Gate('closed')];
      const operator = lanes<number, number>({ count: 2, by }, (lane$, index) =>
        lane$.pipe(boundedBuffer(), withContext({ gate: gates[index]! })),
      );
      const result = record(source.pipe(operator));
      source.next(A);
      source.next(B);
      if (failure) source.error(failure);
      else source.complete();
      gates[1]!.open();
      expect(result).toMatchObject({ values: [B], completed: false, error: undefined });
      gates[0]!.open();
      expect(result).toMatchObject({ values: [B, A], completed: !failure, error: failure });
    }
  });

  it('unsubscribes its lanes when unsubscribed, and accounts for what waited', () => {
    const { push, gates, source, result, monitor } = bench({ count: 2, by }, 'closed');
    push(A, B);
    result.subscription.unsubscribe();
    expect(source.observed).toBe(false);
    expect(gates.map((gate) => gate.waiting)).toEqual([0, 0]);
    expect(monitor.account()).toMatchObject({ received: 2, held: 2, conservation: 0 });
  });

  it('is in balance in front of another stage', () => {
    const monitor = new PipelineMonitor();
    const operator = lanes<number, number>({ count: 2, by }, (lane$) => lane$.pipe(boundedBuffer()));
    gatedFrom(upTo(10)).pipe(operator, boundedBuffer(), withContext({ monitor })).subscribe();
    expect(monitor.account()).toMatchObject({ received: 10, delivered: 10, filtered: 0, conservation: 0 });
  });
});
