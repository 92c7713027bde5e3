import {
  merge,
  queueScheduler,
  type SchedulerAction,
  type SchedulerLike,
  Subscription,
  tap,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { observe } from '../../test/support/collect.js';
import { naturals } from '../../test/support/sources.js';
import { Gate } from './gate.js';
import { gatedSource } from './gatedSource.js';

const pumped = (end: number, scheduler: SchedulerLike, yieldAfterMs = 20) =>
  naturals(end, { name: 'pumped', scheduler, yieldAfterMs });

describe('Pump', () => {
  it('shares the slice of its scheduler with other sources', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = observe(
      merge(...Array.from({ length: 20 }, () => pumped(100, scheduler))).pipe(tap(() => (scheduler.frame += 1))),
    );
    // Each looks at the clock after 32 items at first.
    expect(scheduler.frame).toBeLessThan(33);
    expect(scheduler.actions).toHaveLength(1);
    scheduler.flush();
    expect(seen.items).toHaveLength(2_000);
  });

  it('leaves the queue when it is unsubscribed', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen = observe(pumped(1_000, scheduler, 0));
    expect(scheduler.actions).toHaveLength(1);
    seen.unsubscribe();
    expect(scheduler.actions).toEqual([]);
    scheduler.flush();
    expect(seen.items).toHaveLength(32);
  });

  it('is queued when its gate opens while others do', () => {
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate('closed');
    const woken = observe(pumped(10, scheduler), gate);
    observe(pumped(1_000, scheduler, 0));
    gate.open();
    expect(woken.items).toEqual([]);
    scheduler.flush();
    expect(woken.items).toHaveLength(10);
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
      expect(observe(pumped(50_000, scheduler, 0)).items).toHaveLength(50_000);
    }
  });

  it('yields when the clock was set back', () => {
    const scheduler = new VirtualTimeScheduler();
    let clock = 1e12;
    scheduler.now = () => clock;
    const setBack = tap((n: number) => {
      if (n === 100) clock -= 3_600_000;
    });
    const seen = observe(pumped(10_000, scheduler).pipe(setBack));
    expect(seen.items.length).toBeLessThan(500);
    scheduler.flush();
    expect(seen.items).toHaveLength(10_000);
  });

  it('rests when there is nothing to produce, and goes on when it is woken', () => {
    const ready: number[] = [];
    let asked = 0;
    let wake = () => {};
    const source = gatedSource<number>({ name: 'resting' }, (outlet) => {
      wake = () => outlet.wake();
      outlet.pump(() => {
        asked += 1;
        const item = ready.shift();
        if (item === undefined) return false;
        outlet.next(item);
        return true;
      });
    });
    const seen = observe(source);
    expect([seen.items, asked]).toEqual([[], 1]);
    ready.push(1, 2);
    wake();
    expect([seen.items, asked]).toEqual([[1, 2], 4]);
    seen.unsubscribe();
    ready.push(3);
    wake();
    expect([seen.items, asked]).toEqual([[1, 2], 4]);
  });

  it('does not miss that it was woken while it produced', () => {
    let asked = 0;
    const source = gatedSource<number>({ name: 'woken' }, (outlet) => {
      outlet.pump(() => {
        asked += 1;
        if (asked === 1) outlet.wake();
        return false;
      });
    });
    observe(source);
    expect(asked).toBe(2);
  });

  it('has a clock that begins with the first question and stands still at the gate', () => {
    const scheduler = new VirtualTimeScheduler();
    const gate = new Gate();
    const times: number[] = [];
    const source = gatedSource<number>({ name: 'timed', scheduler }, (outlet) => {
      outlet.pump(() => {
        const now = outlet.now();
        if (times.length > 0 && now < times.length * 10) {
          outlet.sleepUntil(times.length * 10);
          return false;
        }
        times.push(now);
        outlet.next(now);
        return true;
      });
    });
    const seen = observe(source, gate);
    scheduler.schedule(() => gate.close(), 15);
    scheduler.schedule(() => gate.open(), 115);
    scheduler.maxFrames = 150;
    scheduler.flush();
    // It came to the gate at 20: the time from there to 115 does not count.
    expect(seen.items).toEqual([0, 10, 20, 30, 40, 50]);
    seen.unsubscribe();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
