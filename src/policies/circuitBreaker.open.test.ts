import { describe, expect, it } from 'vitest';
import { call, count, opened } from '../../test/support/breakers.js';
import { CircuitBreaker, type CircuitBreakerConfig } from './circuitBreaker.js';

describe('CircuitBreaker, open', () => {
  it('lets nobody through for openMs, and says how long that is', () => {
    const breaker = opened({}, 50);
    expect(breaker.readyInMs(50)).toBe(100);
    expect(breaker.tryAcquire(51)).toBeUndefined();
    expect(breaker.readyInMs(149.5)).toBe(0.5);
    expect(breaker.tryAcquire(149.5)).toBeUndefined();
    expect(breaker.readyInMs(150)).toBe(0);
    expect(breaker.tryAcquire(150)).toMatchObject({ isProbe: true });
    expect(breaker.state).toBe('halfOpen');
  });

  it('is open for a second by default, and a tenth longer after each probe that fails, up to a minute', () => {
    const breaker = new CircuitBreaker(count(1));
    const waits: number[] = [];
    let now = 0;
    for (let round = 0; round < 60; round++) {
      call(breaker, '-', now);
      waits.push(breaker.readyInMs(now));
      now += breaker.readyInMs(now);
    }
    expect(waits.slice(0, 5)).toEqual([1_000, 1_100, 1_210, 1_331, 1_465]);
    expect(waits.slice(-15)).toEqual(Array(15).fill(60_000));
    // Nine seconds away, nine and a half minutes away: found out within a tenth of that and a second.
    let sum = 0;
    for (const wait of waits) {
      expect(wait).toBeLessThanOrEqual(1_000 + sum / 9.9);
      sum += wait;
    }
    // Once it was closed, the next outage may be a short one.
    call(breaker, '+-', now);
    expect(breaker.readyInMs(now)).toBe(1_000);
  });

  it.each<[CircuitBreakerConfig, waits: number[]]>([
    [{ openMs: 1_200 }, [1_000, 1_100, 1_200, 1_200]],
    [{ openMs: 800 }, [800, 800, 800, 800]],
    [{ openMs: 60_000, firstOpenMs: 60_000 }, [60_000, 60_000, 60_000, 60_000]],
    [{ openMs: 5, firstOpenMs: 0 }, [0, 1, 2, 3, 4, 5, 5]],
  ])('with %j is open for %j', (config, waits) => {
    const breaker = new CircuitBreaker({ ...count(1), ...config });
    let now = 0;
    for (const wait of waits) {
      call(breaker, '-', now);
      expect(breaker.readyInMs(now)).toBe(wait);
      now += wait;
    }
  });

  it('refuses a first span above the longest', () => {
    expect(() => new CircuitBreaker({ openMs: 10, firstOpenMs: 11 })).toThrow(
      'CircuitBreaker: firstOpenMs must be at most openMs (10), got 11',
    );
  });

  it('lets those probe at once who are in a hurry, and says so to all who wait', () => {
    const breaker = new CircuitBreaker(count(1));
    call(breaker, '-', 0);
    call(breaker, '-', 1_000);
    let told = 0;
    breaker.onChange(() => {
      told += 1;
    });
    breaker.hurry(1_500);
    expect(told).toBe(1);
    expect(breaker.readyInMs(1_500)).toBe(0);
    expect(breaker.tryAcquire(1_500)).toMatchObject({ isProbe: true });
  });

  it('begins again with the shortest wait for those who are in a hurry', () => {
    const breaker = new CircuitBreaker(count(1));
    for (const now of [0, 1_000, 3_000]) call(breaker, '-', now);
    expect(breaker.readyInMs(3_000)).toBe(1_210);
    breaker.hurry(3_000);
    call(breaker, '-', 3_000);
    expect(breaker.readyInMs(3_000)).toBe(1_000);
  });

  it.each(['closed', 'forcedOpen', 'disabled'])('no hurry changes a breaker that is %s', (state) => {
    const breaker = new CircuitBreaker();
    if (state === 'forcedOpen') breaker.forceOpen(0);
    if (state === 'disabled') breaker.disable(0);
    breaker.hurry(0);
    expect(breaker.state).toBe(state);
  });

  it('is opened by one call that has shown that none will succeed, unless that call is of the past', () => {
    const breaker = new CircuitBreaker();
    const late = breaker.tryAcquire(0)!;
    breaker.trip(breaker.tryAcquire(0)!, 0);
    expect(breaker.state).toBe('open');
    expect(breaker.readyInMs(0)).toBe(1_000);
    const probe = breaker.tryAcquire(1_000)!;
    breaker.trip(late, 1_000);
    expect(breaker.state).toBe('halfOpen');
    breaker.trip(probe, 1_000);
    expect(breaker.state).toBe('open');
    expect(breaker.readyInMs(1_000)).toBe(1_100);
    breaker.trip(probe, 1_500);
    expect(breaker.readyInMs(1_500)).toBe(600);
  });

  it('is not opened by a call of an earlier generation, or while it judges nothing', () => {
    const breaker = new CircuitBreaker();
    const former = breaker.tryAcquire(0)!;
    breaker.reset(0);
    breaker.trip(former, 1);
    expect(breaker.state).toBe('closed');
    for (const force of ['disable', 'forceOpen'] as const) {
      const permit = breaker.tryAcquire(2)!;
      breaker[force](3);
      const { state } = breaker;
      breaker.trip(permit, 4);
      breaker.trip({ generation: breaker.generation, isProbe: false }, 4);
      expect(breaker.state).toBe(state);
      breaker.reset(5);
    }
  });

  it('has an end at once where openMs is 0', () => {
    const breaker = opened({ openMs: 0 }, 7);
    expect(breaker.tryAcquire(7)).toMatchObject({ isProbe: true });
  });

  it('is no longer open when a poll finds out late', () => {
    const breaker = opened();
    expect(breaker.tryAcquire(1e9)).toMatchObject({ isProbe: true });
  });

  it('does not let "every poll of an open breaker burns an attempt" come back: polling changes nothing', () => {
    const breaker = opened();
    const heard: string[] = [];
    breaker.onChange((state) => heard.push(state));
    const { generation } = breaker;
    for (let now = 0; now < 100; now++) {
      expect(breaker.tryAcquire(now)).toBeUndefined();
      expect(breaker.readyInMs(now)).toBe(100 - now);
    }
    expect(breaker).toMatchObject({ state: 'open', generation });
    expect(heard).toEqual([]);
    const probe = breaker.tryAcquire(100)!;
    breaker.succeeded(probe, 0, 100);
    expect(breaker.state).toBe('closed');
  });

  it('does not let "a late success closes an open breaker" come back', () => {
    const breaker = new CircuitBreaker({ ...count(2), openMs: 100 });
    const late = [breaker.tryAcquire(0)!, breaker.tryAcquire(0)!, breaker.tryAcquire(0)!];
    call(breaker, '--');
    breaker.succeeded(late[0]!, 1, 1);
    expect(breaker.state).toBe('open');
    expect(breaker.readyInMs(1)).toBe(99);
    const probe = breaker.tryAcquire(100)!;
    breaker.succeeded(late[1]!, 100, 100);
    breaker.failed(late[2]!, 100, 100);
    expect(breaker.state).toBe('halfOpen');
    expect(breaker.tryAcquire(100)).toBeUndefined();
    breaker.succeeded(probe, 1, 101);
    expect(breaker.state).toBe('closed');
  });

  it('is not prolonged by a late failure', () => {
    const breaker = new CircuitBreaker({ ...count(1), openMs: 100 });
    const late = breaker.tryAcquire(0)!;
    call(breaker, '-', 0);
    breaker.failed(late, 90, 90);
    expect(breaker.readyInMs(90)).toBe(10);
  });

  it('waits on, and does not wait for ever, when the clock is set back', () => {
    const breaker = opened({}, 10_000);
    expect(breaker.readyInMs(10_040)).toBe(60);
    expect(breaker.readyInMs(500)).toBe(60);
    expect(breaker.tryAcquire(559)).toBeUndefined();
    expect(breaker.readyInMs(559)).toBe(1);
    expect(breaker.tryAcquire(560)).toBeDefined();
  });
});
