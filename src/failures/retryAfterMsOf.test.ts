import { describe, expect, it } from 'vitest';
import { retryAfterMsOf } from './retryAfterMsOf.js';

describe('retryAfterMsOf', () => {
  it.each<[string, error: unknown, ms: number]>([
    ['of the error itself', { retryAfterMs: 7 }, 7],
    ['of its cause', new Error('outer', { cause: { retryAfterMs: 7 } }), 7],
    ['of the outermost that says so', { retryAfterMs: 3, cause: { retryAfterMs: 7 } }, 3],
    ['of the next where the outermost is no time', { retryAfterMs: -3, cause: { retryAfterMs: 7 } }, 7],
    ['0 for an error that does not say', new Error('lost'), 0],
    ['0 for what is no time', { retryAfterMs: '7' }, 0],
    ['0 for not a number', { retryAfterMs: Number.NaN }, 0],
    ['0 for less than nothing', { retryAfterMs: -1 }, 0],
    ['0 for never', { retryAfterMs: Number.POSITIVE_INFINITY }, 0],
    ['0 for nothing', undefined, 0],
    ['0 for null', null, 0],
    ['0 for a string', 'lost', 0],
  ])('is that %s', (_, error, ms) => {
    expect(retryAfterMsOf(error)).toBe(ms);
  });

  it('does not go round in circles', () => {
    const loop: { cause?: unknown } = {};
    loop.cause = { cause: loop };
    expect(retryAfterMsOf(loop)).toBe(0);
  });
});
