import { describe, expect, it } from 'vitest';
import { call, count, halfOpened, opened } from '../../test/support/breakers.js';
import { CircuitBreaker } from './circuitBreaker.js';

describe('CircuitBreaker, half-open', () => {
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

  it('a probe that never answers holds others back for maxHalfOpenMs: for ever only if that is Infinity', () => {
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
