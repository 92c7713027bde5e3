import { concat, NEVER, of, range, Subject, throwError } from 'rxjs';
import { concatMap, take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { probeGate } from '../testing/probeGate.js';
import { type BoundedBufferConfig, boundedBuffer, type Overflow } from './boundedBuffer.js';

/**
 * A buffer between a Subject, which knows no gate, and a gate that the test moves. `moves` are those of the buffer's gate, and
 * `heldAtMoves` says beside each how many items the buffer held.
 */
function bench(
  config: BoundedBufferConfig<number> = {},
  { state = 'closed' as 'open' | 'closed', onNext = (_item: number, _gate: Gate) => {} } = {},
) {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<number>();
  const buffer = boundedBuffer<number>(config);
  const levels: string[] = [];
  buffer.level$.subscribe((level) => levels.push(level));
  const probe = probeGate<number>();
  const moves: string[] = [];
  const heldAtMoves: string[] = [];
  // The buffer is the first stage to be registered.
  probe.gateLog$.subscribe((move) => {
    moves.push(move);
    heldAtMoves.push(`${move}${monitor.stages[0]?.held ?? 0}`);
  });
  const result = record(
    source.pipe(
      probe,
      buffer,
      withContext({ gate, monitor }),
      tap((item) => onNext(item, gate)),
    ),
  );
  const stage = monitor.stages[0]!;
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, monitor, source, push, result, stage, levels, moves, heldAtMoves };
}

describe('boundedBuffer', () => {
  describe('configuration', () => {
    it.each([
      [{ capacity: 0 }, 'boundedBuffer: capacity must be an integer of at least 1, got 0'],
      [{ capacity: 1.5 }, 'got 1.5'],
      [{ highWatermark: 1.1 }, 'boundedBuffer: highWatermark must be a number of at least 0 and at most 1, got 1.1'],
      [{ lowWatermark: -0.1 }, 'boundedBuffer: lowWatermark'],
      [{ highWatermark: 0.5, lowWatermark: 0.5 }, 'lowWatermark must be below highWatermark, got 0.5 and 0.5'],
      [{ highWatermark: 0 }, 'lowWatermark must be below highWatermark, got 0 and 0'],
      [{ overflow: 'drop' as Overflow }, 'overflow must be one of "fail", "dropOldest", "dropIncoming", got "drop"'],
      [{ onDrop: 'log' as never }, 'boundedBuffer: onDrop must be a function, got "log"'],
      [{ size: 3 } as never, 'boundedBuffer: unknown option "size"'],
    ])('refuses %j when it is made', (config, message) => {
      expect(() => boundedBuffer(config)).toThrow(RangeError);
      expect(() => boundedBuffer(config)).toThrow(message);
    });

    it('holds 10,000 items, closes at 8,000 and opens at 5,000 by default', () => {
      const { gate, push, source, result, heldAtMoves } = bench();
      push(...upTo(10_000));
      expect(source.observed).toBe(true);
      gate.open();
      expect(heldAtMoves).toEqual(['o0', 'c8000', 'o5000']);
      expect(result.values).toHaveLength(10_000);
      gate.close();
      push(...upTo(10_001));
      expect(source.observed).toBe(false);
    });

    it('takes half of the high watermark for the low one, where that is less than 0.5', () => {
      const { gate, push, heldAtMoves } = bench({ capacity: 100, highWatermark: 0.4 });
      push(...upTo(40));
      gate.open();
      expect(heldAtMoves).toEqual(['o0', 'c40', 'o20']);
    });
  });

  it('passes items straight through while downstream is open', () => {
    const { push, result, stage, moves } = bench({ capacity: 2 }, { state: 'open' });
    push(1, 2, 3, 4, 5);
    expect(result.values).toEqual([1, 2, 3, 4, 5]);
    expect(stage.held).toBe(0);
    expect(moves).toEqual(['o']);
  });

  it('closes exactly at the high watermark and opens exactly at the low one', () => {
    const { gate, push, result, heldAtMoves } = bench({ capacity: 10, highWatermark: 0.8, lowWatermark: 0.3 });
    push(...upTo(8));
    expect(heldAtMoves).toEqual(['o0', 'c8']);
    gate.open();
    expect(heldAtMoves).toEqual(['o0', 'c8', 'o3']);
    expect(result.values).toEqual([...upTo(8)]);
  });

  it('does not move its gate between the watermarks (hysteresis)', () => {
    const { gate, push, result, stage, moves } = bench(
      { capacity: 10, highWatermark: 0.8, lowWatermark: 0.2 },
      // One item at a time gets through.
      { onNext: (_item, downstream) => downstream.close() },
    );
    push(...upTo(8));
    for (let taken = 1; taken <= 5; taken++) {
      gate.open();
      expect(result.values).toHaveLength(taken);
      expect(moves).toEqual(['o', 'c']);
    }
    gate.open();
    expect(stage.held).toBe(2);
    expect(moves).toEqual(['o', 'c', 'o']);
    // Up again from the low mark: nothing happens until the high one.
    push(...upTo(5));
    expect(moves).toEqual(['o', 'c', 'o']);
    push(5);
    expect(moves).toEqual(['o', 'c', 'o', 'c']);
  });

  it('pauses a source that obeys the gate, at the high watermark, and holds no more', () => {
    const gate = new Gate('closed');
    const monitor = new PipelineMonitor();
    let emitted = 0;
    const source$ = gatedFrom(upTo(1_000), () => emitted++);
    const seen: number[] = [];
    source$.pipe(boundedBuffer({ capacity: 10 }), withContext({ gate, monitor })).subscribe((item) => {
      seen.push(item);
      if (seen.length % 3 === 0) gate.close();
    });
    expect(emitted).toBe(8);
    for (let openings = 0; openings < 400; openings++) {
      expect(monitor.stages[0]?.held).toBeLessThanOrEqual(8);
      expect(monitor.account().conservation).toBe(0);
      gate.open();
    }
    expect(seen).toEqual([...upTo(1_000)]);
  });

  it('closes and opens at whole items where a fraction of the capacity is not quite whole', () => {
    // 100 × 0.55 is 55.00000000000001 in binary, and 100 × 0.29 is 28.999999999999996.
    const { gate, push, heldAtMoves } = bench({ capacity: 100, highWatermark: 0.55, lowWatermark: 0.29 });
    push(...upTo(60));
    gate.open();
    expect(heldAtMoves).toEqual(['o0', 'c55', 'o29']);
  });

  describe('overflow', () => {
    it("'fail' delivers what is held, then fails, naming the stage and the remedy", () => {
      const drops: unknown[] = [];
      const { gate, push, result, stage, source } = bench({
        capacity: 3,
        name: 'ticks',
        onDrop: (...drop) => drops.push(drop),
      });
      push(1, 2, 3, 4, 5);
      expect(result.error).toBeUndefined();
      expect(source.observed).toBe(false);
      gate.open();
      expect(result.values).toEqual([1, 2, 3]);
      expect(result.error).toBeInstanceOf(BufferOverflowError);
      const error = result.error as BufferOverflowError;
      expect(error.code).toBe('SLUICE_BUFFER_OVERFLOW');
      expect(error.stage).toBe('ticks');
      expect(error.capacity).toBe(3);
      expect(error.message).toContain('ticks overflowed: 3 items were waiting');
      expect(error.message).toContain('gatedSource()');
      expect(error.message).toContain('broadcast()');
      expect(drops).toEqual([[4, 'overflow']]);
      expect([...stage.dropped]).toEqual([['overflow', 1]]);
      expect(stage.conservation).toBe(0);
    });

    it.each(['block', 'error'])('is not %s any more, and says what it is called', (overflow) => {
      expect(() => boundedBuffer({ overflow } as never)).toThrow(RangeError);
      expect(() => boundedBuffer({ overflow } as never)).toThrow(`overflow "${overflow}" is called "fail"`);
    });

    it("'dropOldest' keeps the newest, and tells of each victim once", () => {
      const drops: unknown[] = [];
      const { gate, push, result, stage, monitor } = bench({
        capacity: 3,
        overflow: 'dropOldest',
        onDrop: (...drop) => drops.push(drop),
      });
      push(1, 2, 3, 4, 5);
      expect(stage.held).toBe(3);
      expect(drops).toEqual([
        [1, 'dropOldest'],
        [2, 'dropOldest'],
      ]);
      gate.open();
      push(6);
      expect(result.values).toEqual([3, 4, 5, 6]);
      expect(monitor.account()).toMatchObject({
        received: 6,
        delivered: 4,
        dropped: { dropOldest: 2 },
        conservation: 0,
      });
    });

    it("'dropIncoming' keeps the oldest, and tells of each victim once", () => {
      const drops: unknown[] = [];
      const { gate, push, result, monitor } = bench({
        capacity: 3,
        overflow: 'dropIncoming',
        onDrop: (...drop) => drops.push(drop),
      });
      push(1, 2, 3, 4, 5);
      gate.open();
      push(6);
      expect(result.values).toEqual([1, 2, 3, 6]);
      expect(drops).toEqual([
        [4, 'dropIncoming'],
        [5, 'dropIncoming'],
      ]);
      expect(monitor.account()).toMatchObject({ dropped: { dropIncoming: 2 }, conservation: 0 });
    });

    it('drops from a buffer of one', () => {
      const { gate, push, result } = bench({ capacity: 1, overflow: 'dropOldest' });
      push(1, 2, 3);
      gate.open();
      expect(result.values).toEqual([3]);
    });

    it.each(['dropOldest', 'dropIncoming', 'fail'] as const)(
      'sends what onDrop throws to the error channel (%s)',
      (overflow) => {
        const failure = new Error('cannot log');
        const { push, result, source, monitor } = bench({
          capacity: 1,
          overflow,
          onDrop: () => {
            throw failure;
          },
        });
        expect(() => push(1, 2)).not.toThrow();
        expect(result.error).toBe(failure);
        expect(result.completed).toBe(false);
        expect(source.observed).toBe(false);
        expect(monitor.account().conservation).toBe(0);
      },
    );
  });

  it('tells its level: ok, soft at the high watermark, hard when full, and back', () => {
    const { gate, push, levels, result } = bench({ capacity: 10 });
    push(...upTo(7));
    expect(levels).toEqual(['ok']);
    push(7);
    expect(levels).toEqual(['ok', 'soft']);
    push(8, 9);
    expect(levels).toEqual(['ok', 'soft', 'hard']);
    gate.open();
    expect(levels).toEqual(['ok', 'soft', 'hard', 'soft', 'ok']);
    expect(result.values).toHaveLength(10);
  });

  it('is at level ok again when its subscription has ended', () => {
    const { push, levels, result } = bench({ capacity: 10 });
    push(...upTo(8));
    result.subscription.unsubscribe();
    expect(levels).toEqual(['ok', 'soft', 'ok']);
  });

  it('tells the level of the latest subscription, whatever becomes of an older one', () => {
    const source = new Subject<number>();
    const buffer = boundedBuffer<number>({ capacity: 10 });
    const levels: string[] = [];
    buffer.level$.subscribe((level) => levels.push(level));
    const gates = [new Gate('closed'), new Gate('closed')];
    const [older, latest] = gates.map((gate) => record(source.pipe(buffer, withContext({ gate }))));
    for (const n of upTo(8)) source.next(n);
    expect(levels).toEqual(['ok', 'soft']);
    gates[0]!.open();
    expect(levels).toEqual(['ok', 'soft']);
    older!.subscription.unsubscribe();
    expect(levels).toEqual(['ok', 'soft']);
    for (const n of upTo(2)) source.next(n);
    expect(levels).toEqual(['ok', 'soft', 'hard']);
    gates[1]!.open();
    expect(levels).toEqual(['ok', 'soft', 'hard', 'soft', 'ok']);
    latest!.subscription.unsubscribe();
    expect(levels).toHaveLength(5);
  });

  it('is at level ok when it is subscribed anew, whatever the older subscription holds', () => {
    const source = new Subject<number>();
    const buffer = boundedBuffer<number>({ capacity: 10 });
    const levels: string[] = [];
    buffer.level$.subscribe((level) => levels.push(level));
    record(source.pipe(buffer, withContext({ gate: new Gate('closed') })));
    for (const n of upTo(8)) source.next(n);
    record(source.pipe(buffer));
    expect(levels).toEqual(['ok', 'soft', 'ok']);
  });

  it('completes at once when it holds nothing, and else after what it holds', () => {
    expect(record(of(1, 2).pipe(boundedBuffer())).completed).toBe(true);
    const { gate, push, result, source } = bench({});
    push(1, 2);
    source.complete();
    expect(result.completed).toBe(false);
    gate.open();
    expect(result).toMatchObject({ values: [1, 2], completed: true });
  });

  it('delivers what it holds before an error of its source', () => {
    const { gate, push, result, source } = bench({});
    push(1, 2);
    const failure = new Error('line cut');
    source.error(failure);
    expect(result.error).toBeUndefined();
    gate.open();
    expect(result).toMatchObject({ values: [1, 2], error: failure, completed: false });
    expect(record(throwError(() => failure).pipe(boundedBuffer())).error).toBe(failure);
  });

  it('lets go of its source and of the gate when unsubscribed, and accounts for what it held', () => {
    const { gate, push, result, source, stage, monitor } = bench({});
    push(1, 2);
    result.subscription.unsubscribe();
    expect(source.observed).toBe(false);
    expect(gate.waiting).toBe(0);
    gate.open();
    expect(result.values).toEqual([]);
    expect(stage.abandoned).toBe(2);
    expect(monitor.account()).toMatchObject({ received: 2, held: 2, delivered: 0, conservation: 0 });
  });

  it('emits nothing more, and counts nothing more, when the subscriber has had enough while it drains', () => {
    const gate = new Gate('closed');
    const monitor = new PipelineMonitor();
    const result = record(concat(range(0, 5), NEVER).pipe(boundedBuffer(), withContext({ gate, monitor }), take(2)));
    gate.open();
    expect(result).toMatchObject({ values: [0, 1], completed: true });
    expect(monitor.account()).toMatchObject({ received: 5, delivered: 2, held: 3, conservation: 0 });
  });

  it('puts what arrives while it emits behind what it holds', () => {
    const { gate, push, result } = bench({}, { onNext: (item) => item < 10 && push(item + 10) });
    push(1, 2);
    gate.open();
    push(3);
    expect(result.values).toEqual([1, 2, 11, 12, 3, 13]);
  });

  it('does not nest calls when its output feeds its input', () => {
    const source = new Subject<number>();
    let depth = 0;
    let deepest = 0;
    let last = 0;
    source.pipe(boundedBuffer()).subscribe((item) => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      last = item;
      if (item < 100_000) source.next(item + 1);
      depth -= 1;
    });
    source.next(0);
    expect(last).toBe(100_000);
    expect(deepest).toBe(1);
  });

  it('keeps the state of one subscription apart from that of another', () => {
    const gate = new Gate('closed');
    const source = new Subject<number>();
    const buffer = boundedBuffer<number>({ capacity: 2 });
    const first = record(source.pipe(buffer, withContext({ gate })));
    source.next(1);
    const second = record(source.pipe(buffer, withContext({ gate })));
    source.next(2);
    gate.open();
    expect(first.values).toEqual([1, 2]);
    expect(second.values).toEqual([2]);
  });

  it('does not let "a slow backpressure listener blocks the queue" come back', () => {
    const buffer = boundedBuffer<number>({ capacity: 10, highWatermark: 0.8, lowWatermark: 0.2 });
    const probe = probeGate<number>();
    const heard: string[] = [];
    const moves: string[] = [];
    // One that never comes back, one that works off each change in turn, one that fails, and then one who wants to know.
    const stuck = () => new Promise<void>(() => {});
    buffer.level$.subscribe(stuck);
    buffer.level$.pipe(concatMap(stuck)).subscribe();
    buffer.level$.pipe(concatMap(() => throwError(() => new Error('no pager')))).subscribe({ error: () => {} });
    buffer.level$.subscribe((level) => heard.push(level));
    probe.gateLog$.subscribe(stuck);
    probe.gateLog$.pipe(concatMap(stuck)).subscribe();
    probe.gateLog$.subscribe((move) => moves.push(move));
    const gate = new Gate('closed');
    // Downstream takes five at a time, so that the buffer fills up and empties again and again.
    const takeFive = tap((n: number) => {
      if (n % 5 === 4) gate.close();
    });
    const result = record(gatedFrom(upTo(100)).pipe(probe, buffer, takeFive, withContext({ gate })));
    for (let round = 0; round < 20; round++) gate.open();
    expect(result.values).toEqual([...upTo(100)]);
    expect(heard.slice(0, 5)).toEqual(['ok', 'soft', 'ok', 'soft', 'ok']);
    expect(moves.slice(0, 5)).toEqual(['o', 'c', 'o', 'c', 'o']);
  });
});
