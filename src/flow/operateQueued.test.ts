import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isBufferOverflowError } from './errors.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { operateQueued, type QueuedHandlers, type QueuedOperation } from './operateQueued.js';
import { withContext } from './withContext.js';

/** An operator made of these handlers, with everything around it. */
function bench(
  init: (operation: QueuedOperation<number, number>) => QueuedHandlers<number>,
  state: 'open' | 'closed' = 'open',
) {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<number>();
  let operation!: QueuedOperation<number, number>;
  const operator = operateQueued<number, number>({ kind: 'test' }, (given) => {
    operation = given;
    return init(given);
  });
  const result = { values: [] as number[], completed: false, error: undefined as unknown };
  const subscription = source.pipe(operator, withContext({ gate, monitor })).subscribe({
    next: (value) => result.values.push(value),
    error: (error) => {
      result.error = error;
    },
    complete: () => {
      result.completed = true;
    },
  });
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, monitor, source, result, push, operation, subscription, stage: monitor.stages[0]! };
}

/** Passes items on, one by one, while downstream is open. */
const relay = ({ mayEmit, emit }: QueuedOperation<number, number>): QueuedHandlers<number> => ({
  offer(item) {
    if (!mayEmit()) return false;
    emit(item);
    return true;
  },
});

describe('operateQueued', () => {
  it('queues what is refused, holds up the source, and offers it again when downstream opens', () => {
    const { gate, push, result, stage } = bench(relay, 'closed');
    push(1, 2);
    expect(stage).toMatchObject({ in: 2, held: 2, out: 0, conservation: 0 });
    expect(stage.gate?.isOpen).toBe(false);
    gate.open();
    expect(result.values).toEqual([1, 2]);
    expect(stage.gate?.isOpen).toBe(true);
    expect(stage).toMatchObject({ held: 0, out: 2, conservation: 0 });
  });

  it.each(['error', 'complete'] as const)('lets a source that ends wait behind the queue (%s)', (end) => {
    const { gate, push, source, result } = bench(relay, 'closed');
    push(1);
    const failure = new Error('line cut');
    if (end === 'error') source.error(failure);
    else source.complete();
    expect(result).toMatchObject({ values: [], completed: false, error: undefined });
    gate.open();
    expect(result).toMatchObject({ values: [1], ...(end === 'error' ? { error: failure } : { completed: true }) });
  });

  it('does not end before what it holds is out, and asks for that when the queue is empty', () => {
    const held: number[] = [];
    let ends = 0;
    const { source, push, operation, result, stage } = bench(() => ({
      offer: (item) => held.push(item) > 0,
      held: () => held.length,
      onEnd() {
        ends += 1;
      },
    }));
    push(1, 2);
    source.complete();
    expect(ends).toBe(1);
    expect(result.completed).toBe(false);
    expect(stage.held).toBe(2);
    for (const item of held.splice(0)) operation.emit(item);
    operation.flush();
    expect(result).toMatchObject({ values: [1, 2], completed: true });
    expect(ends).toBe(1);
  });

  it('drops the item that finds no room, unsubscribes the source, lets what waits pass, and then fails', () => {
    const { gate, monitor, source, push, result } = bench(
      (operation) => ({ ...relay(operation), capacity: 2 }),
      'closed',
    );
    push(1, 2, 3, 4);
    expect(source.observed).toBe(false);
    expect(result.error).toBeUndefined();
    expect(monitor.account()).toMatchObject({ received: 3, held: 2, dropped: { overflow: 1 }, conservation: 0 });
    gate.open();
    expect(result.values).toEqual([1, 2]);
    expect(isBufferOverflowError(result.error)).toBe(true);
    expect(String(result.error)).toMatch(/test overflowed: 2 items were waiting.*boundedBuffer\(\) before test/);
    expect(monitor.account()).toMatchObject({ delivered: 2, held: 0, conservation: 0 });
  });

  it('emits results as downstream opens, before it takes anything in, and ends behind them', () => {
    const log: string[] = [];
    const { gate, source, push, result } = bench((operation) => {
      const results = operation.results();
      return {
        offer(item) {
          if (!operation.mayEmit()) return false;
          log.push(`take ${item} after ${result.values.length}`);
          for (let copy = 0; copy < 2; copy++) results.push(item * 10 + copy);
          gate.close();
          return true;
        },
      };
    });
    gate.close();
    push(1, 2);
    gate.open();
    gate.open();
    source.complete();
    gate.open();
    gate.open();
    expect(result.values).toEqual([10, 11, 20, 21]);
    expect(log).toEqual(['take 1 after 0', 'take 2 after 2']);
    expect(result.completed).toBe(true);
  });

  it('fails behind its results, without what waits or is under way', () => {
    const failure = new Error('cannot go on');
    const { gate, source, push, operation, result, stage } = bench((operation) => {
      const results = operation.results();
      return {
        offer: (item) => item !== 3 && results.push(item),
        isIdle: () => false,
      };
    }, 'closed');
    push(1, 2, 3);
    operation.fail(failure);
    operation.fail(new Error('and again'));
    expect(source.observed).toBe(false);
    expect(result.error).toBeUndefined();
    gate.open();
    expect(result).toMatchObject({ values: [1, 2], error: failure });
    expect(stage).toMatchObject({ abandoned: 1, conservation: 0 });
  });

  it('closes its gate from the start where it is not ready, and while it is not', () => {
    let isReady = false;
    const { operation, stage } = bench(() => ({ offer: () => isReady, isReady: () => isReady }));
    expect(stage.gate?.isOpen).toBe(false);
    isReady = true;
    operation.flush();
    expect(stage.gate?.isOpen).toBe(true);
  });

  it('sends what it throws to the error channel, never to whoever opens the gate', () => {
    const failure = new Error('a handler throws');
    const fail = () => {
      throw failure;
    };
    for (const handlers of [{ onOpen: fail }, { onEnd: fail }, { offer: fail }]) {
      const { gate, source, push, result } = bench(
        ({ mayEmit }) => ({ offer: (item) => mayEmit() && item > 0, ...handlers }),
        'closed',
      );
      push(1);
      source.complete();
      expect(() => gate.open()).not.toThrow();
      expect(result.error).toBe(failure);
    }
  });

  const failure = new Error('a handler throws');
  const fail = () => {
    throw failure;
  };
  let isReady = true;
  let isOver = false;
  const faults: Record<string, (operation: QueuedOperation<number, number>) => Partial<QueuedHandlers<number>>> = {
    isReady: () => ({ isReady: () => isReady || fail() }),
    onLevel: () => ({ onLevel: () => isOver && fail() }),
    offer: () => ({ offer: () => isOver && fail() }),
    onEnd: () => ({ onEnd: fail }),
    isIdle: () => ({ isIdle: fail }),
    held: () => ({ held: () => (isOver ? fail() : 0) }),
  };
  const calls = ['flush', 'regulate', 'endWith', 'fail'] as const;
  it.each(calls.flatMap((call) => Object.keys(faults).map((fault) => [fault, call] as const)))(
    'lets nothing that %s throws escape to who calls %s, such as a timer',
    (fault, call) => {
      isReady = true;
      isOver = false;
      let isOpen = false;
      const { push, source, operation, result, stage } = bench((given) => ({
        offer(item) {
          if (!isOpen) return false;
          given.emit(item);
          return true;
        },
        ...faults[fault]?.(given),
      }));
      push(1);
      if (call !== 'endWith') source.complete();
      isOpen = true;
      isReady = false;
      isOver = true;
      expect(() => operation[call as 'fail'](() => {})).not.toThrow();
      isOver = false;
      if (call === 'flush') expect(result.error).toBe(failure);
      if (fault !== 'held') expect(stage.conservation).toBe(0);
    },
  );

  it('waits for nothing any more once it is unsubscribed', () => {
    const { gate, push, subscription } = bench(relay, 'closed');
    push(1);
    expect(gate.waiting).toBe(1);
    subscription.unsubscribe();
    expect(gate.waiting).toBe(0);
  });
});
