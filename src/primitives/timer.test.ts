import { type SchedulerLike, Subscription, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Timer } from './timer.js';

function bench() {
  const scheduler = new VirtualTimeScheduler();
  const rung: number[] = [];
  const alarm = new Timer(scheduler, () => rung.push(scheduler.now()));
  return { scheduler, rung, alarm };
}

describe('Timer', () => {
  it('rings once, when it was set for', () => {
    const { scheduler, rung, alarm } = bench();
    expect(alarm.isSet).toBe(false);
    alarm.set(5);
    expect(alarm.isSet).toBe(true);
    scheduler.flush();
    expect(rung).toEqual([5]);
    expect(alarm.isSet).toBe(false);
  });

  it('rings when it was last set for, and not before', () => {
    const { scheduler, rung, alarm } = bench();
    alarm.set(5);
    alarm.set(9);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toHaveLength(1);
    scheduler.flush();
    expect(rung).toEqual([9]);
  });

  it('does not ring once it is cancelled', () => {
    const { scheduler, rung, alarm } = bench();
    alarm.set(5);
    alarm.cancel();
    expect(alarm.isSet).toBe(false);
    expect(scheduler.actions).toHaveLength(0);
    scheduler.flush();
    expect(rung).toEqual([]);
  });

  it('may be set again when it rings', () => {
    const scheduler = new VirtualTimeScheduler();
    const rung: number[] = [];
    const alarm = new Timer(scheduler, () => {
      rung.push(scheduler.now());
      if (rung.length < 3) alarm.set(rung.length);
    });
    alarm.set(1);
    scheduler.flush();
    expect(rung).toEqual([1, 2, 4]);
  });

  it('waits also longer than a timer can, and can be cancelled on the way', () => {
    const { scheduler, rung, alarm } = bench();
    const span = 2 ** 31 - 1;
    alarm.set(3 * span + 7);
    scheduler.maxFrames = 2 * span;
    scheduler.flush();
    expect(alarm.isSet).toBe(true);
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    scheduler.flush();
    expect(rung).toEqual([3 * span + 7]);
    alarm.set(2 * span);
    scheduler.maxFrames = scheduler.frame + span;
    scheduler.flush();
    alarm.cancel();
    scheduler.maxFrames = Number.POSITIVE_INFINITY;
    scheduler.flush();
    expect(rung).toHaveLength(1);
  });

  it('can be cancelled after it was set anew inside of set(), on a scheduler that runs its work at once', () => {
    const timers: Subscription[] = [];
    const atOnce = {
      now: () => 0,
      schedule(work: () => void, delay = 0) {
        const timer = new Subscription();
        if (delay === 0) work();
        else timers.push(timer);
        return timer;
      },
    };
    let rung = 0;
    const alarm = new Timer(atOnce as SchedulerLike, () => {
      rung += 1;
      if (rung === 1) alarm.set(1_000);
    });
    alarm.set(0);
    expect(rung).toBe(1);
    expect(alarm.isSet).toBe(true);
    alarm.cancel();
    expect(alarm.isSet).toBe(false);
    expect(timers.map(({ closed }) => closed)).toEqual([true]);
  });
});
