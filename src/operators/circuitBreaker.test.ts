import { defer, EMPTY, NEVER, Observable, of, repeat, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { CircuitBreaker, type CircuitBreakerConfig, type Permit } from '../policies/circuitBreaker.js';
import { type CircuitBreakerOptions, circuitBreaker } from './circuitBreaker.js';
import { CircuitOpenError } from './errors/circuitOpenError.js';

const refused = new Error('refused');

/** Writes down what it is told. */
class WatchedCircuitBreaker extends CircuitBreaker {
  readonly told: [verdict: string, durationMs: number][] = [];
  acquired = 0;
  listeners = 0;

  override tryAcquire(now: number): Permit | undefined {
    const permit = super.tryAcquire(now);
    if (permit) this.acquired += 1;
    return permit;
  }

  override succeeded(permit: Permit, durationMs: number, now: number): void {
    this.told.push(['succeeded', durationMs]);
    super.succeeded(permit, durationMs, now);
  }

  override failed(permit: Permit, durationMs: number, now: number): void {
    this.told.push(['failed', durationMs]);
    super.failed(permit, durationMs, now);
  }

  override release(permit: Permit, now: number): void {
    this.told.push(['released', 0]);
    super.release(permit, now);
  }

  override onChange(listener: Parameters<CircuitBreaker['onChange']>[0]): () => void {
    this.listeners += 1;
    const stop = super.onChange(listener);
    return () => {
      this.listeners -= 1;
      stop();
    };
  }
}

/** A breaker on a virtual clock that opens at the first failure, for 100 ms. */
function bench(config: Partial<CircuitBreakerOptions> = {}, breakerConfig: CircuitBreakerConfig = {}) {
  const scheduler = new VirtualTimeScheduler();
  const breaker = new WatchedCircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 100, ...breakerConfig });
  const guard = <T>() => circuitBreaker<T>(breaker, { whenOpen: 'wait', scheduler, ...config });
  const passTime = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  const open = () => record(throwError(() => refused).pipe(guard()));
  return { scheduler, breaker, guard, passTime, open };
}

describe('circuitBreaker', () => {
  const breaker = new CircuitBreaker();

  it.each([
    [
      undefined,
      { whenOpen: 'wait' },
      'circuitBreaker: the tryAcquire of its breaker must be a function, got undefined',
    ],
    [{}, { whenOpen: 'wait' }, 'circuitBreaker: the tryAcquire of its breaker must be a function, got undefined'],
    [breaker, undefined, 'circuitBreaker: its configuration must be an object, got undefined'],
    [breaker, {}, 'circuitBreaker: whenOpen must be one of "wait", "fail", got undefined'],
    [breaker, { whenOpen: 'retry' }, 'circuitBreaker: whenOpen must be one of "wait", "fail", got "retry"'],
    [breaker, { whenOpen: 'wait', healthyAfterMs: -1 }, 'circuitBreaker: healthyAfterMs must be'],
    [breaker, { whenOpen: 'wait', classify: 'all' }, 'circuitBreaker: classify must be a function, got "all"'],
    [breaker, { whenOpen: 'wait', openMs: 5 }, 'circuitBreaker: unknown option "openMs"'],
  ])('refuses %j, %j when it is made', (given, config, message) => {
    expect(() => circuitBreaker(given as never, config as never)).toThrow(RangeError);
    expect(() => circuitBreaker(given as never, config as never)).toThrow(message);
  });

  it('passes items, completion and errors on', () => {
    const { guard } = bench();
    expect(record(of(1, 2).pipe(guard()))).toMatchObject({ values: [1, 2], completed: true });
    expect(record(throwError(() => refused).pipe(guard())).error).toBe(refused);
  });

  it.each<[string, error: unknown, told: string]>([
    ['a transient error failed', refused, 'failed'],
    ['an error of the data succeeded, for there was an answer', { sqlState: '22003' }, 'succeeded'],
    ['a fatal error says nothing', { sqlState: '42P01' }, 'released'],
  ])('tells its breaker that %s', (_, error, told) => {
    const { breaker: watched, guard } = bench();
    record(throwError(() => error).pipe(guard()));
    expect(watched.told).toEqual([[told, 0]]);
  });

  it('goes by its own classify', () => {
    const { breaker: watched, guard } = bench({ classify: () => 'poison' });
    record(throwError(() => refused).pipe(guard()));
    expect(watched.told).toEqual([['succeeded', 0]]);
  });

  it.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('no class');
      },
    ],
    ['answers what is no class', () => 'weird' as never],
  ])('fails when classify %s, and gives its permit back', (_, classify) => {
    const { breaker: watched, guard } = bench({ classify });
    const result = record(throwError(() => refused).pipe(guard()));
    expect(result.error).toBeInstanceOf(Error);
    expect(result.error).not.toBe(refused);
    expect(watched.told).toEqual([['released', 0]]);
  });

  it('takes the time until the first item for the length of a call, or until the end where there is none', () => {
    const { breaker: watched, guard, passTime } = bench();
    const source = new Subject<number>();
    record(source.pipe(guard()));
    passTime(7);
    source.next(1);
    passTime(50);
    source.next(2);
    source.complete();
    const empty = new Subject<number>();
    record(empty.pipe(guard()));
    passTime(9);
    empty.complete();
    const failing = new Subject<number>();
    record(failing.pipe(guard()));
    passTime(3);
    failing.error(refused);
    expect(watched.told).toEqual([
      ['succeeded', 7],
      ['succeeded', 9],
      ['failed', 3],
    ]);
  });

  it('opens for calls that are slow to answer', () => {
    const { breaker: watched, guard, passTime } = bench({}, { slowCallMs: 10 });
    const source = new Subject<number>();
    record(source.pipe(guard()));
    passTime(10);
    source.next(1);
    source.complete();
    expect(watched.state).toBe('open');
  });

  it('does not count against the source the time that classify takes once it has failed', () => {
    const { breaker, guard, scheduler } = bench(
      {
        classify: () => {
          scheduler.frame += 500;
          return 'poison';
        },
      },
      { slowCallMs: 10 },
    );
    record(throwError(() => refused).pipe(guard()));
    expect(breaker.told).toEqual([['succeeded', 0]]);
    expect(breaker.state).toBe('closed');
  });

  it('takes a stream for healthy 30 seconds after its first item, by default, and only once', () => {
    const { breaker: watched, guard, passTime } = bench();
    const source = new Subject<number>();
    record(source.pipe(guard()));
    passTime(100_000);
    expect(watched.told).toEqual([]);
    source.next(1);
    passTime(29_999);
    source.next(2);
    expect(watched.told).toEqual([]);
    passTime(1);
    expect(watched.told).toEqual([['succeeded', 100_000]]);
    source.error(refused);
    expect(watched.told).toHaveLength(1);
    expect(watched.state).toBe('closed');
  });

  it('gives the permit back when it is let go, and leaves no timer', () => {
    const { scheduler, breaker: watched, guard } = bench();
    const source = new Subject<number>();
    const result = record(source.pipe(guard()));
    source.next(1);
    expect(scheduler.actions).toHaveLength(1);
    result.subscription.unsubscribe();
    expect(watched.told).toEqual([['released', 0]]);
    expect(scheduler.actions).toHaveLength(0);
  });

  it('tells its breaker when the source has let go of what it used, and before it tells downstream', () => {
    const order: string[] = [];
    const { breaker: watched, guard } = bench();
    watched.onChange((state) => order.push(state));
    const source = new Observable<number>((subscriber) => {
      subscriber.error(refused);
      return () => order.push('closed source');
    });
    source.pipe(guard()).subscribe({ error: () => order.push('error') });
    expect(order).toEqual(['closed source', 'open', 'error']);
  });

  it('with `fail` says how long it will take, and nothing of a breaker that is held open', () => {
    const { breaker: watched, open, passTime, guard } = bench({ whenOpen: 'fail' });
    open();
    passTime(30);
    const { error } = record(EMPTY.pipe(guard()));
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ retryAfterMs: 70 });
    passTime(70);
    expect(record(EMPTY.pipe(guard())).completed).toBe(true);
    watched.forceOpen(0);
    expect(record(EMPTY.pipe(guard())).error).toMatchObject({ retryAfterMs: Number.POSITIVE_INFINITY });
  });

  it('waits for a breaker that is forced open until it is reset', () => {
    const { breaker: watched, guard, scheduler } = bench();
    watched.forceOpen(0);
    const result = record(of(1).pipe(guard()));
    scheduler.flush();
    expect(result.values).toEqual([]);
    expect(scheduler.actions).toHaveLength(0);
    watched.reset(0);
    expect(result).toMatchObject({ values: [1], completed: true });
  });

  it('leaves no timer of a wait that a change has ended', () => {
    const { breaker: watched, guard, open, scheduler } = bench();
    open();
    const result = record(NEVER.pipe(guard()));
    expect(scheduler.actions).toHaveLength(1);
    watched.reset(0);
    expect(watched.acquired).toBe(2);
    expect(scheduler.actions).toHaveLength(0);
    result.subscription.unsubscribe();
  });

  it('lets one probe through, and the rest when that has succeeded, in order', () => {
    const { breaker: watched, guard, open, passTime } = bench();
    open();
    const order: string[] = [];
    const sources = ['a', 'b', 'c'].map((name) => {
      const source = new Subject<number>();
      const subscribed = defer(() => {
        order.push(name);
        return source;
      });
      record(subscribed.pipe(guard()));
      return source;
    });
    passTime(99);
    expect(order).toEqual([]);
    passTime(1);
    expect(order).toEqual(['a']);
    sources[0]!.complete();
    expect(order).toEqual(['a', 'b', 'c']);
    expect(watched.state).toBe('closed');
  });

  it('spends nothing on waiting, however many wait, and stops listening when nobody does', () => {
    const { breaker: watched, scheduler, guard, open, passTime } = bench();
    open();
    const acquired = watched.acquired;
    const waiting = Array.from({ length: 100 }, () => record(NEVER.pipe(guard())));
    passTime(99);
    expect(watched.acquired).toBe(acquired);
    expect(scheduler.actions).toHaveLength(1);
    expect(watched.listeners).toBe(1);
    for (const { subscription } of waiting) subscription.unsubscribe();
    expect(watched.listeners).toBe(0);
    expect(scheduler.actions).toHaveLength(0);
  });

  it('lets the next in line ask when the first has gone', () => {
    const { guard, open, passTime } = bench();
    open();
    const first = record(of(1).pipe(guard()));
    const second = record(of(2).pipe(guard()));
    first.subscription.unsubscribe();
    passTime(100);
    expect(first.values).toEqual([]);
    expect(second.values).toEqual([2]);
  });

  it('lets ten thousand through one after another, each done at once, without recursion', () => {
    const { breaker: watched, guard, open, passTime } = bench({}, { halfOpenSuccesses: 20_000 });
    open();
    const waiting = Array.from({ length: 10_000 }, (_, n) => record(of(n).pipe(guard())));
    passTime(100);
    expect(waiting.every(({ completed }) => completed)).toBe(true);
    expect(watched.state).toBe('halfOpen');
  });

  it('does not mind who comes again in the middle of being let through', () => {
    const { guard, open, passTime } = bench();
    open();
    const result = record(of(1).pipe(guard(), repeat(20_000)));
    passTime(100);
    expect(result.values).toHaveLength(20_000);
    expect(result.completed).toBe(true);
  });

  it('completes on the scheduler when it was asked to drain before it came, so that a repeat() does not pile up', () => {
    const { guard, open, passTime } = bench();
    open();
    const stopping = of(undefined);
    const result = record(NEVER.pipe(guard(), repeat(50), withContext({ stopping })));
    expect(result.completed).toBe(false);
    passTime(0);
    expect(result.completed).toBe(true);
  });

  it('leaves a source that has begun to end by itself when the pipeline is asked to drain', () => {
    const { guard } = bench();
    const stopping = new Subject<void>();
    const source = new Subject<number>();
    const result = record(source.pipe(guard(), withContext({ stopping })));
    stopping.next();
    expect(result.completed).toBe(false);
    source.next(1);
    source.complete();
    expect(result).toMatchObject({ values: [1], completed: true });
  });

  it('listens for a drain no longer when it is unsubscribed while it waits', () => {
    const { guard, open } = bench();
    open();
    const stopping = new Subject<void>();
    const result = record(NEVER.pipe(guard(), withContext({ stopping })));
    expect(stopping.observed).toBe(true);
    result.subscription.unsubscribe();
    expect(stopping.observed).toBe(false);
  });

  it('subscribes nothing once it is asked to drain, whatever its breaker says then', () => {
    const { breaker: watched, guard, open, passTime } = bench();
    open();
    let subscribed = 0;
    const source = defer(() => {
      subscribed += 1;
      return NEVER;
    });
    const result = record(source.pipe(guard(), withContext({ stopping: of(undefined) })));
    watched.reset(0);
    passTime(0);
    expect(result.completed).toBe(true);
    expect(subscribed).toBe(0);
  });

  it('shows its breaker to who watches the stages, once a subscription', () => {
    const { breaker: watched, guard } = bench({ name: 'feed' });
    const seen: unknown[] = [];
    const monitor = new PipelineMonitor({
      observer: { guarded: (stage, shown) => void seen.push([stage.name, shown]) },
    });
    record(of(1, 2).pipe(guard(), withContext({ monitor })));
    expect(seen).toEqual([['feed', watched]]);
    expect(monitor.account()).toMatchObject({ received: 2, delivered: 2, held: 0, conservation: 0 });
  });

  it('a probe that stays silent does not hold everybody for ever', () => {
    const { guard, passTime, open, breaker } = bench();
    open();
    passTime(100);
    const silent = record(NEVER.pipe(guard()));
    const waiting = record(of('next').pipe(guard()));
    passTime(60_000);
    expect(waiting.values).toEqual([]);
    passTime(101);
    expect(waiting.values).toEqual(['next']);
    expect(breaker.state).toBe('closed');
    // What it says later is not heard.
    silent.subscription.unsubscribe();
    expect(breaker.state).toBe('closed');
  });
});
