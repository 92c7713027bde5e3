import { describe, expect, it } from 'vitest';
import { formatError } from './formatError.js';

describe('the sentence of an error', () => {
  it.each<[string, unknown, string]>([
    ['an error', new Error('the disk is full'), 'the disk is full'],
    ['several addresses', new AggregateError([new Error('connect ECONNREFUSED ::1')]), 'connect ECONNREFUSED ::1'],
    ['an error without words', new TypeError(), 'TypeError'],
    ['no error', 'gone', 'gone'],
    ['nothing', undefined, 'undefined'],
  ])('of %s', (_, error, said) => {
    expect(formatError(error)).toBe(said);
  });

  it('keeps the advice on how to write a connection string', () => {
    const advice = 'write postgres://user:password@host:port/database';
    expect(formatError(new Error(advice))).toBe(advice);
  });

  it.each([
    'cannot open postgres://user:password@hunter2@h/d',
    'cannot open postgres://u:hunter2@h/d',
    'cannot open postgres://u:hun@hunter2@h/d at once',
    'host=h password=hunter2 user=u',
  ])('holds no password: %s', (message) => {
    const error = new Error('outer', { cause: new Error(message) });
    expect(formatError(new Error(message))).not.toContain('hunter2');
    expect(formatError(error, true)).not.toContain('hunter2');
    expect(formatError(error, true)).toMatch(/^Error: outer\n +at .*[\s\S]*cause.*Error: /);
  });
});
