import { asapScheduler, NEVER, of, queueScheduler, range, Subject, VirtualTimeScheduler } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { bench } from '../../test/support/batchBench.js';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { batch } from './batch.js';

describe('batch', () => {
  it.each([
    [{ size: 0 }, 'batch: size must be an integer of at least 1, got 0'],
    [{} as never, 'batch: size must be an integer of at least 1, got undefined'],
    [{ size: 1, lingerMs: -1 }, 'batch: lingerMs must be a finite number of milliseconds of at least 0, got -1'],
    [{ size: 1, lingerMs: Infinity }, 'batch: lingerMs'],
    [{ size: 1, eager: 'yes' as never }, 'batch: eager must be true or false, got "yes"'],
    [{ size: 1, maxBytes: 0, sizeOf: () => 1 }, 'batch: maxBytes must be an integer of at least 1, or Infinity, got 0'],
    [{ size: 1, maxBytes: 10 }, 'batch: sizeOf (with maxBytes) must be a function, got undefined'],
    [{ size: 1, linger: 5 } as never, 'batch: unknown option "linger"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => batch(config)).toThrow(RangeError);
    expect(() => batch(config)).toThrow(message);
  });

  it('emits full batches, and the rest at the end', () => {
    expect(record(range(1, 5).pipe(batch({ size: 2 })))).toMatchObject({
      values: [[1, 2], [3, 4], [5]],
      completed: true,
    });
  });

  it('never emits an empty batch', () => {
    expect(record(of<number[]>().pipe(batch({ size: 2 }))).values).toEqual([]);
    expect(record(range(0, 4).pipe(batch({ size: 2 }))).values).toEqual([
      [0, 1],
      [2, 3],
    ]);
    const { source, passMs, result } = bench({ size: 2, lingerMs: 5 });
    passMs(50);
    source.complete();
    expect(result).toMatchObject({ values: [], completed: true });
  });

  describe('linger', () => {
    it('begins at the first item of a batch', () => {
      const { push, passMs, result } = bench({ size: 10, lingerMs: 5 });
      passMs(3);
      push(1);
      passMs(4);
      push(2);
      expect(result.values).toEqual([]);
      passMs(1);
      expect(result.values).toEqual([[1, 2]]);
    });

    it('emits one item that is followed by silence', () => {
      const { push, passMs, result } = bench({ size: 10, lingerMs: 5 });
      push(1);
      passMs(5);
      expect(result.values).toEqual([[1]]);
    });

    it('does not starve what comes after a lull that is longer than it', () => {
      const { push, passMs, result } = bench({ size: 10, lingerMs: 5 });
      push(1);
      passMs(500);
      push(2);
      passMs(5);
      passMs(5_000);
      push(3);
      passMs(5);
      expect(result.values).toEqual([[1], [2], [3]]);
    });

    it('serves several batches with one timer, and is set again for the younger one', () => {
      const { push, passMs, result, clock } = bench({ size: 2, lingerMs: 10 });
      push(1);
      passMs(4);
      const [timer] = clock.actions;
      push(2, 3);
      expect(clock.actions).toEqual([timer]);
      expect(result.values).toEqual([[1, 2]]);
      passMs(6);
      expect(result.values).toEqual([[1, 2]]);
      expect(clock.actions).toHaveLength(1);
      passMs(3);
      expect(result.values).toEqual([[1, 2]]);
      passMs(1);
      expect(result.values).toEqual([[1, 2], [3]]);
      expect(clock.actions).toHaveLength(0);
    });

    it('sets no further timer where the younger batch is gone when the first one fires', () => {
      const { push, passMs, clock } = bench({ size: 2, lingerMs: 10 });
      push(1);
      passMs(4);
      push(2, 3, 4);
      passMs(6);
      expect(clock.actions).toHaveLength(0);
    });

    it('does not begin for an item that comes when downstream has had enough', () => {
      const { push, result, clock } = bench({ size: 9, maxBytes: 5, sizeOf: (n) => n, lingerMs: 10 }, 'open', 1);
      push(3, 4);
      expect(result).toMatchObject({ values: [[3]], completed: true });
      expect(clock.actions.every((action) => action.closed)).toBe(true);
    });

    it('is cancelled when the source completes and when it fails', () => {
      const completed = bench({ size: 10, lingerMs: 5 });
      completed.push(1);
      completed.source.complete();
      expect(completed.result).toMatchObject({ values: [[1]], completed: true });
      expect(completed.clock.actions.every((action) => action.closed)).toBe(true);

      const failed = bench({ size: 10, lingerMs: 5 });
      const failure = new Error('line cut');
      failed.push(1);
      failed.source.error(failure);
      expect(failed.result).toMatchObject({ values: [[1]], error: failure });
      expect(failed.clock.actions.every((action) => action.closed)).toBe(true);
    });

    it('does not wait for long when the clock is set back', () => {
      const { push, result, clock } = bench({ size: 10, lingerMs: 5 });
      clock.frame = 1_000_000;
      push(1);
      clock.frame = 10;
      clock.maxFrames = 2_000_000;
      clock.actions[0]!.delay = 15;
      clock.flush();
      expect(result.values).toEqual([[1]]);
      expect(clock.frame).toBe(15);
    });

    it('works on a scheduler that works at once', () => {
      const source = new Subject<number>();
      const lingering = record(source.pipe(batch({ size: 10, lingerMs: 0, scheduler: queueScheduler })));
      const eager = record(source.pipe(batch({ size: 10, eager: true, scheduler: queueScheduler })));
      source.next(1);
      source.next(2);
      expect(lingering.values).toEqual([[1], [2]]);
      expect(eager.values).toEqual([[1], [2]]);
    });
  });

  describe('draining', () => {
    it('emits at once what it has, and lingers no more', () => {
      const { push, passMs, result, stopping, clock } = bench({ size: 10, lingerMs: 1_000 });
      push(1, 2);
      stopping.next();
      expect(result.values).toEqual([[1, 2]]);
      expect(clock.actions.every((action) => action.closed)).toBe(true);
      push(3);
      passMs(0);
      expect(result.values).toEqual([[1, 2], [3]]);
    });

    it('emits when downstream opens, where that is closed', () => {
      const { push, gate, result, stopping } = bench({ size: 10, lingerMs: 1_000 }, 'closed');
      push(1, 2);
      stopping.next();
      push(3);
      expect(result.values).toEqual([]);
      gate.open();
      expect(result.values).toEqual([[1, 2, 3]]);
    });

    it('does so as well when the drain was asked for before it was subscribed', () => {
      const stopping = of(undefined);
      const clock = new VirtualTimeScheduler();
      const source = new Subject<number>();
      const result = record(
        source.pipe(batch({ size: 10, lingerMs: 1_000, scheduler: clock }), withContext({ stopping })),
      );
      source.next(1);
      clock.maxFrames = 0;
      clock.flush();
      expect(result.values).toEqual([[1]]);
    });
  });

  describe('eager', () => {
    it('emits at the end of a synchronous burst while downstream is open', () => {
      const { push, passMs, result } = bench({ size: 10, eager: true });
      push(1, 2, 3);
      expect(result.values).toEqual([]);
      passMs(0);
      expect(result.values).toEqual([[1, 2, 3]]);
      push(4);
      passMs(0);
      expect(result.values).toEqual([[1, 2, 3], [4]]);
    });

    it('lets the batch grow while downstream is closed, and emits it when that opens', () => {
      const { push, passMs, gate, result, moves, clock } = bench({ size: 5, eager: true }, 'closed');
      push(1);
      expect(clock.actions).toEqual([]);
      passMs(100);
      push(2, 3);
      expect(result.values).toEqual([]);
      gate.open();
      expect(result.values).toEqual([[1, 2, 3]]);
      expect(moves).toEqual(['o']);
    });

    it('emits a full batch before the burst is over', () => {
      const { push, passMs, result, clock } = bench({ size: 2, eager: true });
      push(1);
      const [timer] = clock.actions;
      push(2, 3);
      // It is the end of the same burst.
      expect(clock.actions).toEqual([timer]);
      expect(result.values).toEqual([[1, 2]]);
      passMs(0);
      expect(result.values).toEqual([[1, 2], [3]]);
    });

    it('waits for the end of the burst by default on asapScheduler', async () => {
      const source = new Subject<number>();
      const result = record(source.pipe(batch({ size: 10, eager: true })));
      source.next(1);
      source.next(2);
      expect(result.values).toEqual([]);
      await new Promise<void>((resolve) => asapScheduler.schedule(() => resolve()));
      expect(result.values).toEqual([[1, 2]]);
    });
  });

  describe('bytes', () => {
    const sizeOf = (item: number) => item;

    it('never puts more into a batch than maxBytes', () => {
      const { push, source, result } = bench({ size: 10, maxBytes: 10, sizeOf });
      push(4, 4, 4, 10, 1, 9, 2);
      source.complete();
      expect(result.values).toEqual([[4, 4], [4], [10], [1, 9], [2]]);
    });

    it('emits at once what reaches maxBytes exactly, and what goes beyond it', () => {
      const { push, result } = bench({ size: 10, maxBytes: 10, sizeOf });
      push(4, 5);
      expect(result.values).toEqual([]);
      push(1);
      expect(result.values).toEqual([[4, 5, 1]]);
      push(10);
      push(11);
      expect(result.values).toEqual([[4, 5, 1], [10], [11]]);
    });

    it('makes a batch of one of an item that is larger', () => {
      const { push, source, result } = bench({ size: 10, maxBytes: 10, sizeOf });
      push(1, 25, 2, 30);
      source.complete();
      expect(result.values).toEqual([[1], [25], [2], [30]]);
    });

    it('still respects size', () => {
      const { push, result } = bench({ size: 2, maxBytes: 10, sizeOf });
      push(1, 1, 0);
      expect(result.values).toEqual([[1, 1]]);
    });

    it('holds one item beside a batch that it does not fit, and closes its gate for it', () => {
      const { push, gate, result, moves, stage } = bench({ size: 10, maxBytes: 10, sizeOf }, 'closed');
      push(6);
      expect(moves).toEqual(['o']);
      push(6);
      expect(moves).toEqual(['o', 'c']);
      expect(stage.held).toBe(2);
      gate.open();
      expect(result.values).toEqual([[6]]);
      expect(stage.held).toBe(1);
      expect(moves).toEqual(['o', 'c', 'o']);
    });

    it.each([
      [
        'throws',
        new Error('no size'),
        () => {
          throw new Error('no size');
        },
      ],
      [
        'gives no number',
        new RangeError('batch: what sizeOf returns must be a number of at least 0, got NaN'),
        () => Number.NaN,
      ],
      [
        'gives less than nothing',
        new RangeError('batch: what sizeOf returns must be a number of at least 0, got -1'),
        () => -1,
      ],
    ])('fails when sizeOf %s, while items come and while it drains', (_, error, sizeOf) => {
      const arriving = bench({ size: 10, maxBytes: 10, sizeOf });
      expect(() => arriving.push(1)).not.toThrow();
      expect(arriving.result.error).toEqual(error);
      expect(arriving.monitor.account()).toMatchObject({ received: 1, held: 1, conservation: 0 });

      let bad = false;
      const draining = bench({ size: 10, maxBytes: 10, sizeOf: (item) => (bad ? sizeOf() : item) }, 'closed');
      draining.push(6, 6, 1);
      bad = true;
      expect(() => draining.gate.open()).not.toThrow();
      expect(draining.result).toMatchObject({ values: [[6]], error, completed: false });
      expect(draining.monitor.account()).toMatchObject({ received: 3, delivered: 1, held: 2, conservation: 0 });
    });
  });

  it('cancels its timers and its wait when unsubscribed, and accounts for what it held', () => {
    const lingering = bench({ size: 10, lingerMs: 5 });
    lingering.push(1, 2);
    lingering.result.subscription.unsubscribe();
    expect(lingering.clock.actions.every((action) => action.closed)).toBe(true);
    expect(lingering.stage.abandoned).toBe(2);

    const eager = bench({ size: 10, eager: true });
    eager.push(1);
    eager.result.subscription.unsubscribe();
    expect(eager.clock.actions.every((action) => action.closed)).toBe(true);

    const waiting = bench({ size: 1 }, 'closed');
    waiting.push(1);
    waiting.result.subscription.unsubscribe();
    expect(waiting.gate.waiting).toBe(0);
    expect(waiting.monitor.account()).toMatchObject({ held: 1, conservation: 0 });
  });

  it('counts nothing more when the subscriber has had enough', () => {
    const gate = new Gate('closed');
    const monitor = new PipelineMonitor();
    const source = new Subject<number>();
    const result = record(source.pipe(batch({ size: 2 }), withContext({ gate, monitor }), take(1)));
    for (const n of upTo(9)) source.next(n);
    gate.open();
    expect(result).toMatchObject({ values: [[0, 1]], completed: true });
    expect(monitor.account()).toMatchObject({ received: 9, delivered: 2, held: 7, conservation: 0 });
  });

  it('stops a synchronous source for take(1)', () => {
    let emitted = 0;
    const result = record(gatedFrom(upTo(1_000), () => emitted++).pipe(batch({ size: 10 }), take(1)));
    expect(result.values).toHaveLength(1);
    expect(emitted).toBe(10);
  });

  it('keeps the state of one subscription apart from that of another', () => {
    const source = new Subject<number>();
    const operator = batch<number>({ size: 2 });
    const first = record(source.pipe(operator));
    source.next(1);
    const second = record(source.pipe(operator));
    source.next(2);
    source.next(3);
    expect(first.values).toEqual([[1, 2]]);
    expect(second.values).toEqual([[2, 3]]);
    expect(record(NEVER.pipe(operator)).completed).toBe(false);
  });

  it('does not wait for ever for what is left of a linger where it is too little to move a clock', () => {
    // So late, a clock of doubles has steps of 0.00000012.
    const scheduler = new VirtualTimeScheduler();
    scheduler.frame = 1_000_000_000.1;
    let timers = 0;
    const schedule = scheduler.schedule.bind(scheduler);
    scheduler.schedule = ((...args: Parameters<typeof schedule>) => {
      timers += 1;
      if (timers > 100) throw new Error('it is set again and again');
      return schedule(...args);
    }) as typeof scheduler.schedule;
    const source = new Subject<number>();
    const result = record(source.pipe(batch({ size: 10, lingerMs: 0.3, scheduler })));
    source.next(1);
    scheduler.flush();
    expect(result.values).toEqual([[1]]);
  });
});
