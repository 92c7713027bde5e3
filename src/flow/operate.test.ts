import { asyncScheduler, concat, from, NEVER, Observable, of, range, Subject, throwError } from 'rxjs';
import { take, toArray } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { PipelineMonitor } from './monitor.js';
import { type Handlers, type Operation, operate, subscribeInner } from './operate.js';
import type { Stage } from './stage.js';
import { withContext } from './withContext.js';

interface Record {
  readonly items: unknown[];
  readonly errors: unknown[];
  completions: number;
}

function watch(observable: Observable<unknown>): Record {
  const record: Record = { items: [], errors: [], completions: 0 };
  observable.subscribe({
    next: (item) => record.items.push(item),
    error: (error) => record.errors.push(error),
    complete: () => {
      record.completions += 1;
    },
  });
  return record;
}

const failing = new Error('a handler throws');
const fail = () => {
  throw failing;
};

/** An operator with some handlers of its own, and for the rest one that passes everything on. */
const operator = (handlers: (operation: Operation<number>) => Partial<Handlers<number>>) =>
  operate<number, number>({ kind: 'test' }, (operation) => ({
    next: (n) => operation.destination.next(n),
    ...handlers(operation),
  }));

describe('operate', () => {
  it('passes completion and errors on by default', () => {
    const pass = operator(() => ({}));
    expect(watch(of(1, 2).pipe(pass))).toEqual({ items: [1, 2], errors: [], completions: 1 });
    expect(watch(throwError(() => failing).pipe(pass))).toEqual({ items: [], errors: [failing], completions: 0 });
  });

  it('stops a synchronous source with the first item under take(1)', () => {
    let pulled = 0;
    const source$ = new Observable<number>((subscriber) => {
      while (!subscriber.closed && pulled < 1_000) subscriber.next(pulled++);
    });
    expect(
      watch(
        source$.pipe(
          operator(() => ({})),
          take(1),
        ),
      ),
    ).toEqual({ items: [0], errors: [], completions: 1 });
    expect(pulled).toBe(1);
  });

  for (const handler of ['next', 'complete', 'error'] as const) {
    it(`sends what ${handler} throws to the error channel, and lets go of the source`, () => {
      let released = 0;
      const source$ = new Observable<number>((subscriber) => {
        if (handler === 'next') subscriber.next(1);
        else if (handler === 'complete') subscriber.complete();
        else subscriber.error(new Error('of the source'));
        return () => {
          released += 1;
        };
      });
      const record = watch(source$.pipe(operator(() => ({ [handler]: fail }))));
      expect(record).toEqual({ items: [], errors: [failing], completions: 0 });
      expect(released).toBe(1);
    });
  }

  it('sends what its set-up throws to the error channel', () => {
    expect(watch(of(1).pipe(operate({ kind: 'test' }, fail))).errors).toEqual([failing]);
  });

  it('runs finalize once, however the subscription ends', () => {
    let finalized = 0;
    const counting = operator(() => ({
      finalize() {
        finalized += 1;
      },
    }));
    of(1).pipe(counting).subscribe();
    expect(finalized).toBe(1);
    watch(throwError(() => failing).pipe(counting));
    expect(finalized).toBe(2);
    const subscription = NEVER.pipe(counting).subscribe();
    subscription.unsubscribe();
    subscription.unsubscribe();
    expect(finalized).toBe(3);
    watch(range(1, 5).pipe(counting, take(2)));
    expect(finalized).toBe(4);
  });

  it('calls its handlers with themselves as this', () => {
    class Counter implements Handlers<number> {
      #held = 0;
      ended: number | undefined;
      next() {
        this.#held += 1;
      }
      held() {
        return this.#held;
      }
      finalize() {
        this.ended = this.#held;
      }
    }
    const monitor = new PipelineMonitor();
    const counters: Counter[] = [];
    const source$ = new Subject<number>();
    const count = operate<number, number>({ kind: 'count' }, () => {
      const counter = new Counter();
      counters.push(counter);
      return { next: () => counter.next(), held: () => counter.held(), finalize: () => counter.finalize() };
    });
    const subscription = source$.pipe(count, withContext({ monitor })).subscribe();
    source$.next(1);
    expect(monitor.stages[0]?.held).toBe(1);
    subscription.unsubscribe();
    expect(counters[0]?.ended).toBe(1);
  });

  it('lets an item finish after detach, and takes nothing more', () => {
    let released = 0;
    const source$ = new Subject<number>();
    const watched$ = new Observable<number>((subscriber) => {
      subscriber.add(() => {
        released += 1;
      });
      return source$.subscribe(subscriber);
    });
    const lastOnly = operator(({ destination, detach }) => ({
      next(n) {
        if (n === 2) {
          detach();
          destination.next(20);
          destination.complete();
        }
      },
    }));
    const record = watch(watched$.pipe(lastOnly));
    source$.next(1);
    source$.next(2);
    source$.next(3);
    expect(record).toEqual({ items: [20], errors: [], completions: 1 });
    expect(released).toBe(1);
  });

  it('does not subscribe its source if it is detached, or over, from the start', () => {
    let subscribed = 0;
    const source$ = new Observable<number>(() => {
      subscribed += 1;
    });
    const record = watch(
      source$.pipe(
        operator(({ destination, detach }) => {
          detach();
          destination.complete();
          return {};
        }),
      ),
    );
    watch(
      source$.pipe(
        operator(({ destination }) => {
          destination.next(0);
          return {};
        }),
        take(1),
      ),
    );
    expect(record.completions).toBe(1);
    expect(subscribed).toBe(0);
  });

  it('ignores what comes after the end', () => {
    const source$ = new Observable<number>((subscriber) => {
      subscriber.next(1);
      subscriber.complete();
      subscriber.next(2);
      subscriber.error(failing);
    });
    expect(watch(source$.pipe(operator(() => ({}))))).toEqual({ items: [1], errors: [], completions: 1 });
  });

  it('takes nothing after completion, though it may still emit what it holds', () => {
    const source$ = new Observable<number>((subscriber) => {
      subscriber.next(1);
      subscriber.complete();
      subscriber.next(2);
    });
    const taken: number[] = [];
    const holding = operator(() => ({
      next: (n) => void taken.push(n),
      complete() {},
    }));
    watch(source$.pipe(holding));
    expect(taken).toEqual([1]);
  });

  it('registers each subscription as a stage that feeds the next one downstream', () => {
    const monitor = new PipelineMonitor();
    const named = operate<number, number>({ kind: 'test', name: 'mine' }, ({ destination }) => ({
      next: (n) => destination.next(n),
    }));
    NEVER.pipe(
      named,
      operator(() => ({})),
      withContext({ monitor }),
    ).subscribe();
    const [last, first] = monitor.stages as [Stage, Stage];
    expect([last.name, first.name]).toEqual(['test', 'mine']);
    expect(first.feeds).toBe(last);
    expect(last.feeds).toBeUndefined();
  });
});

describe('subscribeInner', () => {
  const flatten = (handlers?: { error(error: unknown): void }) =>
    operate<Observable<number>, number>({ kind: 'flatten' }, (operation) => ({
      next(inner$) {
        subscribeInner(inner$, operation, { next: (n) => operation.destination.next(n), ...handlers });
      },
      complete() {},
    }));

  it('emits what the inner emits, and does not end with it', () => {
    expect(watch(of(of(1, 2), of(3)).pipe(flatten()))).toEqual({ items: [1, 2, 3], errors: [], completions: 0 });
  });

  it('fails with the inner, unless that is handled', () => {
    const inner$ = concat(
      of(1),
      throwError(() => failing),
    );
    expect(watch(of(inner$).pipe(flatten())).errors).toEqual([failing]);
    const handled: unknown[] = [];
    expect(watch(of(inner$, of(2)).pipe(flatten({ error: (error) => handled.push(error) })))).toEqual({
      items: [1, 2],
      errors: [],
      completions: 0,
    });
    expect(handled).toEqual([failing]);
  });

  it('ends with the operator', () => {
    let released = 0;
    const inner$ = new Observable<number>(() => () => {
      released += 1;
    });
    of(inner$, inner$).pipe(flatten()).subscribe().unsubscribe();
    expect(released).toBe(2);
  });

  it('takes promises and arrays too', async () => {
    const collect = operate<PromiseLike<number> | number[], number>({ kind: 'collect' }, (operation) => ({
      next: (input) =>
        void subscribeInner(input, operation, { next: (n) => operation.destination.next(n), complete: () => {} }),
      complete: () => void asyncScheduler.schedule(() => operation.destination.complete()),
    }));
    const inputs: (PromiseLike<number> | number[])[] = [[1, 2], Promise.resolve(3)];
    const items = await new Promise((resolve) => from(inputs).pipe(collect, toArray()).subscribe(resolve));
    expect(items).toEqual([1, 2, 3]);
  });
});
