import { type SchedulerAction, type SchedulerLike, Subscription, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { SourceTurn, TimeSlice } from './timeSlice.js';

function bench() {
  const scheduler = new VirtualTimeScheduler();
  const schedule = vi.spyOn(scheduler, 'schedule');
  const log: string[] = [];
  const slice = TimeSlice.of(scheduler);
  /** Takes `ms` of the clock when it is resumed. */
  const wait = (name: string, ms = 0, yieldAfterMs = 20) =>
    slice.wait(() => {
      log.push(`${name}@${scheduler.frame}`);
      scheduler.frame += ms;
    }, yieldAfterMs);
  return { scheduler, schedule, log, slice, wait };
}

describe('TimeSlice', () => {
  it('is one for each scheduler', () => {
    const [one, other] = [new VirtualTimeScheduler(), new VirtualTimeScheduler()];
    expect(TimeSlice.of(one)).toBe(TimeSlice.of(one));
    expect(TimeSlice.of(one)).not.toBe(TimeSlice.of(other));
  });

  it('resumes those in line in order while the slice lasts, and the rest in the next', () => {
    const { scheduler, schedule, log, slice, wait } = bench();
    for (const name of ['a', 'b', 'c', 'd', 'e']) wait(name, 10);
    expect(schedule).toHaveBeenCalledTimes(1);
    expect(slice.waiting).toBe(5);
    scheduler.flush();
    expect(log).toEqual(['a@0', 'b@10', 'c@20', 'd@30', 'e@40']);
    // Two in each of the first two slices.
    expect(schedule).toHaveBeenCalledTimes(3);
    expect(slice.turns).toBe(3);
  });

  it('resumes one at least, also without any time and when the clock is set back', () => {
    const { scheduler, schedule, log, wait } = bench();
    wait('a', -1_000);
    wait('b', 0, 0);
    wait('c', 0, 0);
    scheduler.flush();
    expect(log.map((entry) => entry[0])).toEqual(['a', 'b', 'c']);
    expect(schedule).toHaveBeenCalledTimes(3);
  });

  it('resumes who joins while it resumes, in the same slice if there is time', () => {
    const { scheduler, schedule, log, slice, wait } = bench();
    slice.wait(() => void wait('late'), 20);
    wait('next');
    scheduler.flush();
    expect(log).toEqual(['next@0', 'late@0']);
    expect(schedule).toHaveBeenCalledTimes(1);
  });

  it('does not resume who withdraws, and cancels its action with the last', () => {
    const { scheduler, schedule, log, slice, wait } = bench();
    const [first, second, third] = [wait('first'), wait('second'), wait('third')];
    second();
    second();
    scheduler.flush();
    expect(log).toEqual(['first@0', 'third@0']);
    first();
    const last = wait('last');
    expect(schedule).toHaveBeenCalledTimes(2);
    third();
    expect(scheduler.actions).toHaveLength(1);
    last();
    expect(scheduler.actions).toEqual([]);
    expect(slice.waiting).toBe(0);
    wait('again');
    scheduler.flush();
    expect(log.at(-1)).toBe('again@0');
  });

  it('lets one that is resumed withdraw another', () => {
    const { scheduler, log, slice, wait } = bench();
    slice.wait(() => withdraw(), 20);
    const withdraw = wait('withdrawn');
    wait('last');
    scheduler.flush();
    expect(log).toEqual(['last@0']);
  });

  it('goes on with the others in a later slice when one throws', () => {
    const works: (() => void)[] = [];
    const scheduler: SchedulerLike = {
      now: () => 0,
      schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, _delay?: number, state?: S) {
        works.push(() => work.call(Subscription.EMPTY as SchedulerAction<S>, state));
        return new Subscription();
      },
    };
    const slice = TimeSlice.of(scheduler);
    const failure = new Error('resume');
    let resumed = 0;
    slice.wait(() => {
      throw failure;
    }, 20);
    slice.wait(() => {
      resumed += 1;
    }, 20);
    expect(works).toHaveLength(1);
    expect(works[0]).toThrow(failure);
    expect([works.length, resumed]).toEqual([2, 0]);
    works[1]?.();
    expect([works.length, resumed]).toEqual([2, 1]);
  });
});

describe('SourceTurn', () => {
  it('looks at the clock down to every item where they are slow, and relaxes where they are fast', () => {
    const scheduler = new VirtualTimeScheduler();
    const turn = new SourceTurn(scheduler, 1e9);
    const intervals: number[] = [];
    const pass = (looks: number, msAnItem: number) => {
      for (let look = 0; look < looks; look++) {
        scheduler.frame += turn.itemsPerCheck * msAnItem;
        turn.isOver();
        intervals.push(turn.itemsPerCheck);
      }
    };
    turn.run(() => {
      expect(turn.itemsPerCheck).toBe(32);
      pass(5, 0.001);
      pass(2, 1);
      pass(2, 5);
      pass(10, 0);
    });
    expect(intervals).toEqual([64, 128, 256, 256, 256, 2, 2, 1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
  });

  it('begins as often as the last one looked', () => {
    const scheduler = new VirtualTimeScheduler();
    const slow = new SourceTurn(scheduler, 1e9);
    slow.run(() => {
      scheduler.frame += 640;
      slow.isOver();
    });
    expect(new SourceTurn(scheduler, 20).itemsPerCheck).toBe(1);
    expect(new SourceTurn(new VirtualTimeScheduler(), 20).itemsPerCheck).toBe(32);
  });

  it('has a whole slice again after it has waited, or others have for it', () => {
    const scheduler = new VirtualTimeScheduler();
    const [one, other] = [new SourceTurn(scheduler, 20), new SourceTurn(scheduler, 20)];
    const over: boolean[] = [];
    const look = (turn: SourceTurn) => turn.run(() => void over.push(turn.isOver()));
    look(one);
    look(other);
    scheduler.frame += 20;
    look(one);
    one.wait(() => look(one));
    scheduler.flush();
    look(other);
    scheduler.frame += 20;
    look(other);
    expect(over).toEqual([false, false, true, false, false, true]);
  });

  it('has what is left of the time of the one that set it going', () => {
    const scheduler = new VirtualTimeScheduler();
    const [outer, inner] = [new SourceTurn(scheduler, 20), new SourceTurn(scheduler, 20)];
    outer.run(() => {
      scheduler.frame += 19;
      inner.run(() => {
        expect(inner.isOver()).toBe(false);
        scheduler.frame += 1;
        expect(inner.isOver()).toBe(true);
      });
      expect(outer.isOver()).toBe(true);
    });
  });

  it('must wait while others do, and resumes only if it has not left the queue', () => {
    const scheduler = new VirtualTimeScheduler();
    const [one, other] = [new SourceTurn(scheduler, 20), new SourceTurn(scheduler, 20)];
    expect(other.mustWait).toBe(false);
    const resumed: string[] = [];
    one.wait(() => resumed.push('one'));
    expect([TimeSlice.of(scheduler).waiting, other.mustWait]).toEqual([1, true]);
    scheduler.flush();
    expect([TimeSlice.of(scheduler).waiting, other.mustWait]).toEqual([0, false]);
    one.wait(() => resumed.push('again'));
    one.cancel();
    scheduler.flush();
    expect(resumed).toEqual(['one']);
  });
});
