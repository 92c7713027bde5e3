import {
  merge,
  queueScheduler,
  range,
  type SchedulerAction,
  type SchedulerLike,
  Subscription,
  VirtualTimeScheduler,
} from 'rxjs';
import { concatMap, map, tap } from 'rxjs/operators';
import { describe, expect, it, vi } from 'vitest';
import { recorder } from '../../test/support/record.js';
import { naturals } from '../../test/support/sources.js';
import { Gate } from './gate.js';
import { type GatedSourceConfig, gatedSource } from './gatedSource.js';
import { TimeSlice } from './timeSlice.js';
import { withContext } from './withContext.js';

/** A clock that stands still: however slow the machine is, a source on it does not yield. */
const scheduler = new VirtualTimeScheduler();

const numbers = (end: number, config: Partial<GatedSourceConfig> = {}, teardown?: () => void) =>
  naturals(end, { name: 'numbers', scheduler, yieldAfterMs: 20, ...config }, teardown);

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
  it('yields to the event loop when it has run for long enough, and resumes where it was', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = recorder();
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
    const seen = recorder();
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
    const seen = recorder();
    const subscription = numbers(1_000, { scheduler, yieldAfterMs: 0 }).subscribe(seen);
    expect(seen.items).toHaveLength(32);
    subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  it('waits at the gate that closed while it had yielded', () => {
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate();
    const seen = recorder();
    numbers(300, { scheduler, yieldAfterMs: 0 }).pipe(withContext({ gate })).subscribe(seen);
    gate.close();
    scheduler.flush();
    expect(seen.items).toHaveLength(32);
    gate.open();
    scheduler.flush();
    expect(seen.items).toHaveLength(300);
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
      const seen = recorder();
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
    const seen = recorder();
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
        const seen = recorder();
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
      const seen = recorder();
      numbers(200, { scheduler }).pipe(pay()).subscribe(seen);
      expect(seen.items.length).toBeLessThanOrEqual(32);
      scheduler.flush();
      expect(seen.items).toHaveLength(200);
      expect(turns.slice(0, -1).every((ms) => ms === 20)).toBe(true);
    });

    it('waits in line when it starts, or is woken, while others do: it produces nothing before', () => {
      const { scheduler, pay } = paid(1);
      const gate = new Gate('closed');
      const [busy, woken, late] = [recorder(), recorder(), recorder()];
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
      const seen = recorder();
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
      const seen = recorder();
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
      const seen = recorder();
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
});
