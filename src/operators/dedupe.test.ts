import { asapScheduler, of, range, Subject, VirtualTimeScheduler } from 'rxjs';
import { take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { memorySink } from '../sinks/memorySink.js';
import { probeGate } from '../testing/probeGate.js';
import { type DedupeConfig, dedupe } from './dedupe.js';
import { writeTo } from './writeTo.js';

function bench(config: Partial<DedupeConfig<string>> = {}) {
  const monitor = new PipelineMonitor();
  const clock = new VirtualTimeScheduler();
  const source = new Subject<string>();
  const operator = dedupe<string>({ by: (item) => item.charAt(0), scheduler: clock, ...config });
  const result = record(source.pipe(operator, withContext({ monitor })));
  const push = (...items: string[]) => {
    for (const item of items) source.next(item);
  };
  return { clock, source, push, result, stage: monitor.stages[0]! };
}

describe('dedupe', () => {
  it.each([
    [{}, 'dedupe: by must be a function, got undefined'],
    [{ by: String, windowMs: 0 }, 'dedupe: windowMs must be a finite number of milliseconds of at least 1, got 0'],
    [{ by: String, windowMs: Infinity }, 'dedupe: windowMs must be a finite number'],
    [{ by: String, maxKeys: 0 }, 'dedupe: maxKeys must be an integer of at least 1, got 0'],
    [{ by: String, max: 5 }, 'dedupe: unknown option "max"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => dedupe(config as never)).toThrow(RangeError);
    expect(() => dedupe(config as never)).toThrow(message);
  });

  it('passes the first of a key and counts the others as duplicates', () => {
    const { push, result, stage } = bench();
    push('a1', 'b1', 'a2', 'a3', 'b2', 'c1');
    expect(result.values).toEqual(['a1', 'b1', 'c1']);
    expect(stage).toMatchObject({ in: 6, out: 3, held: 0, conservation: 0 });
    expect(stage.dropped.get('duplicate')).toBe(3);
  });

  it('lets a key pass again after windowMs, which duplicates do not prolong', () => {
    const { clock, push, result } = bench({ windowMs: 10 });
    push('a1');
    clock.frame = 9;
    push('a2');
    clock.frame = 10;
    push('a3');
    clock.frame = 19;
    push('a4');
    clock.frame = 20;
    push('a5');
    expect(result.values).toEqual(['a1', 'a3', 'a5']);
  });

  it('forgets the oldest key beyond max', () => {
    const { push, result } = bench({ maxKeys: 2 });
    push('a1', 'b1', 'c1', 'b2', 'a2');
    expect(result.values).toEqual(['a1', 'b1', 'c1', 'a2']);
  });

  it('has no gate of its own, and no timers', () => {
    const gate = new Gate('closed');
    const clock = new VirtualTimeScheduler();
    const probe = probeGate<number>();
    const moves: string[] = [];
    probe.gateLog$.subscribe((move) => moves.push(move));
    const operator = dedupe<number>({ by: (n) => n, windowMs: 5, scheduler: clock });
    const result = record(gatedFrom(upTo(3)).pipe(probe, operator, withContext({ gate })));
    expect(result.values).toEqual([]);
    gate.open();
    expect(result.values).toEqual([0, 1, 2]);
    expect(moves).toEqual(['c', 'o']);
    expect(clock.actions).toHaveLength(0);
  });

  it('sends what throws in by to the error channel', () => {
    const { push, result, stage } = bench({
      by: () => {
        throw new Error('no key');
      },
    });
    push('a1');
    expect(result.error).toEqual(new Error('no key'));
    expect(stage).toMatchObject({ in: 1, abandoned: 1, conservation: 0 });
  });

  it('passes completion and errors on', () => {
    const completed = bench();
    completed.source.complete();
    expect(completed.result.completed).toBe(true);
    const failed = bench();
    failed.source.error('lost');
    expect(failed.result.error).toBe('lost');
  });

  it('drops a duplicate that arrives while the first is being emitted', () => {
    const source = new Subject<string>();
    const values = record(
      source.pipe(
        dedupe({ by: (item) => item }),
        tap(() => source.next('a')),
      ),
    ).values;
    source.next('a');
    expect(values).toEqual(['a']);
  });

  it('pulls one item of a synchronous source for take(1)', () => {
    let pulled = 0;
    const items = gatedFrom(upTo(1_000), () => {
      pulled += 1;
    });
    expect(record(items.pipe(dedupe({ by: (n) => n }), take(1))).values).toEqual([0]);
    expect(pulled).toBe(1);
  });

  it('abandons the item at whose key the subscription ends', () => {
    const { push, result, stage } = bench({
      by: (item) => {
        if (item === 'b1') result.subscription.unsubscribe();
        return item;
      },
    });
    expect(stage.held).toBe(0);
    push('a1', 'b1');
    expect(result.values).toEqual(['a1']);
    expect(stage).toMatchObject({ in: 2, out: 1, abandoned: 1, conservation: 0 });
  });

  it('abandons all items of a batch at which by throws', () => {
    const monitor = new PipelineMonitor();
    const fail = () => {
      throw new Error('no key');
    };
    of([1, 2, 3])
      .pipe(dedupe<readonly number[]>({ by: fail }), writeTo(memorySink<number>()), withContext({ monitor }))
      .subscribe({ error: () => {} });
    expect(monitor.stages.find(({ kind }) => kind === 'dedupe')).toMatchObject({ in: 3, abandoned: 3 });
  });

  it('remembers for each subscription by itself', () => {
    const deduped$ = range(0, 2).pipe(dedupe({ by: (n) => n, scheduler: asapScheduler }));
    expect(record(deduped$).values).toEqual([0, 1]);
    expect(record(deduped$).values).toEqual([0, 1]);
  });
});
