import { describe, expect, it } from 'vitest';
import { GatedQueue, type GatedQueueConfig, type Level } from './gatedQueue.js';

function lineWith(config: Partial<GatedQueueConfig<number>> = {}) {
  const stage = { taken: [] as number[], errors: [] as unknown[], levels: [] as Level[], isOpen: true };
  const line = new GatedQueue<number>({
    offer(item) {
      if (!stage.isOpen) return false;
      stage.taken.push(item);
      return true;
    },
    fail: (error) => stage.errors.push(error),
    onLevel: (level) => stage.levels.push(level),
    ...config,
  });
  return { line, stage };
}

describe('GatedQueue', () => {
  it('lets everything straight through while the stage takes it', () => {
    const { line, stage } = lineWith();
    expect([1, 2, 3].every((item) => line.push(item))).toBe(true);
    expect(stage.taken).toEqual([1, 2, 3]);
    expect(line.length).toBe(0);
    expect(line.gate.isOpen).toBe(true);
  });

  it('keeps what the stage does not take, with the gate closed, and hands it out in order', () => {
    const { line, stage } = lineWith();
    stage.isOpen = false;
    line.push(1);
    expect(line.gate.isOpen).toBe(false);
    line.push(2);
    stage.isOpen = true;
    line.push(3);
    expect(stage.taken).toEqual([]);
    line.flush();
    expect(stage.taken).toEqual([1, 2, 3]);
    expect(line.gate.isOpen).toBe(true);
  });

  it('puts back at the front what is refused on the way', () => {
    const taken: number[] = [];
    let room = 1;
    const line = new GatedQueue<number>({
      offer(item) {
        if (room === 0) return false;
        room -= 1;
        taken.push(item);
        return true;
      },
      fail: () => {},
    });
    for (const item of [1, 2, 3, 4]) line.push(item);
    expect(line.length).toBe(3);
    room = 1;
    line.flush();
    expect(taken).toEqual([1, 2]);
    room = 9;
    line.flush();
    expect(taken).toEqual([1, 2, 3, 4]);
  });

  it('closes at the high watermark and opens at the low one', () => {
    const { line, stage } = lineWith({ capacity: 6, high: 4, low: 2 });
    stage.isOpen = false;
    const gate: (readonly [number, string])[] = [];
    line.gate.state$.subscribe((state) => gate.push([line.length, state]));
    for (let item = 0; item < 6; item++) line.push(item);
    stage.isOpen = true;
    line.flush();
    expect(gate).toEqual([
      [0, 'open'],
      [4, 'closed'],
      [2, 'open'],
    ]);
    expect(stage.levels).toEqual(['soft', 'hard', 'soft', 'ok']);
  });

  it('refuses what it has no room for, and takes it again when the oldest is evicted', () => {
    const { line, stage } = lineWith({ capacity: 2 });
    stage.isOpen = false;
    expect([1, 2, 3].map((item) => line.push(item))).toEqual([true, true, false]);
    expect(line.evict()).toBe(1);
    expect(line.push(3)).toBe(true);
    stage.isOpen = true;
    line.flush();
    expect(stage.taken).toEqual([2, 3]);
  });

  it('queues what arrives while an item is on its way, behind what waits', () => {
    const taken: number[] = [];
    const line = new GatedQueue<number>({
      offer(item) {
        if (item < 10) line.push(item + 10);
        taken.push(item);
        return true;
      },
      fail: () => {},
    });
    line.push(1);
    line.push(2);
    expect(taken).toEqual([1, 11, 2, 12]);
  });

  it('drains a million that each bring another without recursion', () => {
    let taken = 0;
    const line = new GatedQueue<number>({
      offer(item) {
        taken += 1;
        if (item < 1_000_000) line.push(item + 1);
        return true;
      },
      fail: () => {},
    });
    line.push(1);
    expect(taken).toBe(1_000_000);
  });

  it('wakes a source at its gate while it drains, and hands out what that brings', () => {
    const { line, stage } = lineWith();
    stage.isOpen = false;
    line.push(1);
    line.gate.whenOpen(() => {
      line.push(2);
      line.push(3);
    });
    stage.isOpen = true;
    line.flush();
    expect(stage.taken).toEqual([1, 2, 3]);
    expect(line.length).toBe(0);
  });

  it('keeps its gate closed while the stage is not ready for whatever is next', () => {
    let free = 1;
    const line: GatedQueue<number> = new GatedQueue<number>({
      offer() {
        if (free === 0) return false;
        free -= 1;
        line.regulate();
        return true;
      },
      isReady: () => free > 0,
      fail: () => {},
    });
    line.push(1);
    expect(line.length).toBe(0);
    expect(line.gate.isOpen).toBe(false);
    free = 1;
    line.flush();
    expect(line.gate.isOpen).toBe(true);
  });

  it('leaves its gate as it is once its input has ended, and still tells its level', () => {
    let isOpen = false;
    const levels: string[] = [];
    const queue = new GatedQueue<number>({
      offer: () => isOpen,
      isReady: () => isOpen,
      fail: () => {},
      onLevel: (level) => levels.push(level),
    });
    const moves: string[] = [];
    queue.push(1);
    queue.gate.watch((open) => moves.push(open ? 'open' : 'closed'));
    let finished = 0;
    queue.end(() => (finished += 1));
    isOpen = true;
    queue.flush();
    expect([queue.length, finished, moves, queue.gate.isOpen]).toEqual([0, 1, [], false]);
    queue.gate.open();
    isOpen = false;
    queue.regulate();
    queue.push(2);
    expect(queue.gate.isOpen).toBe(true);
    expect(levels).toEqual(['soft', 'ok', 'soft']);
  });

  it('finishes once nothing waits, also when the end comes while an item is on its way', () => {
    const { line, stage } = lineWith();
    stage.isOpen = false;
    line.push(1);
    let finished = 0;
    line.end(() => {
      finished += 1;
    });
    line.end(() => {
      finished += 100;
    });
    expect(finished).toBe(0);
    stage.isOpen = true;
    line.flush();
    line.flush();
    expect(finished).toBe(1);

    const order: string[] = [];
    const ending = new GatedQueue<number>({
      offer(item) {
        ending.end(() => order.push('end'));
        order.push(`item ${item}`);
        return true;
      },
      fail: () => {},
    });
    ending.push(1);
    expect(order).toEqual(['item 1', 'end']);
  });

  it('fails with what its stage throws during a flush, wherever in it', () => {
    const failure = new Error('a callback throws');
    let isAngry = false;
    const fail = <R>(answer: R) => {
      if (isAngry) throw failure;
      return answer;
    };
    const cases: [string, Partial<GatedQueueConfig<number>>, () => void][] = [
      ['isReady', { isReady: () => fail(true) }, () => {}],
      ['onLevel', { onLevel: () => fail(undefined) }, () => {}],
      ['finish', {}, () => fail(undefined)],
    ];
    for (const [name, config, finish] of cases) {
      isAngry = false;
      const { line, stage } = lineWith(config);
      stage.isOpen = false;
      line.push(1);
      line.end(finish);
      stage.isOpen = true;
      isAngry = true;
      expect(() => line.flush(), name).not.toThrow();
      expect(stage.errors, name).toEqual([failure]);
    }
  });

  it('names the item that was being offered when it was stopped, and offers none behind it', () => {
    for (const how of ['takes', 'refuses', 'throws'] as const) {
      const late: number[] = [];
      let isOpen = false;
      const offered: number[] = [];
      const line: GatedQueue<number> = new GatedQueue<number>({
        offer(item) {
          if (!isOpen) return false;
          offered.push(item);
          line.stop();
          if (how === 'throws') throw new Error('stopped');
          return how === 'takes';
        },
        fail: () => {},
        onLate: (item) => late.push(item),
      });
      line.push(1);
      line.push(2);
      isOpen = true;
      line.flush();
      line.flush();
      expect([offered, late, line.gate.isOpen], how).toEqual([[1], [1], false]);
    }
  });

  it('throws to who pushes, and fails where it drains', () => {
    const failure = new Error('refused with anger');
    let angry = false;
    const errors: unknown[] = [];
    const line = new GatedQueue<number>({
      offer() {
        if (angry) throw failure;
        return false;
      },
      fail: (error) => errors.push(error),
    });
    line.push(1);
    angry = true;
    line.flush();
    expect(errors).toEqual([failure]);
    const other = new GatedQueue<number>({
      offer() {
        throw failure;
      },
      fail: (error) => errors.push(error),
    });
    expect(() => other.push(1)).toThrow(failure);
    expect(errors).toHaveLength(1);
  });
});
