import { expect } from 'vitest';
import { CircuitBreaker, type CircuitBreakerConfig, type Permit } from '../../src/policies/circuitBreaker.js';

/** Makes calls with the given results, each settled at once: `+` worked, `-` failed, `s` worked slowly, `f` failed slowly. */
export function call(breaker: CircuitBreaker, results: string, now = 0): void {
  for (const result of results) {
    const permit = breaker.tryAcquire(now);
    if (!permit) throw new Error(`no permit for ${result} of ${results}: ${breaker.state}`);
    const durationMs = result === 's' || result === 'f' ? 100 : 0;
    if (result === '+' || result === 's') breaker.succeeded(permit, durationMs, now);
    else breaker.failed(permit, durationMs, now);
  }
}

export function opened(config: CircuitBreakerConfig = {}, at = 0): CircuitBreaker {
  const breaker = new CircuitBreaker({ openMs: 100, ...config, window: { kind: 'count', size: 1 } });
  call(breaker, '-', at);
  expect(breaker.state).toBe('open');
  return breaker;
}

export function halfOpened(config: CircuitBreakerConfig = {}): { breaker: CircuitBreaker; probe: Permit } {
  const breaker = opened(config);
  const probe = breaker.tryAcquire(100)!;
  expect(breaker.state).toBe('halfOpen');
  return { breaker, probe };
}

export const count = (size: number) => ({ window: { kind: 'count', size } }) as const;
