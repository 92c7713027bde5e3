import { describe, expect, it, vi } from 'vitest';
import {
  boolean,
  checked,
  duration,
  func,
  having,
  integer,
  listOf,
  nested,
  number,
  oneOf,
  readArgument,
  readOptions,
  text,
  unchecked,
} from './options.js';

describe('readOptions', () => {
  const SPEC = {
    size: integer({ min: 1 }).required(),
    lingerMs: duration(),
    eager: boolean().default(false),
  };
  type Config = { size: number; lingerMs?: number | undefined; eager?: boolean | undefined };

  it('returns what was given, and defaults for the rest', () => {
    expect(readOptions('op', { size: 3, lingerMs: 5 } as Config, SPEC)).toEqual({
      size: 3,
      lingerMs: 5,
      eager: false,
    });
  });

  it('takes an option that is given as undefined for one that is not given', () => {
    const config: Config = { size: 3, lingerMs: undefined, eager: undefined };
    expect(readOptions('op', config, SPEC)).toEqual({ size: 3, lingerMs: undefined, eager: false });
  });

  it('leaves the config as it is', () => {
    const config = Object.freeze({ size: 3 }) as Config;
    expect(readOptions('op', config, SPEC)).not.toBe(config);
  });

  it('refuses a required option that is given as undefined', () => {
    expect(() => readOptions('op', { size: undefined } as never, SPEC)).toThrow(
      new RangeError('op: size must be an integer of at least 1, got undefined'),
    );
  });

  it.each([
    [{ size: 1, sise: 2 }, 'op: unknown option "sise" (did you mean "size"? expected one of: size, lingerMs, eager)'],
    [{ size: 1, lingerms: 2 }, 'op: unknown option "lingerms" (did you mean "lingerMs"? expected one of: size, '],
    [{ size: 1, capacity: 2 }, 'op: unknown option "capacity" (expected one of: size, lingerMs, eager)'],
    [{ size: 1, capacity: undefined }, 'op: unknown option "capacity"'],
    [undefined, 'op: its configuration must be an object, got undefined'],
    [null, 'op: its configuration must be an object, got null'],
    [[], 'op: its configuration must be an object, got an array'],
    ['size', 'op: its configuration must be an object, got "size"'],
  ])('refuses the config %o', (config, message) => {
    expect(() => readOptions('op', config as never, SPEC)).toThrow(RangeError);
    expect(() => readOptions('op', config as never, SPEC)).toThrow(message);
  });

  it('reads a nested config, with defaults and owner of its own', () => {
    const spec = {
      retry: nested({ max: integer({ min: 1 }).default(5) })
        .or(false)
        .default({}),
    };
    const read = (retry?: unknown) => readOptions('op', { retry } as { retry?: { max?: number } | false }, spec);
    expect(read()).toEqual({ retry: { max: 5 } });
    expect(read({ max: 2 })).toEqual({ retry: { max: 2 } });
    expect(read(false)).toEqual({ retry: false });
    expect(() => read({ max: 0 })).toThrow('op: retry: max must be an integer of at least 1, got 0');
    expect(() => read({ min: 0 })).toThrow(
      'op: retry: unknown option "min" (did you mean "max"? expected one of: max)',
    );
    expect(() => read(5)).toThrow('op: retry must be an object, or false, got 5');
  });
});

describe('an option', () => {
  it.each([
    ['integer()', integer(), -3],
    ['integer({ min, max })', integer({ min: 0, max: 5 }), 0],
    ['or(Infinity)', integer({ min: 1 }).or(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY],
    ['number()', number(), Number.POSITIVE_INFINITY],
    ['number({ min, max })', number({ min: 0, max: 1 }), 1],
    ['duration()', duration(), 0],
    ['boolean()', boolean(), false],
    ['text()', text(), 'x'],
    ['oneOf()', oneOf(['a', 'b']), 'b'],
    ['func()', func(), () => {}],
    ['having()', having('write'), { write: () => {} }],
    ['listOf()', listOf(text().required()), ['a', 'b']],
    ['unchecked()', unchecked(), Symbol('any')],
    ['checked()', checked('even', (value): value is number => Number(value) % 2 === 0), 4],
  ])('%s returns what is right', (_, option, value) => {
    expect(option.read('op', 'x', value)).toEqual(value);
    expect(option.read('op', 'x', undefined)).toBeUndefined();
  });

  it.each([
    [integer({ min: 1 }), 0, 'an integer of at least 1, got 0'],
    [integer({ min: 1, max: 8 }), 9, 'an integer from 1 to 8, got 9'],
    [integer({ max: 8 }), 9, 'an integer of at most 8, got 9'],
    [integer(), 2 ** 53, 'an integer, got 9007199254740992'],
    [integer({ min: 1 }), '3', 'an integer of at least 1, got "3"'],
    [integer({ min: 1 }), null, 'got null'],
    [integer({ min: 1 }), Number.POSITIVE_INFINITY, 'got Infinity'],
    [integer({ min: 1 }).or(Number.POSITIVE_INFINITY), 0, 'an integer of at least 1, or Infinity, got 0'],
    [number(), Number.NaN, 'a number, got NaN'],
    [number({ min: 0, max: 1 }), 2, 'a number of at least 0 and at most 1, got 2'],
    [number({ min: 0 }), -1, 'a number of at least 0, got -1'],
    [number({ max: 1 }), 2, 'a number of at most 1, got 2'],
    [number({ above: 0 }), 0, 'a number above 0, got 0'],
    [number({ above: 0, max: 1 }).or('max'), 'min', 'a number above 0 and at most 1, or "max", got "min"'],
    [duration(), Number.POSITIVE_INFINITY, 'a finite number of milliseconds of at least 0, got Infinity'],
    [duration({ min: 1 }), 0, 'of at least 1, got 0'],
    [duration({ max: 5 }), -1, 'a finite number of milliseconds of at least 0 and at most 5, got -1'],
    [duration({ above: 0 }), 0, 'a finite number of milliseconds above 0, got 0'],
    [duration(), [5], 'got an array'],
    [boolean(), 'true', 'true or false, got "true"'],
    [boolean(), () => true, 'got a function'],
    [text(), '', 'a string that is not empty, got ""'],
    [oneOf(['a', 'b']), 'c', 'one of "a", "b", got "c"'],
    [func(), {}, 'a function, got an object'],
    [listOf(text().required(), { min: 1 }), [], 'an array that is not empty, got an array'],
    [checked('even', (value): value is number => Number(value) % 2 === 0), 3, 'even, got 3'],
  ])('says what is allowed and quotes what is wrong (%#)', (option, value, message) => {
    expect(() => option.read('op', 'x', value)).toThrow(RangeError);
    expect(() => option.read('op', 'x', value)).toThrow(message);
    expect(() => option.read('op', 'x', value)).toThrow(/^op: x must be /);
  });

  it('names the method or the element that is wrong', () => {
    expect(() => having('write').read('op', 'sink', {})).toThrow(
      'op: the write of its sink must be a function, got undefined',
    );
    expect(() => having('write').read('op', 'sink', null)).toThrow('op: the write of its sink must be a function');
    expect(() => listOf(text().required()).read('op', 'names', ['a', 5])).toThrow('op: names[1] must be a string');
  });

  it('has no default that a caller may not write out', () => {
    expect(() => integer({ min: 1 }).default(Number.POSITIVE_INFINITY)).toThrow('got Infinity');
    const bytes = integer({ min: 1 }).or(Number.POSITIVE_INFINITY).default(Number.POSITIVE_INFINITY);
    expect(bytes.read('op', 'x', undefined)).toBe(Number.POSITIVE_INFINITY);
    expect(bytes.read('op', 'x', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it('leaves a default that is an object as it is', () => {
    const clock = { now: vi.fn() };
    expect(having('now').default(clock).read('op', 'clock', undefined)).toBe(clock);
  });
});

describe('readArgument', () => {
  it('requires what would be optional in a config', () => {
    expect(readArgument('op', 'path', 'a.csv', text())).toBe('a.csv');
    expect(() => readArgument('op', 'path', undefined, text())).toThrow('op: path must be a string');
  });
});
