import { NEVER, of, type SchedulerLike, Subject, timer, VirtualTimeScheduler } from 'rxjs';
import { finalize, map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { WriteReceipt } from '../../contracts/sink.js';

describe('a time limit', () => {
  it('lets go of a write that hangs, and counts it as a failed attempt', () => {
    let open = 0;
    const hanging = NEVER.pipe(finalize(() => (open -= 1)));
    const { source, calls, advance, result } = bench(
      (_, call) => {
        open += 1;
        return call === 1 ? hanging : of({ rows: 1 }).pipe(finalize(() => (open -= 1)));
      },
      { timeoutMs: 100, retry: steady },
    );
    source.next([1]);
    advance(99);
    expect(open).toBe(1);
    advance(1);
    expect(open).toBe(0);
    advance(10);
    expect(calls.map(({ at }) => at)).toEqual([0, 110]);
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
  });

  it('is that of each attempt, whatever came before', () => {
    const { source, advance, result, calls } = bench((_, call) => (call === 3 ? NEVER : of({ rows: 1 })), {
      timeoutMs: 100,
    });
    source.next([1]);
    advance(60);
    source.next([2]);
    advance(60);
    source.next([3]);
    advance(99);
    expect(result.error).toBeUndefined();
    advance(1);
    expect(result.error).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
    expect(calls).toHaveLength(3);
  });

  it('is not prolonged by writes that begin later', () => {
    const { source, advance, result } = bench((_, call) => (call === 1 ? NEVER : of({ rows: 1 })), {
      concurrency: 2,
      timeoutMs: 100,
    });
    source.next([1]);
    for (let n = 0; n < 3; n++) {
      advance(30);
      source.next([2]);
    }
    expect(result.error).toBeUndefined();
    advance(10);
    expect(result.error).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
  });

  it('is that of each write under way, whichever of the others have ended', () => {
    for (const ended of [0, 1, 2]) {
      const writes = Array.from({ length: 3 }, () => new Subject<WriteReceipt>());
      const { source, advance, result } = bench((_, call) => writes[call - 1]!, { concurrency: 3, timeoutMs: 100 });
      for (const item of [1, 2, 3]) source.next([item]);
      writes[ended]!.next({ rows: 1 });
      writes[ended]!.complete();
      advance(100);
      expect(result.values).toMatchObject([{ status: 'written', items: [ended + 1] }]);
      expect(result.error).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
      expect(writes.map(({ observed }) => observed)).toEqual([false, false, false]);
    }
  });

  it('takes no answer of an attempt whose time ran out before the sink had released it', () => {
    const answers = [new Subject<WriteReceipt>(), new Subject<WriteReceipt>()];
    const { source, calls, advance, result } = bench(
      (_, call) => answers[call - 1]!.pipe(finalize(() => (call === 1 ? advance(200) : undefined))),
      { timeoutMs: 100, retry: steady },
    );
    source.next([1]);
    answers[0]!.next({ rows: 1 });
    answers[0]!.complete();
    expect(calls.map(({ at }) => at)).toEqual([0, 110]);
    expect(result.values).toEqual([]);
    answers[1]!.next({ rows: 1 });
    answers[1]!.complete();
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
  });

  it('holds when the clock is set back, and so does the duration of a write', () => {
    const virtual = new VirtualTimeScheduler();
    let offset = 0;
    const scheduler: SchedulerLike = {
      now: () => virtual.now() + offset,
      schedule: virtual.schedule.bind(virtual) as SchedulerLike['schedule'],
    };
    const { source, result } = bench(
      (_, call) => (call === 1 ? NEVER : timer(20, virtual).pipe(map(() => ({ rows: 1 })))),
      { timeoutMs: 100, retry: steady, scheduler },
    );
    source.next([1]);
    for (const at of [50, 215]) {
      virtual.schedule(() => {
        offset -= 3_600_000;
      }, at);
    }
    virtual.maxFrames = 1_000;
    virtual.flush();
    // Let go of at 200, when it has had its whole time by the new clock.
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
    expect(virtual.frame).toBeLessThan(400);
    expect(result.values[0]!.durationMs).toBeGreaterThanOrEqual(110);
  });

  it('does not ring for ever at one time that is no whole number', () => {
    const { source, advance, scheduler, calls, result } = bench(() => NEVER, { timeoutMs: 25 });
    const schedule = scheduler.schedule.bind(scheduler);
    let timers = 0;
    scheduler.schedule = (work, delay, state) => {
      timers += 1;
      if (timers > 100) throw new Error('rings for ever');
      return schedule(work, delay, state as never);
    };
    // What is left of 25 after it is 0.000000000000004, and adds nothing to a time of that size.
    scheduler.schedule(() => source.next([1]), 7.02);
    advance(100);
    expect(calls).toHaveLength(1);
    expect(result.error).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
  });

  it('leaves no timer behind', () => {
    const { source, scheduler } = bench(() => of({ rows: 1 }), { timeoutMs: 100 });
    source.next([1]);
    source.complete();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});

it('a slow commit of the batch before is not mistaken for the next one', () => {
  const { source, advance, result, scheduler } = bench(() => timer(50, scheduler).pipe(map(() => ({ rows: 1 }))), {
    timeoutMs: 100,
  });
  for (let n = 0; n < 5; n++) source.next([n]);
  advance(1_000);
  expect(result.values.map(({ items }) => items[0])).toEqual([0, 1, 2, 3, 4]);
});
