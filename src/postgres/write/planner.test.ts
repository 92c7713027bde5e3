import { describe, expect, it } from 'vitest';
import { COPY_FROM_ROWS, STAGE_FROM_ROWS, WritePlanner } from './planner.js';

const FEW = COPY_FROM_ROWS - 1;
const SOME = COPY_FROM_ROWS;
const MANY = STAGE_FROM_ROWS;

/** How many batches are upserted until the next is copied. */
function pauseOf(planner: WritePlanner): number {
  for (let batches = 0; batches < 5000; batches++) {
    if (planner.plan(MANY) === 'copy') return batches;
  }
  return Number.POSITIVE_INFINITY;
}

describe('WritePlanner', () => {
  it('copies while nothing conflicts', () => {
    const planner = new WritePlanner('auto', true);
    for (let i = 0; i < 100; i++) {
      expect(planner.plan(MANY)).toBe('copy');
      planner.settle('committed');
    }
  });

  it('goes by the size of the batch', () => {
    const planner = new WritePlanner('auto', true);
    expect(planner.plan(FEW)).toBe('unnest');
    expect(planner.plan(SOME)).toBe('copy');
    expect(planner.upsert(MANY - 1)).toBe('unnest');
    expect(planner.upsert(MANY)).toBe('copyUpsert');
  });

  it('never copies where the server offers none', () => {
    const planner = new WritePlanner('auto', false);
    expect([FEW, SOME, MANY].map((rows) => planner.plan(rows))).toEqual(['unnest', 'unnest', 'unnest']);
    expect(planner.upsert(MANY)).toBe('unnest');
  });

  it.each(['unnest', 'copyUpsert', 'copy'] as const)('keeps to the strategy %s it is told', (strategy) => {
    const planner = new WritePlanner(strategy, true);
    for (const rows of [1, SOME, MANY]) {
      expect(planner.plan(rows)).toBe(strategy);
      planner.settle('conflicted');
    }
  });

  it('upserts for a while after a conflict, then tries one batch', () => {
    const planner = new WritePlanner('auto', true);
    planner.plan(MANY);
    planner.settle('conflicted');
    expect(pauseOf(planner)).toBe(32);
    // Until the result of that one is there, all others are upserted.
    expect(pauseOf(planner)).toBe(Number.POSITIVE_INFINITY);
    planner.settle('committed');
    expect(planner.plan(MANY)).toBe('copy');
  });

  it('tries more rarely the more tries conflict, and more often again when they do not', () => {
    const planner = new WritePlanner('auto', true);
    const pauses: number[] = [];
    planner.plan(MANY);
    for (let i = 0; i < 8; i++) {
      planner.settle('conflicted');
      pauses.push(pauseOf(planner));
    }
    expect(pauses).toEqual([32, 64, 128, 256, 512, 1024, 1024, 1024]);
    for (let i = 0; i < 3; i++) planner.settle('committed');
    planner.settle('conflicted');
    expect(pauseOf(planner)).toBe(128);
  });

  it('counts the conflicts of batches under way together as one', () => {
    const planner = new WritePlanner('auto', true);
    for (let lane = 0; lane < 4; lane++) planner.plan(MANY);
    for (let lane = 0; lane < 4; lane++) planner.settle('conflicted');
    expect(pauseOf(planner)).toBe(32);
  });

  it('does not take a straggler that committed for an end of the pause', () => {
    const planner = new WritePlanner('auto', true);
    planner.settle('conflicted');
    planner.settle('committed');
    expect(pauseOf(planner)).toBe(32);
  });

  it('does not wait for ever for a try that failed for another reason', () => {
    const planner = new WritePlanner('auto', true);
    planner.settle('conflicted');
    expect(pauseOf(planner)).toBe(32);
    planner.settle('failed');
    expect(pauseOf(planner)).toBe(64);
    planner.settle('committed');
    expect(planner.plan(MANY)).toBe('copy');
  });

  it('is not made cautious by a failure that is no conflict', () => {
    const planner = new WritePlanner('auto', true);
    planner.plan(MANY);
    planner.settle('failed');
    expect(planner.plan(MANY)).toBe('copy');
  });

  it('gives up for good what the server does not permit', () => {
    const planner = new WritePlanner('auto', true);
    expect(planner.drop('copy')).toBe(true);
    expect(planner.plan(MANY)).toBe('copyUpsert');
    expect(planner.drop('copyUpsert')).toBe(true);
    expect(planner.plan(MANY)).toBe('unnest');
    expect(planner.upsert(MANY)).toBe('unnest');
    expect(pauseOf(planner)).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not give up the strategy that it was asked for', () => {
    for (const strategy of ['copy', 'copyUpsert'] as const) {
      const planner = new WritePlanner(strategy, true);
      expect(planner.drop(strategy)).toBe(false);
      expect(planner.plan(MANY)).toBe(strategy);
    }
  });

  it('asks for the order of keys after a deadlock, and not for ever', () => {
    const planner = new WritePlanner('auto', true);
    expect(planner.inKeyOrder()).toBe(false);
    planner.deadlocked();
    let ordered = 0;
    while (planner.inKeyOrder() && ordered < 10_000) ordered += 1;
    expect(ordered).toBe(1024);
  });
});
