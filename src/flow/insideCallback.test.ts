import { defer, NEVER, Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isInsideCallback } from './insideCallback.js';

function boundary<R>(work: () => R): R {
  return work();
}

/** What is said in a factory of `defer()` that is subscribed within the boundary. */
const inFactory = () => {
  let answer: boolean | undefined;
  const factory$ = defer(() => {
    answer = isInsideCallback(boundary.name);
    return NEVER;
  });
  boundary(() => factory$.subscribe());
  return answer;
};

describe('isInsideCallback', () => {
  it('is so in a factory, and not in what a hand-made observable does, itself or by what it calls', () => {
    const helper = () => isInsideCallback(boundary.name);
    const answers: boolean[] = [];
    const handMade$ = new Observable(() => {
      answers.push(isInsideCallback(boundary.name), helper());
      for (const again of [1].map(helper)) answers.push(again);
    });
    boundary(() => handMade$.subscribe());
    expect(answers).toEqual([false, false, false]);
    expect(inFactory()).toBe(true);
  });

  it('looks no further than the boundary', () => {
    let answer: boolean | undefined;
    defer(() => {
      answer = boundary(() => isInsideCallback(boundary.name));
      return NEVER;
    }).subscribe();
    expect(answer).toBe(false);
  });

  it('says no where the engine gives no call stack', () => {
    const { captureStackTrace } = Error;
    try {
      Object.assign(Error, { captureStackTrace: undefined });
      expect(inFactory()).toBe(false);
    } finally {
      Object.assign(Error, { captureStackTrace });
    }
    expect(inFactory()).toBe(true);
  });

  it('leaves the settings of Error as they were', () => {
    const prepare = (error: Error) => `prepared ${error.message}`;
    const before = { limit: Error.stackTraceLimit, prepare: Error.prepareStackTrace };
    try {
      Error.prepareStackTrace = prepare;
      Error.stackTraceLimit = 3;
      expect(inFactory()).toBe(true);
      expect([Error.prepareStackTrace, Error.stackTraceLimit]).toEqual([prepare, 3]);
    } finally {
      Error.prepareStackTrace = before.prepare;
      Error.stackTraceLimit = before.limit;
    }
  });
});
