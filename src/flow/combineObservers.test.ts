import { describe, expect, it } from 'vitest';
import { combineObservers } from './combineObservers.js';
import { NO_CONTEXT, registerStage } from './context.js';
import { PipelineMonitor } from './monitor.js';
import type { StageObserver } from './stage.js';

const write = { status: 'written' as const, items: [], rows: 4, attempts: 1, durationMs: 0 };

describe('combined observers', () => {
  it('are all called, in order, and each may leave out what it likes', () => {
    const called: string[] = [];
    const all = combineObservers([
      { registered: ({ id }) => called.push(`a ${id}`), retrying: (_, ms) => called.push(`a ${ms}`) },
      {},
      {
        registered: ({ id }) => called.push(`b ${id}`),
        settled: (_, { rows }) => called.push(`b ${rows}`),
        writeFailed: (_, { type }) => called.push(`b ${type}`),
        guarded: (_, { state }) => called.push(`b ${state}`),
      },
    ]);
    const writer = new PipelineMonitor({ observer: all }).register({ kind: 'w' }).stage;
    all.settled?.(writer, write);
    all.writeFailed?.(writer, { type: 'E', class: 'transient' });
    all.retrying?.(writer, 9);
    all.guarded?.(writer, { state: 'open', onChange: () => () => {} });
    expect(called).toEqual(['a w', 'b w', 'b 4', 'b E', 'a 9', 'b open']);
  });

  it('have no event that none of them has, so that nothing is prepared for it', () => {
    expect(Object.keys(combineObservers([{ settled() {} }, { settled() {}, guarded() {} }]))).toEqual([
      'settled',
      'guarded',
    ]);
  });

  it('hand an error to the one who asked for it, and go on', () => {
    const broken: StageObserver = {
      settled() {
        throw new Error('broken');
      },
    };
    let called = 0;
    const errors: unknown[] = [];
    const rest: StageObserver = {
      settled() {
        called += 1;
      },
    };
    const stage = new PipelineMonitor().register({ kind: 'w' }).stage;
    combineObservers([broken, rest], (error, observer) => errors.push([(error as Error).message, observer])).settled?.(
      stage,
      write,
    );
    expect(called).toBe(1);
    expect(errors).toEqual([['broken', broken]]);
    expect(() => combineObservers([broken, rest]).settled?.(stage, write)).toThrow('broken');
  });
});

describe('a monitor', () => {
  it('tells its observers of stages that register while they observe, those that come back included', () => {
    const called: string[] = [];
    const observer = (name: string): StageObserver => ({
      registered: ({ id }) => called.push(`${name}: ${id}`),
      retrying: (_, ms) => called.push(`${name}: ${ms}`),
    });
    const monitor = new PipelineMonitor({ observer: observer('a') });
    const register = (kind: string) => registerStage({ ...NO_CONTEXT, monitor }, { kind });
    const account = register('x');
    const first = account.stage;
    const end = monitor.observe(observer('b'));
    register('y');
    first.observer?.retrying?.(first, 1);
    account.close();
    register('x');
    first.observer?.retrying?.(first, 2);
    end();
    end();
    register('z');
    expect(called).toEqual(['a: x', 'a: y', 'b: y', 'a: 1', 'a: 2', 'b: 2', 'a: z']);
  });
});
