import {
  AsyncSubject,
  merge,
  of,
  queueScheduler,
  ReplaySubject,
  range,
  repeat,
  type SchedulerAction,
  type SchedulerLike,
  Subscription,
  VirtualTimeScheduler,
} from 'rxjs';
import { concatMap, map, retry, take, tap } from 'rxjs/operators';
import { describe, expect, it, vi } from 'vitest';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { pace } from '../operators/pace.js';
import { untilStopped } from '../operators/untilStopped.js';
import { NO_CONTEXT } from './context.js';
import { Gate } from './gate.js';
import { gatedSource, type Outlet } from './gatedSource.js';
import { PipelineMonitor } from './monitor.js';
import { TimeSlice } from './timeSlice.js';
import { withContext } from './withContext.js';

/** A clock that stands still: however slow the machine is, a source on it does not yield. */
const scheduler = new VirtualTimeScheduler();

/** Counts from 0 to `end`, exclusive. */
const numbers = (end: number, config: Partial<Parameters<typeof gatedSource>[0]> = {}, teardown = () => {}) =>
  gatedSource<number>({ name: 'numbers', scheduler, ...config }, (outlet) => {
    let n = 0;
    outlet.pump(() => (n < end ? outlet.next(n++) : outlet.complete()));
    return teardown;
  });

function record() {
  const items: number[] = [];
  const errors: unknown[] = [];
  const observer = {
    items,
    errors,
    completions: 0,
    next: (n: number) => void items.push(n),
    error: (error: unknown) => void errors.push(error),
    complete: () => {
      observer.completions += 1;
    },
  };
  return observer;
}

class TimedScheduler extends VirtualTimeScheduler {
  /** How long each action took. */
  readonly turns: number[] = [];

  override schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay?: number, state?: S): Subscription {
    const scheduler = this;
    return super.schedule<S>(
      function (given) {
        const began = scheduler.frame;
        work.call(this, given);
        scheduler.turns.push(scheduler.frame - began);
      },
      delay,
      state,
    );
  }
}

describe('gatedSource', () => {
  it('emits everything at once where nothing is downstream that can be full', () => {
    const seen = record();
    numbers(1_000).subscribe(seen);
    expect(seen.items).toHaveLength(1_000);
    expect(seen.completions).toBe(1);
  });

  it('stops with the item that closes the gate, and goes on with the next when it opens', () => {
    const gate = new Gate();
    const seen = record();
    numbers(7)
      .pipe(
        map((n) => {
          if (n % 3 === 2) gate.close();
          return n;
        }),
        withContext({ gate }),
      )
      .subscribe(seen);
    expect(seen.items).toEqual([0, 1, 2]);
    expect(gate.waiting).toBe(1);
    gate.open();
    expect(seen.items).toEqual([0, 1, 2, 3, 4, 5]);
    expect(seen.completions).toBe(0);
    gate.open();
    expect(seen.completions).toBe(1);
    expect(gate.waiting).toBe(0);
  });

  it('does not begin while the gate is closed', () => {
    const gate = new Gate('closed');
    const seen = record();
    numbers(2).pipe(withContext({ gate })).subscribe(seen);
    expect(seen.items).toEqual([]);
    gate.open();
    expect(seen.items).toEqual([0, 1]);
  });

  it('takes turns with another source at one gate', () => {
    const gate = new Gate('closed');
    const turns: string[] = [];
    const turn = (name: string) =>
      numbers(3)
        .pipe(withContext({ gate }))
        .subscribe((n) => {
          turns.push(`${name}${n}`);
          gate.close();
        });
    turn('a');
    turn('b');
    for (let i = 0; i < 8; i++) gate.open();
    expect(turns).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  });

  it('yields to the event loop when it has run for long enough, and resumes where it was', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = record();
    // Each item takes a tenth of a millisecond of the scheduler's time.
    numbers(1_000, { scheduler, yieldAfterMs: 20 })
      .pipe(
        map((n) => {
          scheduler.frame += 0.1;
          return n;
        }),
      )
      .subscribe(seen);
    // It looks at the clock about every 2 ms.
    expect(seen.items.length).toBeGreaterThanOrEqual(200);
    expect(seen.items.length).toBeLessThanOrEqual(232);
    scheduler.flush();
    expect(seen.items).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    expect(seen.completions).toBe(1);
  });

  it('has its whole time again after it has yielded', () => {
    const scheduler = new VirtualTimeScheduler();
    const schedule = vi.spyOn(scheduler, 'schedule');
    const seen = record();
    // 1,000 items take 100 ms.
    numbers(1_000, { scheduler, yieldAfterMs: 60 })
      .pipe(
        map((n) => {
          scheduler.frame += 0.1;
          return n;
        }),
      )
      .subscribe(seen);
    expect(seen.items.length).toBeLessThan(650);
    scheduler.flush();
    expect(seen.items).toHaveLength(1_000);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('does not go on after it has yielded and is unsubscribed', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = record();
    const subscription = numbers(1_000, { scheduler, yieldAfterMs: 0 }).subscribe(seen);
    expect(seen.items).toHaveLength(32);
    subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  it('waits at the gate that closed while it had yielded', () => {
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate();
    const seen = record();
    numbers(300, { scheduler, yieldAfterMs: 0 }).pipe(withContext({ gate })).subscribe(seen);
    gate.close();
    scheduler.flush();
    expect(seen.items).toHaveLength(32);
    gate.open();
    scheduler.flush();
    expect(seen.items).toHaveLength(300);
  });

  it('completes when the pipeline is to drain, also while it waits', () => {
    const stopping = new AsyncSubject<void>();
    const gate = new Gate('closed');
    const seen = record();
    let torn = 0;
    const source$ = numbers(5, {}, () => {
      torn += 1;
    });
    source$.pipe(withContext({ stopping, gate })).subscribe(seen);
    stopping.next();
    stopping.complete();
    expect(seen).toMatchObject({ items: [], completions: 1 });
    expect(torn).toBe(1);
    expect(gate.waiting).toBe(0);
  });

  it('completes by its scheduler, without connecting, when the pipeline is stopping already', () => {
    const scheduler = new VirtualTimeScheduler();
    const connect = vi.fn();
    const late$ = gatedSource<number>({ name: 'late', scheduler }, connect).pipe(
      withContext({ stopping: of(undefined) }),
    );
    const seen = record();
    late$.subscribe(seen);
    expect(seen.completions).toBe(0);
    scheduler.flush();
    expect(seen.completions).toBe(1);
    late$.subscribe().unsubscribe();
    expect(scheduler.actions).toEqual([]);
    expect(connect).not.toHaveBeenCalled();
  });

  it('does not fill the stack with repetitions of what has stopped', () => {
    const scheduler = new VirtualTimeScheduler();
    const stopping = new ReplaySubject<void>(1);
    const errors: unknown[] = [];
    const subscription = numbers(3, { scheduler })
      .pipe(repeat(), pace({ rate: 1, perMs: 1, scheduler }), batch({ size: 2, scheduler }), withContext({ stopping }))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    stopping.next();
    subscription.unsubscribe();
    expect(errors).toEqual([]);
    expect(scheduler.actions).toEqual([]);
  });

  it('ends at once behind repeat() and untilStopped(), with what was on its way', () => {
    const scheduler = new VirtualTimeScheduler();
    const stopping = new ReplaySubject<void>(1);
    const seen: (readonly number[])[] = [];
    let completed = false;
    numbers(3, { scheduler })
      .pipe(
        repeat(),
        untilStopped(),
        pace({ rate: 1, perMs: 10, scheduler }),
        batch({ size: 100, scheduler }),
        withContext({ stopping }),
      )
      .subscribe({ next: (items) => seen.push(items), complete: () => (completed = true) });
    scheduler.schedule(() => stopping.next(), 45);
    scheduler.flush();
    expect(seen).toEqual([[0, 1, 2, 0, 1]]);
    expect(completed).toBe(true);
    expect(scheduler.now()).toBeLessThanOrEqual(60);
  });

  it('runs to its end on stopping where it is not to stop, also when it was told before', () => {
    for (const before of [true, false]) {
      const stopping = new ReplaySubject<void>(1);
      const gate = new Gate('closed');
      const seen = record();
      if (before) stopping.next();
      numbers(3, { stops: false }).pipe(withContext({ gate, stopping })).subscribe(seen);
      if (!before) stopping.next();
      expect(seen).toMatchObject({ items: [], completions: 0 });
      gate.open();
      expect(seen).toMatchObject({ items: [0, 1, 2], completions: 1 });
      expect(stopping.observed).toBe(false);
    }
  });

  it('goes on where the scheduler runs its work inside of schedule()', () => {
    let clock = 0;
    const now = () => clock++;
    const immediate: SchedulerLike = {
      now,
      schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, _delay?: number, state?: S) {
        work.call(Subscription.EMPTY as SchedulerAction<S>, state);
        return Subscription.EMPTY;
      },
    };
    const queue: SchedulerLike = { now, schedule: queueScheduler.schedule.bind(queueScheduler) };
    for (const scheduler of [immediate, queue]) {
      const seen = record();
      merge(numbers(20_000, { scheduler, yieldAfterMs: 0 }), numbers(20_000, { scheduler, yieldAfterMs: 1 })).subscribe(
        seen,
      );
      expect(seen.items).toHaveLength(40_000);
      expect(seen.completions).toBe(1);
    }
  });

  it('yields when the clock was set back, and not only when it has caught up', () => {
    const scheduler = new VirtualTimeScheduler();
    let clock = 1e12;
    scheduler.now = () => clock;
    const seen = record();
    numbers(10_000, { scheduler })
      .pipe(
        tap((n) => {
          if (n === 100) clock -= 3_600_000;
        }),
      )
      .subscribe(seen);
    expect(seen.items.length).toBeLessThan(500);
    scheduler.flush();
    expect(seen.items).toHaveLength(10_000);
  });

  describe('on one scheduler', () => {
    /** A virtual clock that goes on by `costMs` with each item; `turns` is how long each action took. */
    function paid(costMs: number) {
      const scheduler = new TimedScheduler();
      const { turns } = scheduler;
      const pay = <T>() =>
        tap<T>(() => {
          scheduler.frame += costMs;
        });
      return { scheduler, turns, pay };
    }

    it('keeps the event loop waiting for one slice, however many sources are merged', () => {
      for (const count of [1, 20, 100]) {
        const { scheduler, turns, pay } = paid(0.125);
        const seen = record();
        const sources = Array.from({ length: count }, () => numbers(500, { scheduler }));
        merge(...sources)
          .pipe(pay())
          .subscribe(seen);
        expect(scheduler.frame, `${count} sources, subscribing`).toBeLessThan(25);
        scheduler.flush();
        expect(seen.items).toHaveLength(count * 500);
        expect(Math.max(...turns), `${count} sources`).toBeLessThan(25);
      }
    });

    it('gives each source its turn', () => {
      const { scheduler, pay } = paid(1);
      const order: string[] = [];
      const named = (name: string) => numbers(60, { scheduler }).pipe(map(() => name));
      merge(named('a'), named('b'), named('c'))
        .pipe(pay())
        .subscribe((name) => void (order.at(-1) === name || order.push(name)));
      scheduler.flush();
      expect(order.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    });

    it('looks at the clock more often where each item takes long', () => {
      const { scheduler, turns, pay } = paid(2);
      const seen = record();
      numbers(200, { scheduler }).pipe(pay()).subscribe(seen);
      expect(seen.items.length).toBeLessThanOrEqual(32);
      scheduler.flush();
      expect(seen.items).toHaveLength(200);
      expect(turns.slice(0, -1).every((ms) => ms === 20)).toBe(true);
    });

    it('waits in line when it starts, or is woken, while others do: it produces nothing before', () => {
      const { scheduler, pay } = paid(1);
      const gate = new Gate('closed');
      const [busy, woken, late] = [record(), record(), record()];
      numbers(10, { scheduler }).pipe(withContext({ gate })).subscribe(woken);
      numbers(100, { scheduler }).pipe(pay()).subscribe(busy);
      expect(busy.items.length).toBeLessThan(100);
      gate.open();
      const subscription = numbers(10, { scheduler }).subscribe(late);
      expect([woken.items, late.items]).toEqual([[], []]);
      subscription.unsubscribe();
      scheduler.flush();
      expect([busy.items.length, woken.items.length, late.items.length]).toEqual([100, 10, 0]);
    });

    it('yields although each item closes its gate', () => {
      const { scheduler, pay } = paid(0.125);
      const gate = new Gate();
      const seen = record();
      numbers(1_000, { scheduler })
        .pipe(
          pay(),
          tap(() => gate.close()),
          withContext({ gate }),
        )
        .subscribe(seen);
      for (let i = 0; i < 999; i++) gate.open();
      expect(seen.items.length).toBeLessThan(200);
      expect(scheduler.actions).toHaveLength(1);
    });

    it('counts short sources that follow one another inside one item of a longer one', () => {
      const { scheduler, turns, pay } = paid(1);
      const seen = record();
      numbers(1, { scheduler })
        .pipe(
          concatMap(() => range(0, 500)),
          concatMap(() => numbers(1, { scheduler })),
          pay(),
        )
        .subscribe(seen);
      expect(scheduler.frame).toBeLessThan(70);
      scheduler.flush();
      expect(seen.items).toHaveLength(500);
      expect(Math.max(...turns)).toBeLessThan(70);
    });

    it('stands in line once, however often it is pumped', () => {
      const { scheduler } = paid(0);
      const seen = record();
      numbers(100, { scheduler, yieldAfterMs: 0 }).subscribe();
      gatedSource<number>({ name: 'twice', scheduler }, (outlet) => {
        let n = 0;
        const produce = () => (n < 3 ? outlet.next(n++) : outlet.complete());
        outlet.pump(produce);
        outlet.pump(produce);
      }).subscribe(seen);
      expect(TimeSlice.of(scheduler).waiting).toBe(2);
      scheduler.flush();
      expect(seen).toMatchObject({ items: [0, 1, 2], completions: 1 });
    });

    it('leaves nothing scheduled when those in line are unsubscribed', () => {
      const { scheduler, pay } = paid(1);
      const subscription = merge(...Array.from({ length: 5 }, () => numbers(100, { scheduler })))
        .pipe(pay())
        .subscribe();
      expect(scheduler.actions).toHaveLength(1);
      subscription.unsubscribe();
      expect(scheduler.actions).toEqual([]);
    });
  });

  it('fails with what produce throws, at once and when the gate wakes it, and not the opener', () => {
    const failure = new Error('cannot read');
    const broken = (at: number) =>
      gatedSource<number>({ name: 'broken', scheduler }, (outlet) => {
        let n = 0;
        outlet.pump(() => {
          if (n === at) throw failure;
          outlet.next(n++);
        });
      });
    const seen = record();
    broken(2).subscribe(seen);
    expect(seen).toMatchObject({ items: [0, 1], errors: [failure], completions: 0 });

    const gate = new Gate('closed');
    const woken = record();
    broken(1).pipe(withContext({ gate })).subscribe(woken);
    gate.open();
    expect(woken).toMatchObject({ items: [0], errors: [failure], completions: 0 });
  });

  it('fails with what a resume throws, and not the opener', () => {
    const gate = new Gate('closed');
    const failure = new Error('cannot resume');
    const seen = record();
    gatedSource<number>({ name: 'broken', scheduler }, (outlet) => {
      outlet.whenOpen(() => {
        throw failure;
      });
    })
      .pipe(withContext({ gate }))
      .subscribe(seen);
    gate.open();
    expect(seen.errors).toEqual([failure]);
  });

  it('stops and tears down when it is unsubscribed half-way', () => {
    const gate = new Gate();
    const seen = record();
    let torn = 0;
    numbers(100, {}, () => {
      torn += 1;
    })
      .pipe(take(3), withContext({ gate }))
      .subscribe(seen);
    expect(seen.items).toEqual([0, 1, 2]);
    expect(torn).toBe(1);

    const waiting = new Gate('closed');
    const subscription = numbers(5)
      .pipe(withContext({ gate: waiting }))
      .subscribe(seen);
    subscription.unsubscribe();
    expect(waiting.waiting).toBe(0);
    waiting.open();
    expect(seen.items).toEqual([0, 1, 2]);
  });

  it('starts afresh for each subscription', () => {
    const source$ = numbers(3);
    const [one, other] = [record(), record()];
    source$.subscribe(one);
    source$.subscribe(other);
    expect([one.items, other.items]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it('keeps one wait of its own: a later one replaces it', () => {
    const gate = new Gate('closed');
    const resumed: string[] = [];
    gatedSource<number>({ name: 'waits', scheduler }, (outlet) => {
      outlet.whenOpen(() => resumed.push('first'));
      outlet.whenOpen(() => resumed.push('second'));
    })
      .pipe(withContext({ gate }))
      .subscribe();
    expect(gate.waiting).toBe(1);
    gate.open();
    expect(resumed).toEqual(['second']);
  });

  it('withdraws the wait that a resume has begun', () => {
    const gate = new Gate();
    gatedSource<number>({ name: 'waits', scheduler }, (outlet) => {
      outlet.whenOpen(() => {
        gate.close();
        outlet.whenOpen(() => {});
      });
    })
      .pipe(withContext({ gate }))
      .subscribe()
      .unsubscribe();
    expect(gate.waiting).toBe(0);
  });

  it('can be pumped once at a time: a pump inside a pump changes nothing', () => {
    const seen = record();
    gatedSource<number>({ name: 'nested', scheduler }, (outlet) => {
      let n = 0;
      const produce = () => {
        outlet.pump(produce);
        if (n < 3) outlet.next(n++);
        else outlet.complete();
      };
      outlet.pump(produce);
    }).subscribe(seen);
    expect(seen.items).toEqual([0, 1, 2]);
  });

  it('counts what it emits and refuses, and takes its account up again after a retry', () => {
    const monitor = new PipelineMonitor();
    let attempt = 0;
    const seen = record();
    gatedSource<number>({ name: 'flapping', scheduler }, (outlet: Outlet<number>) => {
      attempt += 1;
      outlet.next(attempt);
      outlet.drop('unreadable', 2);
      if (attempt < 3) outlet.error(new Error('down'));
      else outlet.complete();
    })
      .pipe(retry(), withContext({ monitor }))
      .subscribe(seen);
    expect(seen.items).toEqual([1, 2, 3]);
    expect(monitor.stages).toHaveLength(1);
    expect(monitor.account()).toMatchObject({
      received: 9,
      delivered: 3,
      dropped: { unreadable: 6 },
      conservation: 0,
    });
  });

  it('is not upstream of a pipeline that is subscribed by accident inside it', () => {
    let found: Gate | undefined;
    const inner$ = gatedSource<number>({ name: 'inner', scheduler }, (outlet) => {
      found = outlet.context.gate;
    });
    numbers(1)
      .pipe(
        tap(() => inner$.subscribe()),
        boundedBuffer(),
      )
      .subscribe();
    expect(found).toBe(NO_CONTEXT.gate);
  });
});
