import { range, Subject } from 'rxjs';
import { take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { record, upTo } from '../../test/support/record.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { probeGate } from '../testing/probeGate.js';
import { type ConflateConfig, conflate } from './conflate.js';

type Config = Partial<ConflateConfig<string>>;

/** Items are written as key and version: `a1`, `a2`, `b1`. */
function bench(config: Config = {}, state: 'open' | 'closed' = 'closed', onNext: (item: string) => void = () => {}) {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<string>();
  const probe = probeGate<string>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const operator = conflate<string>({ by: (item) => item.charAt(0), ...config });
  const result = record(source.pipe(probe, operator, withContext({ gate, monitor }), tap(onNext)));
  const push = (...items: string[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, source, push, result, moves, stage: monitor.stages[0]! };
}

describe('conflate', () => {
  it.each([
    [{}, 'conflate: by must be a function, got undefined'],
    [{ by: 'symbol' }, 'conflate: by must be a function, got "symbol"'],
    [{ by: String, merge: 1 }, 'conflate: merge must be a function, got 1'],
    [{ by: String, maxKeys: 0 }, 'conflate: maxKeys must be an integer of at least 1, got 0'],
    [{ by: String, key: 1 }, 'conflate: unknown option "key"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => conflate(config as never)).toThrow(RangeError);
    expect(() => conflate(config as never)).toThrow(message);
  });

  it('passes everything straight through while downstream is open', () => {
    const { push, result, stage } = bench({}, 'open');
    push('a1', 'a2', 'b1', 'a3');
    expect(result.values).toEqual(['a1', 'a2', 'b1', 'a3']);
    expect(stage.droppedTotal).toBe(0);
  });

  it('keeps the newest a key, keys in the order first seen, and counts the others', () => {
    const { gate, push, result, stage, moves } = bench();
    push('b1', 'a1', 'b2', 'c1', 'a2', 'b3');
    expect(result.values).toEqual([]);
    expect(stage.held).toBe(3);
    gate.open();
    expect(result.values).toEqual(['b3', 'a2', 'c1']);
    expect(stage.dropped.get('conflated')).toBe(3);
    expect(stage.conservation).toBe(0);
    expect(moves).toEqual(['o']);
  });

  it('merges old and new, in that order', () => {
    const { gate, push, result } = bench({ merge: (older, newer) => `${older}+${newer.slice(1)}` });
    push('a1', 'b1', 'a2', 'a3');
    gate.open();
    expect(result.values).toEqual(['a1+2+3', 'b1']);
  });

  it('lets a key that has left queue at the back', () => {
    const { gate, push, result } = bench();
    push('a1', 'b1');
    gate.open();
    gate.close();
    push('b2', 'a2');
    gate.open();
    expect(result.values).toEqual(['a1', 'b1', 'b2', 'a2']);
  });

  it('stops where downstream closes again, and conflates on', () => {
    const { gate, source, push, result } = bench({}, 'closed', () => gate.close());
    push('a1', 'b1', 'c1');
    gate.open();
    expect(result.values).toEqual(['a1']);
    push('b2', 'd1');
    gate.open();
    expect(result.values).toEqual(['a1', 'b2']);
    source.complete();
    gate.open();
    gate.open();
    expect(result).toMatchObject({ values: ['a1', 'b2', 'c1', 'd1'], completed: true });
  });

  it('keeps versions of a key in order when an item arrives while it emits what it held', () => {
    const { gate, push, result } = bench({}, 'closed', (item) => {
      if (item === 'a1') push('b2', 'a2');
    });
    push('a1', 'b1');
    gate.open();
    expect(result.values).toEqual(['a1', 'b2', 'a2']);
  });

  it('lets nothing overtake the last item that it held', () => {
    const { gate, push, result } = bench({}, 'closed', (item) => {
      if (item === 'a1') push('b1');
    });
    push('a1');
    gate.open();
    expect(result.values).toEqual(['a1', 'b1']);
  });

  it('closes its gate at maxKeys keys, and only then', () => {
    const { gate, push, result, moves, stage } = bench({ maxKeys: 2 });
    push('a1', 'a2', 'a3');
    expect(moves).toEqual(['o']);
    push('b1');
    expect(moves).toEqual(['o', 'c']);
    push('c1', 'a4');
    expect(stage.held).toBe(4);
    gate.open();
    expect(moves).toEqual(['o', 'c', 'o']);
    expect(result.values).toEqual(['a3', 'b1', 'c1', 'a4']);
  });

  it('still takes keys that it holds while its gate is closed and nobody waits', () => {
    const { push, stage } = bench({ maxKeys: 1 });
    push('a1', 'a2');
    expect(stage.held).toBe(1);
    expect(stage.dropped.get('conflated')).toBe(1);
  });

  it('fails when too many wait behind maxKeys keys', () => {
    const { gate, push, result, stage } = bench({ maxKeys: 1, by: (item) => item });
    push(...Array.from(upTo(1_026), String));
    expect(stage.dropped.get('overflow')).toBe(1);
    gate.open();
    expect(result.values).toHaveLength(1_025);
    expect(result.error).toBeInstanceOf(BufferOverflowError);
  });

  it('emits what it holds before it completes', () => {
    const { gate, source, push, result } = bench();
    push('a1', 'b1');
    source.complete();
    expect(result.completed).toBe(false);
    gate.open();
    expect(result).toMatchObject({ values: ['a1', 'b1'], completed: true });
  });

  it('emits what it holds before the error of the source', () => {
    const { gate, source, push, result } = bench();
    push('a1');
    source.error(new Error('lost'));
    expect(result.error).toBeUndefined();
    gate.open();
    expect(result.values).toEqual(['a1']);
    expect(result.error).toEqual(new Error('lost'));
  });

  it.each(['by', 'merge'] as const)('sends what throws in %s to the error channel', (option) => {
    const { push, result, stage } = bench({
      [option]: () => {
        throw new Error(`no ${option}`);
      },
    });
    push('a1', 'a2');
    expect(result.error).toEqual(new Error(`no ${option}`));
    expect(result.completed).toBe(false);
    expect(stage.conservation).toBe(0);
  });

  it('lets go when it is unsubscribed', () => {
    const { gate, push, result, stage } = bench();
    push('a1', 'b1', 'a2');
    expect(gate.waiting).toBe(1);
    result.subscription.unsubscribe();
    expect(gate.waiting).toBe(0);
    expect(stage).toMatchObject({ in: 3, out: 0, abandoned: 2, conservation: 0 });
    gate.open();
    expect(result.values).toEqual([]);
  });

  it('stops emitting what it holds when downstream has enough', () => {
    const gate = new Gate('closed');
    const monitor = new PipelineMonitor();
    const source = new Subject<string>();
    const result = record(source.pipe(conflate({ by: (item) => item }), withContext({ gate, monitor }), take(1)));
    source.next('a');
    source.next('b');
    gate.open();
    expect(result).toMatchObject({ values: ['a'], completed: true });
    expect(monitor.stages[0]).toMatchObject({ out: 1, abandoned: 1, conservation: 0 });
    expect(gate.waiting).toBe(0);
  });

  it('never stops a source for less than maxKeys keys', () => {
    const gate = new Gate('closed');
    const result = record(range(0, 100_000).pipe(conflate({ by: (n) => n % 7 }), withContext({ gate })));
    gate.open();
    expect(result).toMatchObject({ values: [99_995, 99_996, 99_997, 99_998, 99_999, 99_993, 99_994], completed: true });
  });

  it('keeps subscriptions apart', () => {
    const conflated$ = range(0, 3).pipe(conflate({ by: (n) => n }));
    expect(record(conflated$).values).toEqual([0, 1, 2]);
    expect(record(conflated$).values).toEqual([0, 1, 2]);
  });
});
