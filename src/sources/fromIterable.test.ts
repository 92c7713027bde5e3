import { config, of, Subject, take, tap, VirtualTimeScheduler } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { observe, settled } from '../../test/support/collect.js';
import { Gate } from '../flow/gate.js';
import { fromIterable } from './fromIterable.js';

/** Counts up, and tells what is done to it. */
function* counted(log: string[], end = Number.POSITIVE_INFINITY) {
  try {
    for (let n = 1; n <= end; n++) {
      log.push(`next ${n}`);
      yield n;
    }
  } finally {
    log.push('released');
  }
}

describe('fromIterable', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('emits what the iterable holds and completes', () => {
    for (const iterable of [[1, 2, 3], new Set([1, 2, 3]), counted([], 3)]) {
      const seen = observe(fromIterable(iterable));
      expect(seen.items).toEqual([1, 2, 3]);
      expect(seen.end).toEqual({ kind: 'complete' });
    }
  });

  it('begins anew with each subscription', () => {
    const source = fromIterable([1, 2]);
    expect(observe(source).items).toEqual([1, 2]);
    expect(observe(source).items).toEqual([1, 2]);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a text', 'done'],
    ['a symbol', Symbol('done')],
  ])('errors when next() of the iterator returns %s, and does not return the iterator', (_, answer) => {
    const returned: unknown[] = [];
    const iterator = { next: () => answer as never, return: () => returned.push('returned') as never };
    const seen = observe(fromIterable<number>({ [Symbol.iterator]: () => iterator }));
    expect(seen.end).toMatchObject({
      kind: 'error',
      error: { name: 'TypeError', message: expect.stringContaining('must return { done, value }') },
    });
    expect([seen.items, returned]).toEqual([[], []]);
  });

  it('takes a function for what it is: an object that may answer', () => {
    let answers = 0;
    const next = () => Object.assign(() => {}, { done: ++answers > 2, value: answers });
    expect(observe(fromIterable<number>({ [Symbol.iterator]: () => ({ next }) })).items).toEqual([1, 2]);
  });

  it('does not return an iterator whose value throws as it is read', () => {
    const failure = new Error('no value');
    const returned: unknown[] = [];
    const answer = {
      done: false as const,
      get value(): number {
        throw failure;
      },
    };
    const iterator = { next: () => answer, return: () => returned.push('returned') as never };
    const seen = observe(fromIterable<number>({ [Symbol.iterator]: () => iterator }));
    expect(seen.end).toEqual({ kind: 'error', error: failure });
    expect(returned).toEqual([]);
  });

  it('takes nothing while the gate is closed', () => {
    const log: string[] = [];
    const gate = new Gate('closed');
    const seen = observe(fromIterable(counted(log, 3)), gate);
    expect(log).toEqual([]);
    gate.open();
    expect(seen.items).toEqual([1, 2, 3]);
  });

  it('takes no further item once the gate has closed', () => {
    const log: string[] = [];
    const gate = new Gate();
    const seen = observe(fromIterable(counted(log, 5)).pipe(tap((n) => (n === 2 ? gate.close() : undefined))), gate);
    expect(log).toEqual(['next 1', 'next 2']);
    gate.open();
    expect(seen.items).toEqual([1, 2, 3, 4, 5]);
  });

  it('returns the iterator when it is unsubscribed half-way', () => {
    const log: string[] = [];
    const gate = new Gate();
    const seen = observe(fromIterable(closeAt(counted(log), 2, gate)), gate);
    expect(log).not.toContain('released');
    seen.unsubscribe();
    expect(log).toEqual(['next 1', 'next 2', 'released']);
    gate.open();
    expect(seen.items).toEqual([1, 2]);
  });

  it('takes one item for take(1), and returns the iterator', () => {
    const log: string[] = [];
    const seen = observe(fromIterable(counted(log)).pipe(take(1)));
    expect(seen.items).toEqual([1]);
    expect(log).toEqual(['next 1', 'released']);
  });

  it('completes on stopping and returns the iterator', () => {
    const log: string[] = [];
    const gate = new Gate();
    const stopping = new Subject<void>();
    const seen = observe(fromIterable(closeAt(counted(log), 1, gate)), gate, stopping);
    stopping.next();
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(log).toEqual(['next 1', 'released']);
  });

  it('does not begin when the pipeline is stopping already', async () => {
    const log: string[] = [];
    const seen = observe(fromIterable(counted(log)), new Gate(), of(undefined));
    await seen.ended;
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(log).toEqual([]);
  });

  it('runs to its end on stopping with stops: false', () => {
    const log: string[] = [];
    const gate = new Gate();
    const stopping = new Subject<void>();
    const seen = observe(fromIterable(closeAt(counted(log, 3), 1, gate), { stops: false }), gate, stopping);
    stopping.next();
    expect(seen.end).toBeUndefined();
    gate.open();
    expect(seen.items).toEqual([1, 2, 3]);
    expect(seen.end).toEqual({ kind: 'complete' });
  });

  it('reports a return() that throws where RxJS reports unhandled errors, not to who unsubscribes', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const failure = new Error('cannot close');
    const iterable = (): Iterable<number> => ({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: () => {
          throw failure;
        },
      }),
    });
    const gate = new Gate('closed');
    const seen = observe(fromIterable(iterable()), gate);
    expect(() => seen.unsubscribe()).not.toThrow();
    expect(observe(fromIterable(iterable()).pipe(take(1))).end).toEqual({ kind: 'complete' });
    while (unhandled.length < 2) await settled(1);
    expect(unhandled).toEqual([failure, failure]);
  });

  it('does not return an iterator that is done or has thrown', () => {
    const calls: string[] = [];
    const iterable = (last: () => IteratorResult<number>): Iterable<number> => ({
      [Symbol.iterator]: () => ({
        next: last,
        return: () => {
          calls.push('return');
          return { done: true, value: undefined };
        },
      }),
    });
    expect(observe(fromIterable(iterable(() => ({ done: true, value: undefined })))).end?.kind).toBe('complete');
    const failure = new Error('no more');
    const failed = observe(
      fromIterable(
        iterable(() => {
          throw failure;
        }),
      ),
    );
    expect(failed.end).toEqual({ kind: 'error', error: failure });
    expect(calls).toEqual([]);
  });

  it('passes an error of the iterator on, after what came before', () => {
    const failure = new Error('torn');
    const seen = observe(
      fromIterable(
        (function* () {
          yield 1;
          throw failure;
        })(),
      ),
    );
    expect(seen.items).toEqual([1]);
    expect(seen.end).toEqual({ kind: 'error', error: failure });
  });

  it('returns a generator that unsubscribes while it runs, once it has come back', () => {
    const log: string[] = [];
    const gate = new Gate('closed');
    let unsubscribe = () => {};
    const seen = observe(
      fromIterable(
        (function* () {
          try {
            unsubscribe();
            yield 1;
          } finally {
            log.push('released');
          }
        })(),
      ),
      gate,
    );
    unsubscribe = seen.unsubscribe;
    gate.open();
    expect(log).toEqual(['released']);
    expect(seen.items).toEqual([]);
    expect(seen.end).toBeUndefined();
  });

  it('yields on its scheduler when it has run for yieldAfterMs', () => {
    const scheduler = new VirtualTimeScheduler();
    let clock = 0;
    scheduler.now = () => clock++;
    const seen = observe(fromIterable(counted([], 10_000), { scheduler, yieldAfterMs: 5 }));
    expect(seen.items.length).toBeLessThan(10_000);
    expect(scheduler.actions).toHaveLength(1);
    scheduler.flush();
    expect(seen.items).toHaveLength(10_000);
  });

  it('lets the event loop turn by default', async () => {
    let turned = 0;
    const seen = observe(fromIterable(counted([]), { yieldAfterMs: 0 }));
    setImmediate(() => {
      turned = seen.items.length;
      seen.unsubscribe();
    });
    await settled();
    expect(turned).toBeGreaterThan(0);
    expect(seen.items.length).toBeLessThan(100_000);
  });

  it('accounts for what it emits under its name', () => {
    const seen = observe(fromIterable([1, 2, 3], { name: 'numbers' }));
    expect(seen.monitor.stages.map(({ name, role, out }) => ({ name, role, out }))).toEqual([
      { name: 'numbers', role: 'source', out: 3 },
    ]);
  });

  it('refuses bad arguments when it is made', () => {
    expect(() => fromIterable(7 as never)).toThrow(
      new RangeError('fromIterable: iterable[Symbol.iterator] must be a function, got undefined'),
    );
    expect(() => fromIterable([], { name: 5 } as never)).toThrow(/name must be a string that is not empty, got 5/);
    expect(() => fromIterable([], { yieldAfterMs: -1 })).toThrow(RangeError);
    expect(() => fromIterable([], { stops: 'no' as never })).toThrow(/stops must be/);
    expect(() => fromIterable([], { shceduler: 1 } as never)).toThrow(/unknown option "shceduler"/);
  });
});

function* closeAt(numbers: Iterable<number>, last: number, gate: Gate) {
  for (const n of numbers) {
    if (n === last) gate.close();
    yield n;
  }
}
