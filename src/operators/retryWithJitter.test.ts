import {
  concat,
  defer,
  Observable,
  of,
  queueScheduler,
  Subject,
  type Subscriber,
  take,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { fromIterable } from '../sources/fromIterable.js';
import { type RetryWithJitterConfig, retryWithJitter } from './retryWithJitter.js';

const refused = new Error('refused');

/** A source that a test fails by hand, at each attempt anew, on a virtual clock. */
function bench(config: RetryWithJitterConfig = {}) {
  const scheduler = new VirtualTimeScheduler();
  const stopping = new Subject<void>();
  const retries: [error: unknown, attempt: number, delayMs: number][] = [];
  const waits: [stage: string, delayMs: number][] = [];
  const monitor = new PipelineMonitor({ observer: { retrying: (stage, ms) => void waits.push([stage.name, ms]) } });
  const attempts: Subscriber<number>[] = [];
  const source = new Observable<number>((subscriber) => {
    attempts.push(subscriber);
  });
  const operator = retryWithJitter<number>({
    jitter: 'none',
    initialMs: 10,
    scheduler,
    onRetry: (...retry) => void retries.push(retry),
    ...config,
  });
  const result = record(source.pipe(operator, withContext({ monitor, stopping })));
  const passTime = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  const fail = (error: unknown = refused) => attempts.at(-1)?.error(error);
  return { scheduler, stopping, retries, waits, attempts, result, passTime, fail, stage: monitor.stages[0]! };
}

describe('retryWithJitter', () => {
  it.each([
    [{ maxAttempts: 0 }, 'retryWithJitter: maxAttempts must be an integer of at least 1, or Infinity, got 0'],
    [{ maxAttempts: 1.5 }, 'retryWithJitter: maxAttempts must be an integer of at least 1, or Infinity, got 1.5'],
    [{ initialMs: -1 }, 'retryWithJitter: initialMs must be'],
    [{ initialMs: 10, maxMs: 5 }, 'retryWithJitter: maxMs must be'],
    [{ multiplier: 0.5 }, 'retryWithJitter: multiplier must be'],
    [{ jitter: 'some' }, 'retryWithJitter: jitter must be one of'],
    [{ healthyAfterMs: -1 }, 'retryWithJitter: healthyAfterMs must be'],
    [{ healthyAfterMs: Number.POSITIVE_INFINITY }, 'retryWithJitter: healthyAfterMs must be'],
    [{ maxElapsedMs: Number.NaN }, 'retryWithJitter: maxElapsedMs must be'],
    [{ retryable: true }, 'retryWithJitter: retryable must be a function, got true'],
    [{ onRetry: 'log' }, 'retryWithJitter: onRetry must be a function, got "log"'],
    [{ random: 0.5 }, 'retryWithJitter: random must be a function, got 0.5'],
    [{ attempts: 3 }, 'retryWithJitter: unknown option "attempts"'],
    [null, 'retryWithJitter: its configuration must be an object, got null'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => retryWithJitter(config as never)).toThrow(RangeError);
    expect(() => retryWithJitter(config as never)).toThrow(message);
  });

  it('makes five attempts by default, and passes the error of the fifth on as it is', () => {
    const { fail, passTime, attempts, result } = bench();
    for (let n = 0; n < 4; n++) {
      fail();
      passTime(5_000);
    }
    expect(attempts).toHaveLength(5);
    expect(result.error).toBeUndefined();
    const last = { reason: 'the last' };
    fail(last);
    expect(result.error).toBe(last);
    passTime(5_000);
    expect(attempts).toHaveLength(5);
  });

  it.each([1, 3])('subscribes %i times in all with that as maxAttempts', (maxAttempts) => {
    const { fail, passTime, attempts, result } = bench({ maxAttempts });
    for (let n = 0; n < 5; n++) {
      fail();
      passTime(5_000);
    }
    expect(attempts).toHaveLength(maxAttempts);
    expect(result.error).toBe(refused);
  });

  it('does not subscribe before the wait is over', () => {
    const { fail, passTime, attempts } = bench();
    fail();
    passTime(9);
    expect(attempts).toHaveLength(1);
    passTime(1);
    expect(attempts).toHaveLength(2);
  });

  it('tells of each retry what failed, which in a row it is, and the wait', () => {
    const { fail, passTime, retries, waits } = bench({ name: 'feed', healthyAfterMs: 100, maxMs: 30 });
    const errors = [new Error('1'), new Error('2'), new Error('3')];
    for (const error of errors) {
      fail(error);
      passTime(30);
    }
    expect(retries).toEqual([
      [errors[0], 1, 10],
      [errors[1], 2, 20],
      [errors[2], 3, 30],
    ]);
    expect(waits).toEqual([
      ['feed', 10],
      ['feed', 20],
      ['feed', 30],
    ]);
  });

  it('does not forget failures at the first item, and not by time alone', () => {
    const { fail, passTime, attempts, retries } = bench({ healthyAfterMs: 1_000 });
    fail();
    passTime(10);
    attempts[1]!.next(1);
    passTime(999);
    fail();
    passTime(20);
    passTime(5_000);
    fail();
    expect(retries.map(([, attempt]) => attempt)).toEqual([1, 2, 3]);
  });

  it('forgets failures once the source was up for long enough and emitted', () => {
    const { fail, passTime, attempts, retries } = bench({ healthyAfterMs: 1_000 });
    fail();
    passTime(10);
    fail();
    passTime(20);
    attempts[2]!.next(1);
    passTime(1_000);
    fail();
    expect(retries.map(([, attempt, ms]) => [attempt, ms])).toEqual([
      [1, 10],
      [2, 20],
      [1, 10],
    ]);
  });

  it('takes 30 seconds for long enough by default', () => {
    const { fail, passTime, attempts, retries } = bench();
    for (const upMs of [0, 29_999, 30_000]) {
      attempts.at(-1)!.next(1);
      passTime(upMs);
      fail();
      passTime(retries.at(-1)![2]);
    }
    expect(retries.map(([, attempt]) => attempt)).toEqual([1, 2, 1]);
  });

  it('is not fooled by a clock that is set back or forth during a wait', () => {
    const { scheduler, fail, passTime, attempts, retries } = bench({ healthyAfterMs: 1_000 });
    fail();
    passTime(10);
    attempts[1]!.next(1);
    scheduler.frame -= 5_000;
    fail();
    expect(retries.at(-1)?.[1]).toBe(2);
  });

  it('passes fatal errors on at once, and retries the rest, unless shouldRetry says otherwise', () => {
    const fatal = Object.assign(new Error('no such table'), { sqlState: '42P01' });
    const first = bench();
    first.fail(fatal);
    expect(first.result.error).toBe(fatal);
    expect(first.retries).toEqual([]);
    const poison = bench();
    poison.fail(Object.assign(new Error('out of range'), { sqlState: '22003' }));
    expect(poison.retries).toHaveLength(1);
    const choosy = bench({ retryable: (error) => error === fatal });
    choosy.fail(fatal);
    choosy.passTime(10);
    choosy.fail(refused);
    expect(choosy.result.error).toBe(refused);
    expect(choosy.attempts).toHaveLength(2);
  });

  it('gives up when the next attempt would come too late, also for a source that asks for patience', () => {
    const { fail, passTime, result } = bench({ maxAttempts: Number.POSITIVE_INFINITY, maxElapsedMs: 1_000 });
    fail(Object.assign(new Error('busy'), { retryAfterMs: 1_000 }));
    expect(result.error).toBeUndefined();
    passTime(1_000);
    fail();
    expect(result.error).toBe(refused);
    const other = bench({ maxElapsedMs: 1_000 });
    const busy = Object.assign(new Error('busy'), { retryAfterMs: 1_001 });
    other.fail(busy);
    expect(other.result.error).toBe(busy);
  });

  it('counts maxElapsedMs from the first failure in a row', () => {
    const { fail, passTime, attempts, result } = bench({ maxElapsedMs: 15, healthyAfterMs: 100 });
    for (let n = 0; n < 3; n++) {
      attempts.at(-1)!.next(n);
      passTime(100);
      fail();
      passTime(10);
    }
    expect(result.error).toBeUndefined();
    fail();
    expect(result.error).toBe(refused);
  });

  it('waits also where a timer is too short for it', () => {
    const { fail, passTime, attempts } = bench();
    fail(Object.assign(new Error('come back next month'), { retryAfterMs: 2 ** 32 }));
    passTime(2 ** 32 - 1);
    expect(attempts).toHaveLength(1);
    passTime(1);
    expect(attempts).toHaveLength(2);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -5, '7', null])(
    'does without a retryAfterMs of %s',
    (retryAfterMs) => {
      const { fail, retries } = bench();
      fail({ retryAfterMs });
      expect(retries.map(([, , ms]) => ms)).toEqual([10]);
    },
  );

  it.each([undefined, null, 'lost', 0])('retries what is no Error: %s', (error) => {
    const { attempts, passTime } = bench();
    attempts[0]!.error(error);
    passTime(10);
    expect(attempts).toHaveLength(2);
  });

  it('completes with its source', () => {
    const { attempts, result } = bench();
    attempts[0]!.next(1);
    attempts[0]!.complete();
    expect(result).toMatchObject({ values: [1], completed: true });
  });

  it('hears nothing more of an attempt that has failed', () => {
    const { attempts, result, fail, passTime } = bench();
    fail();
    attempts[0]!.next(1);
    attempts[0]!.error(new Error('again'));
    passTime(10);
    expect(attempts).toHaveLength(2);
    expect(result.values).toEqual([]);
  });

  it('has let go of an attempt before the next begins, also where it failed at once', () => {
    const order: string[] = [];
    let n = 0;
    const source = new Observable<number>((subscriber) => {
      n += 1;
      const attempt = n;
      order.push(`open ${attempt}`);
      if (attempt < 3) subscriber.error(refused);
      else subscriber.complete();
      return () => order.push(`closed ${attempt}`);
    });
    const result = record(source.pipe(retryWithJitter({ initialMs: 0, scheduler: queueScheduler })));
    expect(result.completed).toBe(true);
    expect(order).toEqual(['open 1', 'closed 1', 'open 2', 'closed 2', 'open 3', 'closed 3']);
  });

  it('survives a million failures without a wait', () => {
    const scheduler = new VirtualTimeScheduler();
    let left = 1_000_000;
    const source = defer(() => {
      left -= 1;
      return left < 0 ? of('at last') : throwError(() => refused);
    });
    const endless = { maxAttempts: Number.POSITIVE_INFINITY, initialMs: 0, maxMs: 0 };
    const result = record(source.pipe(retryWithJitter<string>({ ...endless, scheduler })));
    // The next attempt is never made inside of the former.
    expect(left).toBe(999_999);
    scheduler.flush();
    expect(result).toMatchObject({ values: ['at last'], completed: true });
    left = 100_000;
    const atOnce = record(source.pipe(retryWithJitter<string>({ ...endless, scheduler: queueScheduler })));
    expect(atOnce).toMatchObject({ values: ['at last'], completed: true });
  });

  it('leaves no timer when it is unsubscribed during a wait, and subscribes nothing', () => {
    const { scheduler, fail, result, attempts } = bench();
    fail();
    expect(scheduler.actions).toHaveLength(1);
    result.subscription.unsubscribe();
    scheduler.flush();
    expect(attempts).toHaveLength(1);
    expect(scheduler.now()).toBe(0);
  });

  it('takes no unsubscription for a failure, before an item, after one, and during one', () => {
    const early = bench();
    early.result.subscription.unsubscribe();
    const late = bench();
    late.attempts[0]?.next(1);
    late.result.subscription.unsubscribe();
    for (const { retries, waits, scheduler, attempts } of [early, late]) {
      scheduler.flush();
      expect({ retries, waits, attempts: attempts.length }).toEqual({ retries: [], waits: [], attempts: 1 });
    }

    const retries: unknown[] = [];
    const operator = retryWithJitter<number>({ onRetry: (error) => void retries.push(error) });
    // A source that protests while it is released has not failed.
    const source = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => subscriber.error(refused);
    });
    expect(record(source.pipe(operator, take(1)))).toMatchObject({ values: [1], completed: true });
    expect(retries).toEqual([]);
  });

  it('tells nobody of a retry that its own callbacks have called off', () => {
    const byRetryable = bench({
      retryable: () => {
        byRetryable.result.subscription.unsubscribe();
        return true;
      },
    });
    byRetryable.fail();
    expect(byRetryable).toMatchObject({ retries: [], waits: [] });
    const byOnRetry = bench({ onRetry: () => byOnRetry.result.subscription.unsubscribe() });
    byOnRetry.fail();
    expect(byOnRetry.waits).toEqual([]);
  });

  it('releases a source that emits at once when one item is enough', () => {
    const result = record(fromIterable([1, 2, 3]).pipe(retryWithJitter(), take(1)));
    expect(result).toMatchObject({ values: [1], completed: true });
  });

  it.each(['retryable', 'onRetry', 'random'] as const)('fails when %s throws', (callback) => {
    const fault = new Error(`${callback} is broken`);
    const { scheduler, fail, result } = bench({
      jitter: 'full',
      [callback]: () => {
        throw fault;
      },
    });
    expect(() => fail()).not.toThrow();
    expect(result.error).toBe(fault);
    expect(scheduler.actions).toHaveLength(0);
  });

  it('does not wait any more when onRetry ends it', () => {
    const ended = bench({ onRetry: () => ended.result.subscription.unsubscribe() });
    ended.fail();
    expect(ended.scheduler.actions).toHaveLength(0);
    const drained = bench({ onRetry: () => drained.stopping.next() });
    drained.fail();
    expect(drained.result.completed).toBe(true);
    expect(drained.scheduler.actions).toHaveLength(0);
  });

  it('counts what passes, under one account for all attempts', () => {
    const monitor = new PipelineMonitor();
    const scheduler = new VirtualTimeScheduler();
    let attempts = 0;
    const cut = concat(
      fromIterable([1, 2]),
      throwError(() => refused),
    );
    const source = defer(() => (attempts++ < 2 ? cut : fromIterable([1, 2, 3])));
    const result = record(
      source.pipe(retryWithJitter({ initialMs: 1, scheduler, healthyAfterMs: 0 }), withContext({ monitor })),
    );
    scheduler.flush();
    expect(result).toMatchObject({ values: [1, 2, 1, 2, 1, 2, 3], completed: true });
    expect(monitor.stages.map(({ id, in: into, out }) => [id, into, out])).toEqual([
      ['retryWithJitter', 7, 7],
      ['fromIterable', 0, 7],
    ]);
    expect(monitor.account()).toMatchObject({ received: 7, delivered: 7, held: 0, conservation: 0 });
  });

  it('draws other waits than another stage that fails in the same millisecond, and the same ones again', () => {
    const draw = () => {
      const monitor = new PipelineMonitor();
      const scheduler = new VirtualTimeScheduler();
      const waits: number[][] = [[], []];
      for (const row of waits) {
        const onRetry = (_error: unknown, _attempt: number, ms: number) => void row.push(ms);
        record(throwError(() => refused).pipe(retryWithJitter({ onRetry, scheduler }), withContext({ monitor })));
      }
      scheduler.flush();
      return waits;
    };
    const [one, other] = draw();
    expect(one).toHaveLength(4);
    expect(one).not.toEqual(other);
    expect(draw()).toEqual([one, other]);
  });
});
