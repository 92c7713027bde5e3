import { describe, expect, it } from 'vitest';
import {
  requireBoolean,
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireNumber,
  requireOneOf,
} from './validate.js';

describe('validate', () => {
  it('gives back what is right', () => {
    const work = () => {};
    expect(requireInteger('op', 'n', 3)).toBe(3);
    expect(requireInteger('op', 'n', 0, 0, 5)).toBe(0);
    expect(requireNumber('op', 'n', 0.5, 0, 1)).toBe(0.5);
    expect(requireNumber('op', 'n', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(requireDuration('op', 'ms', 0)).toBe(0);
    expect(requireOneOf('op', 'mode', 'a', ['a', 'b'])).toBe('a');
    expect(requireBoolean('op', 'flag', false)).toBe(false);
    expect(requireFunction('op', 'f', work)).toBe(work);
    expect(() => requireKnownOptions('op', { a: 1 }, ['a', 'b'])).not.toThrow();
  });

  it.each([
    [() => requireInteger('op', 'n', 0), 'op: n must be an integer of at least 1, got 0'],
    [() => requireInteger('op', 'n', 9, 1, 8), 'op: n must be an integer from 1 to 8, got 9'],
    [() => requireInteger('op', 'n', '3'), 'op: n must be an integer of at least 1, got "3"'],
    [() => requireInteger('op', 'n', Number.POSITIVE_INFINITY), 'got Infinity'],
    [() => requireInteger('op', 'n', undefined), 'got undefined'],
    [() => requireInteger('op', 'n', null), 'got null'],
    [() => requireNumber('op', 'n', Number.NaN), 'op: n must be a number, got NaN'],
    [() => requireNumber('op', 'n', 2, 0, 1), 'op: n must be a number of at least 0 and at most 1, got 2'],
    [() => requireNumber('op', 'n', -1, 0), 'op: n must be a number of at least 0, got -1'],
    [() => requireNumber('op', 'n', 2, undefined, 1), 'op: n must be a number of at most 1, got 2'],
    [
      () => requireDuration('op', 'ms', Number.POSITIVE_INFINITY),
      'op: ms must be a finite number of milliseconds of at least 0, got Infinity',
    ],
    [() => requireDuration('op', 'ms', 0, 1), 'of at least 1, got 0'],
    [() => requireDuration('op', 'ms', [5]), 'got an array'],
    [() => requireOneOf('op', 'mode', 'c', ['a', 'b']), 'op: mode must be one of "a", "b", got "c"'],
    [() => requireBoolean('op', 'flag', 'true'), 'op: flag must be true or false, got "true"'],
    [() => requireBoolean('op', 'flag', () => true), 'got a function'],
    [() => requireFunction('op', 'f', {}), 'op: f must be a function, got an object'],
    [() => requireKnownOptions('op', { a: 1, c: 2 }, ['a', 'b']), 'op: unknown option "c"; it knows a, b'],
    [() => requireKnownOptions('op', undefined, []), 'op: its configuration must be an object, got undefined'],
    [() => requireKnownOptions('op', null, []), 'got null'],
    [() => requireKnownOptions('op', [], []), 'got an array'],
  ])('names owner and option, says what is allowed and quotes what is wrong (%#)', (check, message) => {
    expect(check).toThrow(RangeError);
    expect(check).toThrow(message);
  });
});
