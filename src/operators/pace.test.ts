import {
  asyncScheduler,
  NEVER,
  of,
  range,
  type SchedulerLike,
  Subject,
  Subscription,
  VirtualTimeScheduler,
} from 'rxjs';
import { take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { gatedSource } from '../flow/gatedSource.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { SharedPacer } from '../policies/sharedPacer.js';
import { probeGate } from '../testing/probeGate.js';
import { type PaceConfig, type PaceLimits, pace } from './pace.js';

/** Paces between a Subject, which knows no gate, and a gate that the test moves, on a clock that the test moves. */
function bench(config: PaceConfig<number> & PaceLimits, state: 'open' | 'closed' = 'open') {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const clock = new VirtualTimeScheduler();
  const source = new Subject<number>();
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const result = record(source.pipe(probe, pace({ scheduler: clock, ...config }), withContext({ gate, monitor })));
  const stage = monitor.stages[0]!;
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  const passMs = (ms: number) => {
    clock.maxFrames = clock.frame + ms;
    clock.flush();
    clock.frame = clock.maxFrames;
  };
  return { gate, monitor, clock, source, push, passMs, result, stage, moves };
}

describe('pace', () => {
  it.each([
    [{}, 'pace: give either rate or a profile or a pacer, got neither'],
    [
      { rate: 1, perMs: 1, profile: { windows: [{ limit: 1, perMs: 1 }] } },
      'pace: give either rate or a profile or a pacer, got both',
    ],
    [{ rate: 0, perMs: 10 }, 'pace: rate must be an integer of at least 1, got 0'],
    [{ rate: 2.5, perMs: 10 }, 'pace: rate must be an integer of at least 1, got 2.5'],
    [{ rate: 1, perMs: -5 }, 'pace: perMs must be an integer of at least 1, got -5'],
    [{ rate: Infinity, perMs: -5 }, 'pace: perMs must be an integer of at least 1, got -5'],
    [{ rate: 1, perMs: 10, burst: 0 }, 'pace: burst must be an integer from 1 to'],
    [{ rate: 1, perMs: 10, weight: 2 as never }, 'pace: weight must be a function, got 2'],
    [{ rate: 1, perMs: 10, brust: 2 } as never, 'pace: unknown option "brust"'],
    [{ profile: { windows: [] } }, 'pace: profile: windows must be an array that is not empty, got an array'],
    [{ profile: { windows: [{ limit: 0, perMs: 1 }] } }, 'pace: profile: windows[0]: limit must be an integer'],
    [{ profile: { windows: [{ limit: 1, perMs: 1 }] }, burst: 2 }, 'pace: burst goes with rate'],
    [{ profile: { windows: [], maxOpen: 1 } }, 'pace: a profile with maxOpen must be told when a request is over'],
    [{ rate: 1, priority: 'live' } as const, 'pace: priority goes with pacer'],
    [{ pacer: new SharedPacer<number>(), rate: 1 }, 'pace: rate does not go with a pacer'],
    [
      { pacer: new SharedPacer<number>(), priority: 'soon' as never },
      'pace: priority must be one of "live", "history"',
    ],
    [{ pacer: {} as never }, 'pace: the ask of its pacer must be a function'],
    [
      { pacer: new SharedPacer<number>({ profile: { windows: [], maxOpen: 1 } }) },
      'pace: a profile with maxOpen must be told',
    ],
  ])('refuses %j when it is made', (given: PaceConfig<number>, message) => {
    // As JavaScript may call it.
    const config = given as PaceConfig<number> & PaceLimits;
    expect(() => pace(config)).toThrow(RangeError);
    expect(() => pace(config)).toThrow(message);
  });

  it('returns the source itself at an infinite rate', () => {
    const source$ = range(0, 3);
    expect(source$.pipe(pace({ rate: Infinity, perMs: 1 }))).toBe(source$);
  });

  it('passes one at once and the rest one by one', () => {
    const { push, passMs, result } = bench({ rate: 1, perMs: 10 });
    push(1, 2, 3);
    expect(result.values).toEqual([1]);
    passMs(9);
    expect(result.values).toEqual([1]);
    passMs(1);
    expect(result.values).toEqual([1, 2]);
    passMs(10);
    expect(result.values).toEqual([1, 2, 3]);
  });

  it('closes its gate with the last token and opens it with the next, also when nothing waits', () => {
    const { push, passMs, moves, clock } = bench({ rate: 1, perMs: 10 });
    push(1);
    expect(moves).toEqual(['o', 'c']);
    passMs(10);
    expect(moves).toEqual(['o', 'c', 'o']);
    expect(clock.actions).toHaveLength(0);
  });

  it('sets no timer while it has tokens', () => {
    const { push, clock, moves } = bench({ rate: 1, perMs: 10, burst: 3 });
    push(1, 2);
    expect(clock.actions).toHaveLength(0);
    expect(moves).toEqual(['o']);
    push(3);
    expect(clock.actions).toHaveLength(1);
    expect(moves).toEqual(['o', 'c']);
  });

  it('keeps one timer, however many wait', () => {
    const { push, clock } = bench({ rate: 1, perMs: 10 });
    push(1, 2, 3, 4, 5);
    expect(clock.actions).toHaveLength(1);
  });

  it('counts weights, asking for each once', () => {
    const asked: number[] = [];
    const weight = (item: number) => {
      asked.push(item);
      return item;
    };
    const { push, passMs, result } = bench({ rate: 1, perMs: 10, burst: 3, weight });
    push(2, 3, 0);
    expect(result.values).toEqual([2]);
    passMs(19);
    expect(result.values).toEqual([2]);
    passMs(1);
    expect(result.values).toEqual([2, 3, 0]);
    expect(asked).toEqual([2, 3, 0]);
  });

  it('holds the windows of a profile, first in line first', () => {
    const { push, passMs, result, moves } = bench({
      profile: {
        windows: [
          { limit: 3, perMs: 100 },
          { limit: 1, perMs: 15, by: (item) => item % 10 },
        ],
      },
    });
    push(1, 11, 2);
    expect(result.values).toEqual([1]);
    expect(moves).toEqual(['o', 'c']);
    passMs(15);
    expect(result.values).toEqual([1, 11, 2]);
    expect(moves).toEqual(['o', 'c']);
    passMs(84);
    expect(moves).toEqual(['o', 'c']);
    passMs(1);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('never emits while downstream is closed, and saves up no more than burst meanwhile', () => {
    const { gate, push, passMs, result, stage, clock } = bench({ rate: 1, perMs: 10, burst: 2 }, 'closed');
    push(1, 2, 3, 4);
    passMs(1_000);
    expect(result.values).toEqual([]);
    expect(clock.actions).toHaveLength(0);
    expect(stage.held).toBe(4);
    gate.open();
    expect(result.values).toEqual([1, 2]);
    passMs(10);
    expect(result.values).toEqual([1, 2, 3]);
  });

  it('stops in the middle when downstream closes, and goes on when it opens', () => {
    const { gate, push, passMs, result } = bench({ rate: 1, perMs: 10 });
    push(1, 2);
    gate.close();
    passMs(50);
    expect(result.values).toEqual([1]);
    gate.open();
    expect(result.values).toEqual([1, 2]);
  });

  it('takes what is pushed while it emits in its turn', () => {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<number>();
    const result = record(
      source.pipe(
        pace({ rate: 1, perMs: 10, burst: 2, scheduler: clock }),
        tap((item) => {
          if (item < 3) source.next(item + 1);
        }),
      ),
    );
    source.next(1);
    expect(result.values).toEqual([1, 2]);
    clock.flush();
    expect(result.values).toEqual([1, 2, 3]);
  });

  it('sends the rest before it completes, and leaves no timer', () => {
    const { source, push, passMs, result, clock, stage } = bench({ rate: 1, perMs: 10 });
    push(1, 2, 3);
    source.complete();
    expect(result.completed).toBe(false);
    passMs(20);
    expect(result).toMatchObject({ values: [1, 2, 3], completed: true });
    expect(clock.actions).toHaveLength(0);
    expect(stage).toMatchObject({ in: 3, out: 3, conservation: 0 });
  });

  it('completes at once when nothing waits, though it is out of tokens', () => {
    const { source, push, result, clock } = bench({ rate: 1, perMs: 10 });
    push(1);
    source.complete();
    expect(result.completed).toBe(true);
    expect(clock.actions).toHaveLength(0);
  });

  it('sends the rest before the error of the source', () => {
    const { source, push, passMs, result } = bench({ rate: 1, perMs: 10 });
    push(1, 2);
    source.error(new Error('lost'));
    expect(result.error).toBeUndefined();
    passMs(10);
    expect(result.values).toEqual([1, 2]);
    expect(result.error).toEqual(new Error('lost'));
  });

  it('sends what throws in weight to the error channel, at once and later', () => {
    const weight = (item: number) => {
      if (item === 3) throw new Error('no weight');
      return 1;
    };
    const { push, passMs, result, stage, clock } = bench({ rate: 1, perMs: 10, weight });
    push(1, 2, 3);
    expect(result.error).toBeUndefined();
    passMs(10);
    passMs(10);
    expect(result.values).toEqual([1, 2]);
    expect(result.error).toEqual(new Error('no weight'));
    expect(stage.conservation).toBe(0);
    expect(clock.actions).toHaveLength(0);
  });

  it('sends a weight out of range to the error channel', () => {
    const { push, result } = bench({ rate: 1, perMs: 10, weight: () => -1 });
    push(1);
    expect(result.error).toEqual(new RangeError('pace: weight must be an integer of at least 0, got -1'));
  });

  it('fails when a source that ignores the gate has too many wait, after those', () => {
    const { push, passMs, result, stage } = bench({ rate: 1, perMs: 1 });
    push(...upTo(1_026));
    expect(stage.dropped.get('overflow')).toBe(1);
    passMs(1_024);
    expect(result.values).toHaveLength(1_025);
    expect(result.error).toBeInstanceOf(BufferOverflowError);
  });

  it('cancels its timer when it is unsubscribed, and owns up to what it held', () => {
    const { push, result, clock, stage } = bench({ rate: 1, perMs: 10 });
    push(1, 2, 3);
    result.subscription.unsubscribe();
    expect(clock.actions).toHaveLength(0);
    expect(stage).toMatchObject({ in: 3, out: 1, abandoned: 2, conservation: 0 });
  });

  it('sets no timer for an item at whose weight the subscription ends', () => {
    const { push, result, clock, stage } = bench({
      rate: 1,
      perMs: 10,
      weight(item) {
        if (item === 2) result.subscription.unsubscribe();
        return 1;
      },
    });
    push(1, 2);
    expect(clock.actions.every((action) => action.closed)).toBe(true);
    expect(stage).toMatchObject({ in: 2, out: 1, abandoned: 1, conservation: 0 });
  });

  it('leaves its place at the gate downstream when it is unsubscribed', () => {
    const { gate, push, result } = bench({ rate: 1, perMs: 10 }, 'closed');
    push(1);
    expect(gate.waiting).toBe(1);
    result.subscription.unsubscribe();
    expect(gate.waiting).toBe(0);
  });

  it('pulls one item of a synchronous source for take(1)', () => {
    let pulled = 0;
    const clock = new VirtualTimeScheduler();
    const items = gatedFrom(upTo(1_000_000), () => {
      pulled += 1;
    });
    expect(record(items.pipe(pace({ rate: 1, perMs: 10, scheduler: clock }), take(1))).values).toEqual([0]);
    expect(pulled).toBe(1);
    expect(clock.actions).toHaveLength(0);
  });

  it('makes a synchronous source wait: it never holds more than one item', () => {
    const clock = new VirtualTimeScheduler();
    const monitor = new PipelineMonitor();
    const mostHeld: number[] = [];
    const items = gatedFrom(upTo(50), () => mostHeld.push(monitor.stages[0]!.held));
    const result = record(items.pipe(pace({ rate: 3, perMs: 10, scheduler: clock }), withContext({ monitor })));
    clock.flush();
    expect(result.values).toEqual([...upTo(50)]);
    expect(Math.max(...mostHeld)).toBe(0);
    // The last item is out at 164; a source that is asked only while the gate is open ends when it opens again.
    expect(clock.now()).toBe(167);
  });

  it('starts every subscription with a full bucket', () => {
    const clock = new VirtualTimeScheduler();
    const paced$ = NEVER.pipe(pace<number>({ rate: 1, perMs: 10, scheduler: clock }));
    const twice = of(1).pipe(pace({ rate: 1, perMs: 10, scheduler: clock }));
    paced$.subscribe().unsubscribe();
    expect(record(twice).values).toEqual([1]);
    expect(record(twice).values).toEqual([1]);
  });

  it('waits longer than the longest timer of Node without waking early', () => {
    const delays: number[] = [];
    const clock = new VirtualTimeScheduler();
    const scheduler = {
      now: () => clock.now(),
      schedule: ((work, delay = 0, state) => {
        delays.push(delay);
        return clock.schedule(work as never, delay, state);
      }) as typeof asyncScheduler.schedule,
    };
    const result = record(of(1, 2).pipe(pace({ rate: 1, perMs: 3_000_000_000, scheduler })));
    clock.flush();
    expect(result.values).toEqual([1, 2]);
    expect(clock.now()).toBe(3_000_000_000);
    expect(delays.slice(0, 2)).toEqual([2 ** 31 - 1, 3_000_000_000 - (2 ** 31 - 1)]);
  });

  it('waits again when a timer fires early', () => {
    let now = 0;
    const timers: (() => void)[] = [];
    const scheduler = {
      now: () => now,
      schedule: ((work: () => void) => {
        timers.push(work);
        return asyncScheduler.schedule(() => {}, 0);
      }) as typeof asyncScheduler.schedule,
    };
    const result = record(of(1, 2).pipe(pace({ rate: 1, perMs: 10, scheduler })));
    now = 9;
    timers.shift()?.();
    expect(result.values).toEqual([1]);
    expect(timers).toHaveLength(1);
    now = 10;
    timers.shift()?.();
    expect(result).toMatchObject({ values: [1, 2], completed: true });
  });

  it('holds its rate when every timer fires late', () => {
    let now = 0;
    const due: (() => void)[] = [];
    /** Fires each timer 7 ms later than asked for. */
    const late: SchedulerLike = {
      now: () => now,
      schedule(work: (...args: never[]) => void, delay = 0) {
        due.push(() => {
          now += delay + 7;
          (work as () => void)();
        });
        return Subscription.EMPTY;
      },
    };
    let passed = 0;
    const source = gatedSource<number>({ name: 'endless', yieldAfterMs: Infinity }, (outlet) =>
      outlet.pump(() => outlet.next(0)),
    );
    const subscription = source.pipe(pace({ rate: 500, perMs: 1_000, scheduler: late })).subscribe(() => {
      passed += 1;
    });
    while (now < 10_000) due.shift()?.();
    subscription.unsubscribe();
    expect(passed).toBeGreaterThanOrEqual(4_990);
    expect(passed).toBeLessThanOrEqual(Math.floor(now / 2) + 1);
  });

  it('lets all pass at once that waits when the time of a drain is over: it is on its way to the dead letters', () => {
    const scheduler = new VirtualTimeScheduler();
    const expired = new Subject<unknown>();
    const source = new Subject<number>();
    const result = record(source.pipe(pace({ rate: 1, perMs: 1_000, scheduler }), withContext({ expired })));
    for (let n = 0; n < 100; n++) source.next(n);
    expect(result.values).toEqual([0]);
    expired.next(undefined);
    expect(result.values).toEqual(Array.from({ length: 100 }, (_, n) => n));
    source.next(100);
    expect(result.values).toHaveLength(101);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
