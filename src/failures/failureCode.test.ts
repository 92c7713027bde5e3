import { describe, expect, it } from 'vitest';
import { hasFailureCode, isLostConnection } from './failureCode.js';

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
