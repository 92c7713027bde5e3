import { describe, expect, it } from 'vitest';
import { hasFailureCode, isLostConnection, retryAfterMsOf } from './failureHints.js';

const coded = (code: string, cause?: unknown) => Object.assign(new Error(code, { cause }), { code });

describe('hasFailureCode', () => {
  it.each([
    [coded('ECONNREFUSED'), true],
    [Object.assign(new Error('x'), { sqlState: '53300' }), true],
    [new Error('outer', { cause: coded('40P01') }), true],
    [new Error('odd'), false],
    [Object.assign(new Error('x'), { code: 7 }), false],
    ['ECONNRESET', false],
    [undefined, false],
    [null, false],
  ])('of %s is %s', (error, expected) => {
    expect(hasFailureCode(error)).toBe(expected);
  });
});

describe('isLostConnection', () => {
  it.each([
    ['ECONNRESET', true],
    ['EPIPE', true],
    // There was none to lose.
    ['ECONNREFUSED', false],
    ['40001', false],
  ])('of %s is %s, by itself and as a cause', (code, expected) => {
    expect(isLostConnection(coded(code))).toBe(expected);
    expect(isLostConnection(new Error('outer', { cause: coded(code) }))).toBe(expected);
  });

  it('believes an error that says so itself', () => {
    expect(isLostConnection({ connectionLost: true })).toBe(true);
    expect(isLostConnection(new Error('outer', { cause: { connectionLost: true } }))).toBe(true);
    expect(isLostConnection({ connectionLost: false })).toBe(false);
    expect(isLostConnection(new AggregateError([new Error('x'), coded('ECONNRESET')]))).toBe(true);
  });

  it('ends where causes go in a circle', () => {
    const error = new Error('round');
    error.cause = error;
    expect(isLostConnection(error)).toBe(false);
  });
});

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
