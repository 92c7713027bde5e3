import { NEVER, Observable, of, type SchedulerLike, Subject, Subscription, take, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { Gate, type GateState } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { fromIterable } from '../sources/fromIterable.js';
import { isStaleStreamError } from './errors/staleStreamError.js';
import { type WatchdogConfig, watchdog } from './watchdog.js';

function bench(config: Partial<WatchdogConfig> = {}, gate = new Gate()) {
  const scheduler = new VirtualTimeScheduler();
  /** What is wrong with the clock. */
  const clock = { errorMs: 0 };
  const wrong: SchedulerLike = {
    now: () => scheduler.now() + clock.errorMs,
    schedule: (...args) => scheduler.schedule(...(args as Parameters<typeof scheduler.schedule>)),
  };
  const source = new Subject<number>();
  const monitor = new PipelineMonitor();
  const operator = watchdog<number>({ staleAfterMs: 100, scheduler: wrong, ...config });
  const result = record(source.pipe(operator, withContext({ gate, monitor })));
  const passTime = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  return { scheduler, clock, source, monitor, result, passTime };
}

describe('watchdog', () => {
  it.each([
    [undefined, 'watchdog: its configuration must be an object, got undefined'],
    [{}, 'watchdog: staleAfterMs must be a finite number of milliseconds of at least 1, got undefined'],
    [{ staleAfterMs: 0 }, 'watchdog: staleAfterMs must be'],
    [{ staleAfterMs: Number.POSITIVE_INFINITY }, 'watchdog: staleAfterMs must be'],
    [{ staleAfterMs: 5, calendar: {} }, 'watchdog: the isOpen of its calendar must be a function, got undefined'],
    [{ staleAfterMs: 5, calendar: null }, 'watchdog: the isOpen of its calendar must be a function, got undefined'],
    [
      { staleAfterMs: 5, calendar: { isOpen: () => true } },
      'watchdog: the nextChange of its calendar must be a function',
    ],
    [{ staleAfterMs: 5, afterMs: 5 }, 'watchdog: unknown option "afterMs"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => watchdog(config as never)).toThrow(RangeError);
    expect(() => watchdog(config as never)).toThrow(message);
  });

  it('fails with an error that names the stage and the time', () => {
    const { result, passTime } = bench({ name: 'quotes' });
    passTime(99);
    expect(result.error).toBeUndefined();
    passTime(1);
    expect(isStaleStreamError(result.error)).toBe(true);
    expect((result.error as Error).message).toContain('quotes');
    expect((result.error as Error).message).toContain('100');
  });

  it('passes items and counts them', () => {
    const { source, monitor, result, passTime } = bench();
    source.next(1);
    passTime(90);
    source.next(2);
    passTime(90);
    expect(result).toMatchObject({ values: [1, 2], error: undefined });
    expect(monitor.account()).toMatchObject({ received: 2, delivered: 2, held: 0, conservation: 0 });
  });

  it('watches each subscription from its own beginning', () => {
    const monitor = new PipelineMonitor();
    const scheduler = new VirtualTimeScheduler();
    const operator = watchdog<number>({ staleAfterMs: 100, scheduler });
    const chain = of(1, 2, 3).pipe(operator, withContext({ monitor }));
    expect(record(chain).completed).toBe(true);
    // The same account, with three items in it.
    const mute = record(NEVER.pipe(operator, withContext<number>({ monitor })));
    scheduler.flush();
    expect(isStaleStreamError(mute.error)).toBe(true);
    expect(scheduler.now()).toBe(100);
  });

  it('has one timer, however many items pass, and none when it is over', () => {
    const { scheduler, source, result, passTime } = bench();
    for (let n = 0; n < 1_000; n++) {
      source.next(n);
      if (n % 10 === 0) passTime(1);
    }
    expect(scheduler.actions).toHaveLength(1);
    source.complete();
    expect(result.completed).toBe(true);
    expect(scheduler.actions).toHaveLength(0);
    const failed = bench();
    failed.passTime(100);
    expect(failed.scheduler.actions).toHaveLength(0);
    const left = bench();
    left.result.subscription.unsubscribe();
    expect(left.scheduler.actions).toHaveLength(0);
  });

  it('reads no clock for an item', () => {
    const inner = new VirtualTimeScheduler();
    let reads = 0;
    const scheduler: SchedulerLike = {
      now() {
        reads += 1;
        return inner.now();
      },
      schedule: (...args) => inner.schedule(...(args as Parameters<typeof inner.schedule>)),
    };
    const { source } = bench({ scheduler });
    for (let n = 0; n < 1_000; n++) source.next(n);
    expect(reads).toBe(0);
  });

  it('does not take a busy event loop for a silent source', () => {
    let now = 0;
    const due: { at: number; work: () => void }[] = [];
    const scheduler = {
      now: () => now,
      schedule(work: () => void, delay = 0) {
        due.push({ at: now + delay, work });
        return new Subscription();
      },
    };
    const ring = () => {
      const next = due.shift()!;
      now = Math.max(now, next.at);
      next.work();
    };
    const { source, result } = bench({ scheduler: scheduler as SchedulerLike });
    ring();
    // Nothing could run for a second, and nothing could be read.
    now += 1_000;
    ring();
    source.next(1);
    ring();
    expect(result).toMatchObject({ values: [1], error: undefined });
    for (let looks = 0; looks < 20; looks++) ring();
    expect(isStaleStreamError(result.error)).toBe(true);
  });

  it('fails when its calendar throws', () => {
    let asked = 0;
    const fault = new Error('no such year');
    const { result, scheduler, passTime } = bench({
      calendar: {
        isOpen() {
          asked += 1;
          if (asked > 3) throw fault;
          return true;
        },
        nextChange: (at) => at + 1,
      },
    });
    expect(() => passTime(50)).not.toThrow();
    expect(result.error).toBe(fault);
    expect(scheduler.actions).toHaveLength(0);
  });

  it('asks its calendar once a change, and again after a clock that was set back', () => {
    const asked: number[] = [];
    const { clock, source, result, passTime } = bench({
      calendar: {
        isOpen(at) {
          asked.push(at);
          return at < 1_000;
        },
        nextChange: (at) => (at < 1_000 ? 1_000 : Number.POSITIVE_INFINITY),
      },
    });
    for (let n = 0; n < 9; n++) {
      passTime(90);
      source.next(n);
    }
    expect(asked).toEqual([0]);
    clock.errorMs = -400;
    passTime(10);
    expect(asked).toEqual([0, 415]);
    for (let n = 0; n < 9; n++) {
      source.next(n);
      passTime(90);
    }
    expect(asked).toEqual([0, 415, 1_000]);
    expect(result.error).toBeUndefined();
  });

  it('looks at the clock now and then while the market is closed, for it may be put right', () => {
    const opensAt = 10_000_000;
    const calendar = {
      isOpen: (at: number) => at >= opensAt,
      nextChange: (at: number) => (at < opensAt ? opensAt : 2 * opensAt),
    };
    const { clock, result, passTime } = bench({ calendar });
    passTime(1);
    clock.errorMs = opensAt;
    passTime(60_000 + 100);
    expect(isStaleStreamError(result.error)).toBe(true);
  });

  it('is not silenced by a clock that is set back', () => {
    const { clock, result, passTime } = bench();
    passTime(50);
    clock.errorMs = -1_000_000;
    passTime(50);
    expect(isStaleStreamError(result.error)).toBe(true);
  });

  it('releases its source when one item is enough', () => {
    const scheduler = new VirtualTimeScheduler();
    const result = record(fromIterable([1, 2, 3]).pipe(watchdog({ staleAfterMs: 5, scheduler }), take(1)));
    expect(result).toMatchObject({ values: [1], completed: true });
    expect(scheduler.actions).toHaveLength(0);
  });

  it('stops listening to the gate when it is over', () => {
    let listening = 0;
    class CountingGate extends Gate {
      override readonly state$ = new Observable<GateState>(() => {
        listening += 1;
        return () => {
          listening -= 1;
        };
      });
    }
    const { result } = bench({}, new CountingGate());
    expect(listening).toBe(1);
    result.subscription.unsubscribe();
    expect(listening).toBe(0);
  });
});
