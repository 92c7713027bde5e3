import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { nothing } from '../../test/support/emptyAccount.js';
import type { RunReport } from '../operators/running/runReport.js';
import { isRunError, RunError } from './runError.js';

const report: RunReport = {
  ...nothing,
  outcome: 'failed',
  durationMs: 5,
  batches: 0,
  rows: 0,
  received: 12_345,
  written: 12_000,
  diverted: 3,
  held: 342,
  heldBy: { boundedBuffer: 300, writeTo: 42 },
  unstopped: [],
  stages: [],
};

describe('RunError', () => {
  it('keeps its cause and report, though neither is listed among its properties', () => {
    const cause = new Error('no table');
    const error = new RunError(report, { cause });
    expect(isRunError(error)).toBe(true);
    expect(error.cause).toBe(cause);
    expect(error.report).toBe(report);
    expect(Object.keys(error)).toEqual(['name', 'code']);
  });

  it('shows where items are held, and how to see those that were diverted', () => {
    const text = inspect(new RunError(report, { cause: new Error('no table') }));
    expect(text).toContain('account  received 12,345, written 12,000, diverted 3, dropped 0, held 342 (lost');
    expect(text).toContain('held in  boundedBuffer 300, writeTo 42');
    expect(text).toContain('see the 3 diverted items with `npx sluice dlq ls`');
    expect(text.split('\n').length).toBeLessThan(13);
    expect(new RunError({ ...report, diverted: 0 }, { cause: 1 }).stack).not.toContain('dlq ls');
  });

  it.each<[string, unknown, RegExp]>([
    ['a text', 'the lights went out', /cause +string the lights went out/],
    ['nothing', undefined, /cause +undefined undefined/],
    ['a ring of causes', ring(), /cause +Error, caused by Error E2$/m],
    [
      'several addresses',
      new AggregateError([new Error('connect ECONNREFUSED ::1')]),
      /failed: connect ECONNREFUSED ::1 /,
    ],
    ['a message over lines', new Error('one\ntwo\u001b[31m'), /failed: one two\\u001b\[31m /],
    ['a name that is no text', Object.assign(new Error('x'), { name: {} }), /cause +$/m],
    [
      'a message that cannot be read',
      Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('no');
        },
      }),
      /failed: an error that cannot be read /,
    ],
  ])('reads whatever was thrown: %s', (_, cause, expected) => {
    const { stack } = new RunError(report, { cause });
    expect(stack).toMatch(expected);
    // By which tools tell a stack.
    expect(stack).toMatch(/\n {4}at /);
  });
});

function ring(): Error {
  const outer = new Error('outer');
  outer.cause = Object.assign(new Error('inner', { cause: outer }), { code: 'E2' });
  return outer;
}
