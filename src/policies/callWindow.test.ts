import { describe, expect, it } from 'vitest';
import { type CallWindow, CountWindow, TimeWindow } from './callWindow.js';

const counts = ({ calls, failures, slowCalls }: CallWindow) => [calls, failures, slowCalls];

describe('CountWindow', () => {
  it('counts the last calls, and forgets the oldest', () => {
    const window = new CountWindow(3);
    expect(counts(window)).toEqual([0, 0, 0]);
    window.record(true, false);
    window.record(false, true);
    window.record(true, true);
    expect(counts(window)).toEqual([3, 2, 2]);
    window.record(false, false);
    expect(counts(window)).toEqual([3, 1, 2]);
    window.record(false, false);
    expect(counts(window)).toEqual([3, 1, 1]);
    window.record(false, false);
    expect(counts(window)).toEqual([3, 0, 0]);
  });

  it('forgets everything when it is cleared', () => {
    const window = new CountWindow(2);
    for (let i = 0; i < 3; i++) window.record(true, true);
    window.clear();
    expect(counts(window)).toEqual([0, 0, 0]);
    for (let i = 0; i < 3; i++) window.record(false, false);
    expect(counts(window)).toEqual([2, 0, 0]);
  });

  it('may be of one call', () => {
    const window = new CountWindow(1);
    window.record(true, false);
    window.record(false, true);
    expect(counts(window)).toEqual([1, 0, 1]);
  });
});

describe('TimeWindow', () => {
  it('counts a call for at least nine tenths of the window, and for less than all of it', () => {
    for (const at of [1_000, 1_001, 1_099]) {
      const window = new TimeWindow(1_000);
      window.record(false, false, 1_000);
      window.record(true, true, at);
      window.record(false, false, 1_999);
      expect(counts(window)).toEqual([3, 1, 1]);
      window.record(false, false, 2_000);
      expect(counts(window)).toEqual([2, 0, 0]);
    }
  });

  it('forgets a bucket at a time', () => {
    const window = new TimeWindow(100);
    for (let now = 0; now < 100; now++) window.record(true, false, now);
    expect(counts(window)).toEqual([100, 100, 0]);
    window.record(false, false, 100);
    expect(counts(window)).toEqual([91, 90, 0]);
    window.record(false, false, 125);
    expect(counts(window)).toEqual([72, 70, 0]);
    window.record(false, false, 199);
    expect(counts(window)).toEqual([3, 0, 0]);
  });

  it('forgets everything after a silence as long as itself, or far longer', () => {
    for (const silenceMs of [100, 105, 1_000, 1e12]) {
      const window = new TimeWindow(100);
      window.record(true, true, 0);
      window.record(true, true, silenceMs);
      expect(counts(window)).toEqual([1, 1, 1]);
    }
  });

  it('forgets everything when it is cleared, and goes on at the same time', () => {
    const window = new TimeWindow(100);
    window.record(true, true, 0);
    window.record(true, true, 55);
    window.clear();
    expect(counts(window)).toEqual([0, 0, 0]);
    window.record(false, true, 55);
    expect(counts(window)).toEqual([1, 0, 1]);
    window.record(false, false, 149);
    expect(counts(window)).toEqual([2, 0, 1]);
    window.record(false, false, 150);
    expect(counts(window)).toEqual([2, 0, 0]);
  });
});
