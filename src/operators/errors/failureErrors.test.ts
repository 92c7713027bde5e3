import { describe, expect, it } from 'vitest';
import {
  CircuitOpenError,
  isCircuitOpenError,
  isStaleStreamError,
  isWriteTimeoutError,
  StaleStreamError,
  WriteTimeoutError,
} from '../../index.js';

const CASES = [
  [new CircuitOpenError('feed', 1_500.2), 'CircuitOpenError', 'SLUICE_CIRCUIT_OPEN', isCircuitOpenError, 'in 1501 ms'],
  [new CircuitOpenError('feed', Infinity), 'CircuitOpenError', 'SLUICE_CIRCUIT_OPEN', isCircuitOpenError, 'is reset'],
  [new StaleStreamError('feed', 30_000), 'StaleStreamError', 'SLUICE_STREAM_STALE', isStaleStreamError, '30000 ms'],
  [new WriteTimeoutError('feed', 50), 'WriteTimeoutError', 'SLUICE_WRITE_TIMEOUT', isWriteTimeoutError, '50 ms'],
] as const;

describe('errors of failures', () => {
  it.each(CASES)('%s has a name and a code, and says where and how long', (error, name, code, isIt, part) => {
    expect(error).toMatchObject({ name, code });
    expect(error.message).toContain('feed');
    expect(error.message).toContain(part);
    for (const [other, , otherCode] of CASES) expect(isIt(other)).toBe(otherCode === code);
    expect(isIt({ name, code })).toBe(false);
    expect(isIt(undefined)).toBe(false);
  });

  it('say when to try again', () => {
    expect(new CircuitOpenError('feed', 1_500.2).retryAfterMs).toBe(1_500.2);
    expect(new StaleStreamError('feed', 30_000)).toMatchObject({ stage: 'feed', staleAfterMs: 30_000 });
  });
});
