import { interval, NEVER, Observable, of, Subject, take, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { contextOf } from './context.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { type ConnectionEnd, type OperationOnDemand, operateOnDemand } from './operateOnDemand.js';
import { withContext } from './withContext.js';

/** Connects at once, passes items, and writes down how each connection ends. */
function bench(onOver?: (end: ConnectionEnd, operation: OperationOnDemand<number, number>) => void) {
  const ends: ConnectionEnd[] = [];
  const operator = operateOnDemand<number, number>({ kind: 'bench' }, (operation) => ({
    start() {
      operation.connect({
        next: (item) => operation.destination.next(item),
        over(end) {
          ends.push(end);
          onOver?.(end, operation);
        },
      });
    },
  }));
  return { ends, operator };
}

describe('operateOnDemand', () => {
  it('subscribes nothing until it connects', () => {
    let subscribed = 0;
    const source = new Observable<number>(() => {
      subscribed += 1;
    });
    let connect = (): void => {};
    const operator = operateOnDemand<number, number>({ kind: 'lazy' }, (operation) => ({
      start() {
        connect = () => operation.connect({ next() {}, over() {} });
      },
    }));
    record(source.pipe(operator));
    expect(subscribed).toBe(0);
    connect();
    connect();
    expect(subscribed).toBe(2);
  });

  it('tells how the source ended, and leaves it to the operator what becomes of it', () => {
    const completed = bench();
    const result = record(of(1).pipe(completed.operator));
    expect(completed.ends).toEqual([{ kind: 'completed' }]);
    expect(result).toMatchObject({ values: [1], completed: false, error: undefined });
    const failed = bench();
    record(throwError(() => 'lost').pipe(failed.operator));
    expect(failed.ends).toEqual([{ kind: 'failed', error: 'lost' }]);
  });

  it('tells that the source was let go', () => {
    const { ends, operator } = bench();
    record(NEVER.pipe(operator)).subscription.unsubscribe();
    expect(ends).toEqual([{ kind: 'released' }]);
    const firehose = bench();
    record(interval(1).pipe(firehose.operator)).subscription.unsubscribe();
    const one = bench();
    record(of(1, 2, 3).pipe(one.operator, take(1)));
    expect(one.ends).toEqual([{ kind: 'released' }]);
  });

  it('tells it when the source has let go of what it used', () => {
    const order: string[] = [];
    const { operator } = bench((end) => order.push(end.kind));
    const source = new Observable<number>((subscriber) => {
      subscriber.add(() => order.push('first'));
      subscriber.complete();
      return () => order.push('last');
    });
    record(source.pipe(operator));
    const later = new Subject<number>();
    record(
      new Observable<number>((subscriber) => {
        const subscription = later.subscribe(subscriber);
        return () => {
          subscription.unsubscribe();
          order.push('let go');
        };
      }).pipe(operator),
    );
    later.complete();
    expect(order).toEqual(['first', 'last', 'completed', 'let go', 'completed']);
  });

  it('makes what over() throws an error of the stream', () => {
    const fault = new Error('over');
    const { operator } = bench(() => {
      throw fault;
    });
    const source = new Subject<number>();
    const result = record(source.pipe(operator));
    expect(() => source.complete()).not.toThrow();
    expect(result.error).toBe(fault);
  });

  it('lets the source find the context downstream, and feeds its own stage', () => {
    const monitor = new PipelineMonitor();
    const gate = new Gate();
    const stopping = new Subject<void>();
    let found: ReturnType<typeof contextOf> | undefined;
    const source = new Observable<number>((subscriber) => {
      found = contextOf(subscriber);
    });
    record(source.pipe(bench().operator, withContext({ monitor, gate, stopping })));
    expect(found).toMatchObject({ monitor, gate, stopping });
    expect(found?.stage).toBe(monitor.stages[0]);
    expect(monitor.stages).toHaveLength(1);
  });

  it('finalizes once, however it ends', () => {
    let finalized = 0;
    const operator = operateOnDemand<number, number>({ kind: 'x' }, ({ connect, destination }) => ({
      start: () => connect({ next() {}, over: ({ kind }) => kind === 'completed' && destination.complete() }),
      finalize() {
        finalized += 1;
      },
    }));
    const result = record(of(1).pipe(operator));
    result.subscription.unsubscribe();
    expect(result.completed).toBe(true);
    expect(finalized).toBe(1);
    record(NEVER.pipe(operator)).subscription.unsubscribe();
    expect(finalized).toBe(2);
  });
});
