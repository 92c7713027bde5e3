import { afterEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker, type CircuitBreakerConfig, type Permit } from './circuitBreaker.js';

/** Makes calls with the given results, each settled at once: `+` worked, `-` failed, `s` worked slowly, `f` failed slowly. */
function call(breaker: CircuitBreaker, results: string, now = 0): void {
  for (const result of results) {
    const permit = breaker.tryAcquire(now);
    if (!permit) throw new Error(`no permit for ${result} of ${results}: ${breaker.state}`);
    const durationMs = result === 's' || result === 'f' ? 100 : 0;
    if (result === '+' || result === 's') breaker.succeeded(permit, durationMs, now);
    else breaker.failed(permit, durationMs, now);
  }
}

function opened(config: CircuitBreakerConfig = {}, at = 0): CircuitBreaker {
  const breaker = new CircuitBreaker({ openMs: 100, ...config, window: { kind: 'count', size: 1 } });
  call(breaker, '-', at);
  expect(breaker.state).toBe('open');
  return breaker;
}

function halfOpened(config: CircuitBreakerConfig = {}): { breaker: CircuitBreaker; probe: Permit } {
  const breaker = opened(config);
  const probe = breaker.tryAcquire(100)!;
  expect(breaker.state).toBe('halfOpen');
  return { breaker, probe };
}

const count = (size: number) => ({ window: { kind: 'count', size } }) as const;

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

    it('asks for five calls with a time window, or for as many as it is told', () => {
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

  describe('open', () => {
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

  describe('half-open', () => {
    it('does not let "half-open admits everyone" come back: one probe by default, and others when it is settled', () => {
      const { breaker, probe } = halfOpened();
      for (let i = 0; i < 100; i++) expect(breaker.tryAcquire(100 + i)).toBeUndefined();
      expect(breaker.readyInMs(200)).toBe(59_900);
      breaker.release(probe, 200);
      expect(breaker.readyInMs(200)).toBe(0);
      expect(breaker.tryAcquire(200)).toMatchObject({ isProbe: true });
      expect(breaker.tryAcquire(200)).toBeUndefined();
    });

    it('does not let "half-open admits everyone" come back: no more probes at once than halfOpenPermits', () => {
      const { breaker, probe } = halfOpened({ halfOpenPermits: 3, halfOpenSuccesses: 10 });
      const probes = [probe, breaker.tryAcquire(100)!, breaker.tryAcquire(100)!];
      expect(new Set(probes).size).toBe(3);
      expect(breaker.tryAcquire(100)).toBeUndefined();
      breaker.succeeded(probes[1]!, 0, 101);
      expect(breaker.tryAcquire(101)).toBeDefined();
      expect(breaker.tryAcquire(101)).toBeUndefined();
    });

    it('counts a probe that is settled twice once', () => {
      const { breaker, probe } = halfOpened({ halfOpenPermits: 2, halfOpenSuccesses: 3 });
      expect(breaker.tryAcquire(100)).toBeDefined();
      breaker.succeeded(probe, 0, 100);
      breaker.succeeded(probe, 0, 100);
      breaker.release(probe, 100);
      breaker.failed(probe, 0, 100);
      expect(breaker.state).toBe('halfOpen');
      expect(breaker.tryAcquire(100)).toBeDefined();
      expect(breaker.tryAcquire(100)).toBeUndefined();
    });

    it('takes no permit that it has not given', () => {
      const { breaker } = halfOpened();
      breaker.succeeded({ generation: breaker.generation, isProbe: true }, 0, 100);
      breaker.release({ generation: breaker.generation, isProbe: true }, 100);
      expect(breaker.state).toBe('halfOpen');
      expect(breaker.tryAcquire(100)).toBeUndefined();
    });

    it('closes after halfOpenSuccesses, with an empty window', () => {
      const breaker = new CircuitBreaker({ ...count(2), openMs: 100, halfOpenSuccesses: 3 });
      call(breaker, '--');
      call(breaker, '++', 100);
      expect(breaker.state).toBe('halfOpen');
      call(breaker, '+', 100);
      expect(breaker.state).toBe('closed');
      call(breaker, '-', 100);
      expect(breaker.state).toBe('closed');
      call(breaker, '-', 100);
      expect(breaker.state).toBe('open');
    });

    it.each(['-', 's', 'f'])('opens again, for all of openMs, after %s', (result) => {
      const breaker = opened({ slowCallMs: 100, halfOpenSuccesses: 3 });
      call(breaker, '++', 100);
      call(breaker, result, 130);
      expect(breaker.state).toBe('open');
      expect(breaker.readyInMs(130)).toBe(100);
      // In a row: what went well before does not count.
      call(breaker, '++', 230);
      expect(breaker.state).toBe('halfOpen');
    });

    it('lets the results of other probes be when one has decided', () => {
      const { breaker, probe } = halfOpened({ halfOpenPermits: 2 });
      const other = breaker.tryAcquire(100)!;
      breaker.failed(probe, 0, 110);
      breaker.succeeded(other, 0, 120);
      expect(breaker.state).toBe('open');
      expect(breaker.readyInMs(120)).toBe(90);
      const next = breaker.tryAcquire(210)!;
      breaker.succeeded(other, 0, 210);
      expect(breaker.tryAcquire(210)).toBeDefined();
      breaker.succeeded(next, 0, 211);
      expect(breaker.state).toBe('closed');
    });

    it('a probe that never answers does not hold everybody for ever, unless it is told to', () => {
      const { breaker } = halfOpened();
      expect(breaker.tryAcquire(60_099)).toBeUndefined();
      expect(breaker.tryAcquire(60_100)).toBeUndefined();
      expect(breaker.tryAcquire(60_200)).toMatchObject({ isProbe: true });
      const patient = halfOpened({ maxHalfOpenMs: Number.POSITIVE_INFINITY });
      expect(patient.breaker.readyInMs(1e9)).toBe(Number.POSITIVE_INFINITY);
      expect(patient.breaker.tryAcquire(1e9)).toBeUndefined();
    });

    it('opens again after maxHalfOpenMs, and is half-open again after openMs', () => {
      const { breaker, probe } = halfOpened({ maxHalfOpenMs: 30 });
      expect(breaker.readyInMs(100)).toBe(30);
      expect(breaker.tryAcquire(129)).toBeUndefined();
      expect(breaker.readyInMs(129)).toBe(1);
      expect(breaker.tryAcquire(130)).toBeUndefined();
      expect(breaker.state).toBe('open');
      expect(breaker.readyInMs(130)).toBe(100);
      breaker.succeeded(probe, 0, 131);
      expect(breaker.state).toBe('open');
      expect(breaker.tryAcquire(230)).toMatchObject({ isProbe: true });
    });

    it('opened when maxHalfOpenMs was over, and not when somebody finds out', () => {
      const { breaker } = halfOpened({ maxHalfOpenMs: 30 });
      expect(breaker.readyInMs(150)).toBe(80);
      const heard: string[] = [];
      breaker.onChange((state) => heard.push(state));
      expect(breaker.tryAcquire(229)).toBeUndefined();
      expect(heard).toEqual(['open']);
      expect(breaker.readyInMs(229)).toBe(1);
      expect(halfOpened({ maxHalfOpenMs: 30 }).breaker.tryAcquire(230)).toBeDefined();
    });

    it('takes no success for one that comes when maxHalfOpenMs is over', () => {
      const { breaker, probe } = halfOpened({ maxHalfOpenMs: 30 });
      breaker.succeeded(probe, 30, 130);
      expect(breaker.state).toBe('open');
      const other = halfOpened({ maxHalfOpenMs: 30 });
      other.breaker.release(other.probe, 130);
      expect(other.breaker.state).toBe('open');
      const third = halfOpened({ maxHalfOpenMs: 30 });
      third.breaker.succeeded(third.probe, 29, 129);
      expect(third.breaker.state).toBe('closed');
    });

    it('opens again after maxHalfOpenMs with permits that nobody wants', () => {
      const { breaker } = halfOpened({ maxHalfOpenMs: 30, halfOpenPermits: 2 });
      expect(breaker.readyInMs(129)).toBe(0);
      expect(breaker.readyInMs(130)).toBe(100);
      expect(breaker.tryAcquire(130)).toBeUndefined();
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
