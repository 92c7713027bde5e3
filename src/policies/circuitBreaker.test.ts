import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, count, halfOpened, opened } from '../../test/support/breakers.js';
import { CircuitBreaker, type CircuitBreakerConfig, type Permit } from './circuitBreaker.js';

describe('CircuitBreaker', () => {
  afterEach(() => void vi.restoreAllMocks());

  describe('closed', () => {
    it.each<[string, CircuitBreakerConfig, results: string, state: string]>([
      ['five failures in a row by default', {}, '-----', 'open'],
      ['four', {}, '----', 'closed'],
      ['five failures with a success among the last five', {}, '--+---', 'closed'],
      ['five failures after a success', {}, '+-----', 'open'],
      ['half of the window', { ...count(4), failureRate: 0.5 }, '+-+-', 'open'],
      ['less than half of the window', { ...count(4), failureRate: 0.5 }, '++-+', 'closed'],
      ['a success that completes the window', { ...count(4), failureRate: 0.5 }, '--+', 'closed'],
      ['a success that completes the window', { ...count(4), failureRate: 0.5 }, '--++', 'open'],
      ['as many calls as must be there', { ...count(10), minimumCalls: 2 }, '--', 'open'],
      ['a call less', { ...count(10), minimumCalls: 2 }, '-', 'closed'],
      ['slow calls', { ...count(3), slowCallMs: 100 }, 'sss', 'open'],
      ['slow calls where none is slow', { ...count(3) }, 'sss', 'closed'],
      ['slow calls that are quick enough', { ...count(3), slowCallMs: 100.1 }, 'sss', 'closed'],
      ['the rate of slow calls', { ...count(4), slowCallMs: 100, slowCallRate: 0.5 }, 's++s', 'open'],
      ['less than the rate of slow calls', { ...count(4), slowCallMs: 100, slowCallRate: 0.5 }, 's+++', 'closed'],
      ['failures that are slow, too', { ...count(4), slowCallMs: 100, slowCallRate: 0.5 }, 'f+f+', 'open'],
      ['slow and failed calls, each below its rate', { ...count(4), slowCallMs: 100 }, 'ss--', 'closed'],
    ])('judges %s (%j, %s)', (_, config, results, state) => {
      const breaker = new CircuitBreaker(config);
      call(breaker, results);
      expect(breaker.state).toBe(state);
    });

    it('compares rates as they are written: 7 of 100 are 0.07', () => {
      const breaker = new CircuitBreaker({ ...count(100), failureRate: 0.07 });
      call(breaker, `${'-'.repeat(6)}${'+'.repeat(93)}-`);
      expect(breaker.state).toBe('open');
    });

    it('forgets what is over with a time window', () => {
      const breaker = new CircuitBreaker({ window: { kind: 'time', ms: 1_000 }, failureRate: 0.5 });
      call(breaker, '----', 0);
      call(breaker, '+++++', 1_000);
      expect(breaker.state).toBe('closed');
      call(breaker, '----', 1_050);
      expect(breaker.state).toBe('closed');
      call(breaker, '-', 1_060);
      expect(breaker.state).toBe('open');
    });

    it('forgets no earlier for a clock that is set back', () => {
      const breaker = new CircuitBreaker({ window: { kind: 'time', ms: 100 }, minimumCalls: 4 });
      call(breaker, '-', 5_000);
      call(breaker, '-', 5_050);
      call(breaker, '-', 20);
      expect(breaker.readyInMs(69)).toBe(0);
      call(breaker, '-', 69);
      expect(breaker.state).toBe('open');
    });

    it('asks for five calls with a time window, or for minimumCalls', () => {
      const usual = new CircuitBreaker({ window: { kind: 'time', ms: 1_000 } });
      call(usual, '----');
      expect(usual.state).toBe('closed');
      call(usual, '-');
      expect(usual.state).toBe('open');
      const eager = new CircuitBreaker({ window: { kind: 'time', ms: 1_000 }, minimumCalls: 1 });
      call(eager, '-');
      expect(eager.state).toBe('open');
    });

    it('counts neither what is under way nor what was released', () => {
      const breaker = new CircuitBreaker(count(2));
      for (let i = 0; i < 9; i++) breaker.tryAcquire(0);
      for (let i = 0; i < 9; i++) breaker.release(breaker.tryAcquire(0)!, 0);
      call(breaker, '-');
      expect(breaker.state).toBe('closed');
      call(breaker, '-');
      expect(breaker.state).toBe('open');
    });

    it('gives all callers the same permit, which no one can change', () => {
      const breaker = new CircuitBreaker();
      const permit = breaker.tryAcquire(0);
      expect(permit).toEqual({ generation: 0, isProbe: false });
      expect(breaker.tryAcquire(1)).toBe(permit);
      expect(Object.isFrozen(permit)).toBe(true);
      expect(breaker.readyInMs(0)).toBe(0);
    });
  });

  describe('by hand', () => {
    it('is forced open until it is reset', () => {
      const breaker = new CircuitBreaker();
      breaker.forceOpen(0);
      expect(breaker.state).toBe('forcedOpen');
      expect(breaker.tryAcquire(1e12)).toBeUndefined();
      expect(breaker.readyInMs(1e12)).toBe(Number.POSITIVE_INFINITY);
      breaker.reset(1e12);
      expect(breaker.state).toBe('closed');
      expect(breaker.tryAcquire(1e12)).toMatchObject({ isProbe: false });
    });

    it('is disabled until it is reset, and judges nothing', () => {
      const breaker = opened();
      breaker.disable(0);
      call(breaker, '-'.repeat(50));
      expect(breaker.state).toBe('disabled');
      expect(breaker.readyInMs(0)).toBe(0);
      breaker.reset(0);
      expect(breaker.state).toBe('closed');
    });

    it('forgets what it has counted when it is reset', () => {
      const breaker = new CircuitBreaker(count(2));
      const early = breaker.tryAcquire(0)!;
      call(breaker, '-');
      breaker.reset(0);
      breaker.failed(early, 0, 0);
      call(breaker, '-');
      expect(breaker.state).toBe('closed');
    });

    it.each(['forceOpen', 'disable', 'reset'] as const)('ignores results from before %s', (turn) => {
      const { breaker, probe } = halfOpened();
      breaker[turn](101);
      const { state } = breaker;
      breaker.failed(probe, 0, 102);
      breaker.failed(probe, 0, 102);
      breaker.release(probe, 102);
      expect(breaker.state).toBe(state);
    });

    it('begins a generation with each change of state, and with each reset', () => {
      const breaker = new CircuitBreaker(count(1));
      const seen = [breaker.generation];
      const note = () => seen.push(breaker.generation);
      call(breaker, '-');
      note();
      breaker.tryAcquire(60_000);
      note();
      breaker.forceOpen(60_000);
      note();
      breaker.forceOpen(60_000);
      note();
      breaker.reset(60_000);
      note();
      breaker.reset(60_000);
      note();
      expect(seen).toEqual([0, 1, 2, 3, 3, 4, 5]);
    });
  });

  describe('tells its listeners', () => {
    it('of each change, and of each permit of a probe that comes free', () => {
      const breaker = new CircuitBreaker({ ...count(1), openMs: 100, halfOpenSuccesses: 2, maxHalfOpenMs: 30 });
      const heard: string[] = [];
      const leave = breaker.onChange((state) => heard.push(state));
      call(breaker, '-', 0);
      const probe = breaker.tryAcquire(100)!;
      expect(heard.splice(0)).toEqual(['open', 'halfOpen']);
      breaker.release(probe, 101);
      breaker.release(probe, 101);
      expect(heard.splice(0)).toEqual(['halfOpen']);
      call(breaker, '+', 102);
      expect(heard.splice(0)).toEqual(['halfOpen']);
      breaker.tryAcquire(900);
      expect(heard.splice(0)).toEqual(['open', 'halfOpen']);
      call(breaker, '', 900);
      breaker.disable(901);
      breaker.disable(901);
      breaker.forceOpen(902);
      breaker.reset(903);
      breaker.reset(904);
      expect(heard.splice(0)).toEqual(['disabled', 'forcedOpen', 'closed']);
      leave();
      breaker.forceOpen(905);
      expect(heard).toEqual([]);
    });

    it('when everything is as it will be: one that asks for a permit gets what is left', () => {
      const breaker = opened({ halfOpenPermits: 2 });
      const got: (Permit | undefined)[] = [];
      breaker.onChange(() => got.push(breaker.tryAcquire(100), breaker.tryAcquire(100)));
      expect(breaker.tryAcquire(100)).toBeDefined();
      expect(got).toEqual([expect.objectContaining({ isProbe: true }), undefined]);
    });

    it('in the order of the changes, where one of them makes a change', () => {
      const breaker = new CircuitBreaker(count(1));
      const heard: string[] = [];
      breaker.onChange((state) => {
        if (state === 'open') breaker.reset(0);
      });
      breaker.onChange((state) => heard.push(state));
      call(breaker, '-');
      expect(heard).toEqual(['open', 'closed']);
    });

    it('although one of them throws, and hands the permit over all the same', () => {
      const breaker = opened();
      const reject = vi.spyOn(Promise, 'reject').mockReturnValue(Promise.resolve() as never);
      const failure = new Error('deaf');
      const heard: string[] = [];
      breaker.onChange(() => {
        throw failure;
      });
      breaker.onChange((state) => heard.push(state));
      expect(breaker.tryAcquire(100)).toMatchObject({ isProbe: true });
      expect(heard).toEqual(['halfOpen']);
      expect(reject).toHaveBeenCalledExactlyOnceWith(failure);
    });
  });

  it.each<[string, object, message: RegExp]>([
    ['an unknown option', { failureThreshold: 5 }, /^CircuitBreaker: unknown option "failureThreshold"/],
    [
      'a window of an unknown kind',
      { window: { kind: 'calls', size: 5 } },
      /window: kind must be one of "count", "time"/,
    ],
    ['a window that is no object', { window: 5 }, /window: .* got 5/],
    ['a window that is null', { window: null as never }, /window: .* got null/],
    ['an empty window', count(0), /window: size must be an integer from 1 to 1000000, got 0/],
    ['a window that is too large', count(1_000_001), /size/],
    ['a count window with a time', { window: { kind: 'count', ms: 5 } }, /unknown option "ms"/],
    ['a time window with a size', { window: { kind: 'time', size: 5 } }, /unknown option "size"/],
    ['no time', { window: { kind: 'time', ms: 0 } }, /window: ms/],
    ['more calls than the window holds', { ...count(5), minimumCalls: 6 }, /minimumCalls must be .* 1 to 5, got 6/],
    ['no calls', { window: { kind: 'time', ms: 5 }, minimumCalls: 0 }, /minimumCalls/],
    ['a rate of 0', { failureRate: 0 }, /failureRate must be a number above 0 and at most 1, got 0/],
    ['a rate in per cent', { failureRate: 50 }, /failureRate must be a number above 0 and at most 1, got 50/],
    ['a slow rate of 0', { slowCallMs: 5, slowCallRate: 0 }, /slowCallRate/],
    ['a slow rate of no slow calls', { slowCallRate: 0.5 }, /slowCallRate \(0.5\) requires slowCallMs/],
    ['every call being slow', { slowCallMs: 0 }, /slowCallMs/],
    ['openMs', { openMs: -1 }, /openMs/],
    ['openMs without end', { openMs: Number.POSITIVE_INFINITY }, /openMs/],
    ['halfOpenPermits', { halfOpenPermits: 0 }, /halfOpenPermits/],
    ['halfOpenSuccesses', { halfOpenSuccesses: 0.5 }, /halfOpenSuccesses/],
    ['maxHalfOpenMs', { maxHalfOpenMs: 0 }, /maxHalfOpenMs/],
  ])('refuses %s', (_, config, message) => {
    expect(() => new CircuitBreaker(config as CircuitBreakerConfig)).toThrow(RangeError);
    expect(() => new CircuitBreaker(config as CircuitBreakerConfig)).toThrow(message);
  });

  it('names its owner when it refuses', () => {
    expect(() => new CircuitBreaker({ openMs: -1 }, 'writeCoordinator: breaker')).toThrow(
      /^writeCoordinator: breaker: openMs/,
    );
  });
});
