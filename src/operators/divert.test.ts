import {
  defer,
  EMPTY,
  NEVER,
  Observable,
  type ObservableInput,
  of,
  range,
  Subject,
  type Subscriber,
  throwError,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../test/support/diversions.js';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import type { Diversion } from '../contracts/diversion.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { memorySink } from '../sinks/memorySink.js';
import { fromIterable } from '../sources/fromIterable.js';
import { probeGate } from '../testing/probeGate.js';
import { type DivertConfig, divert } from './divert.js';
import { writeTo } from './writeTo.js';

interface BenchConfig extends Partial<DivertConfig<number>> {
  readonly append?: (diversion: Diversion<number>) => ObservableInput<unknown>;
  readonly state?: 'open' | 'closed';
}

/** Diverts odd numbers, unless told otherwise. */
function bench({ append = () => EMPTY, state = 'open', ...config }: BenchConfig = {}) {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<number>();
  const { letters, deadLetters } = letterBox(append);
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const operator = divert<number>({ to: deadLetters, when: (item) => item % 2 === 1, ...config });
  const result = record(source.pipe(probe, operator, withContext({ gate, monitor })));
  const push = (...items: number[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, monitor, source, letters, moves, result, push, stage: monitor.stages[0]! };
}

describe('divert of batches', () => {
  it('counts the items of a batch that is on its way to the dead letters', () => {
    const durable = new Subject<never>();
    const monitor = new PipelineMonitor();
    const source = new Subject<readonly number[]>();
    const isLong = (batch: readonly number[]) => batch.length > 2;
    const diverting = divert<readonly number[]>({ to: { append: () => durable }, when: isLong });
    record(source.pipe(diverting, writeTo(memorySink<number>()), withContext({ monitor })));
    const stage = monitor.stages.find(({ kind }) => kind === 'divert')!;
    source.next([1, 2, 3]);
    expect(stage).toMatchObject({ in: 3, held: 3, conservation: 0 });
    durable.complete();
    expect(stage).toMatchObject({ diverted: 3, held: 0, conservation: 0 });
  });
});

describe('divert', () => {
  const to = { append: () => EMPTY };
  const when = () => false;

  it.each([
    [undefined, 'divert: its configuration must be an object, got undefined'],
    [{ when }, 'divert: the append of its to must be a function, got undefined'],
    [{ to: {}, when }, 'divert: the append of its to must be a function, got undefined'],
    [{ to }, 'divert: when must be a function, got undefined'],
    [{ to, when, concurrency: 0 }, 'divert: concurrency must be an integer of at least 1, got 0'],
    [{ to, when, reason: 'x' }, 'divert: unknown option "reason"'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => divert(config as never)).toThrow(RangeError);
    expect(() => divert(config as never)).toThrow(message);
  });

  it('passes what is not to be diverted, and hands over the rest with what is known of it', () => {
    const { push, result, letters, stage } = bench({ name: 'positive' });
    push(2, 3, 4);
    expect(result.values).toEqual([2, 4]);
    expect(letters).toEqual([{ items: [3], stage: 'positive', reason: 'diverted', error: undefined, attempts: 0 }]);
    expect(stage).toMatchObject({ in: 3, out: 2, diverted: 1, held: 0, conservation: 0 });
  });

  it('counts by reason', () => {
    const failure = new Error('no such symbol');
    const answers = [true, 'late', { reason: 'unknown', error: failure }, { error: failure }, {}, 'late'];
    const { push, letters, stage } = bench({ when: (item) => answers[item] });
    push(0, 1, 2, 3, 4, 5);
    expect(letters.map(({ reason, error }) => [reason, error])).toEqual([
      ['diverted', undefined],
      ['late', undefined],
      ['unknown', failure],
      ['diverted', failure],
      ['diverted', undefined],
      ['late', undefined],
    ]);
    expect(Object.fromEntries(stage.divertedBy)).toEqual({ diverted: 3, late: 2, unknown: 1 });
    expect(stage.diverted).toBe(6);
  });

  it.each([false, '', null, undefined])('lets an item pass when the answer is %j', (answer) => {
    const { push, result } = bench({ when: () => answer });
    push(1, 2);
    expect(result.values).toEqual([1, 2]);
  });

  it.each([1, () => true, { reason: 7 }, { reason: '' }])('fails when the answer is %s', (answer) => {
    const { push, result, stage } = bench({ when: () => answer as never });
    push(1);
    expect(result.error).toBeInstanceOf(TypeError);
    expect(stage).toMatchObject({ in: 1, abandoned: 1, conservation: 0 });
  });

  it('counts an item when its letter is durable, and not when it is on its way', () => {
    const letter = new Subject<number>();
    const { push, stage } = bench({ append: () => letter });
    push(1);
    letter.next(1);
    expect(stage).toMatchObject({ diverted: 0, held: 1, conservation: 0 });
    letter.complete();
    expect(stage).toMatchObject({ diverted: 1, held: 0, conservation: 0 });
  });

  it('has no more letters under way than it may, with its gate closed meanwhile', () => {
    const under: Subject<void>[] = [];
    const append = () => {
      const letter = new Subject<void>();
      under.push(letter);
      return letter;
    };
    const { push, result, moves, stage } = bench({ append, concurrency: 2 });
    push(1, 3);
    expect(moves).toEqual(['o', 'c']);
    push(5, 2);
    expect(under).toHaveLength(2);
    expect(result.values).toEqual([]);
    expect(stage.held).toBe(4);
    under[1]?.complete();
    expect(under).toHaveLength(3);
    expect(moves).toEqual(['o', 'c']);
    under[0]?.complete();
    expect(result.values).toEqual([2]);
    expect(moves).toEqual(['o', 'c', 'o']);
    under[2]?.complete();
    expect(stage).toMatchObject({ out: 1, diverted: 3, held: 0, conservation: 0 });
  });

  it('has closed its gate before the last letter that may be under way begins', () => {
    const seen: string[][] = [];
    const { push, moves } = bench({
      concurrency: 1,
      append: () =>
        defer(() => {
          seen.push([...moves]);
          return EMPTY;
        }),
    });
    push(1);
    expect(seen).toEqual([['o', 'c']]);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('keeps what a letter is written with out of the account', () => {
    const { push, monitor } = bench({ append: ({ items }) => fromIterable(items) });
    push(1, 2, 3);
    expect(monitor.stages).toHaveLength(1);
    expect(monitor.account()).toMatchObject({ received: 3, delivered: 1, diverted: 2, held: 0, conservation: 0 });
  });

  it('lets 64 letters be under way by default', () => {
    const { push, letters } = bench({ append: () => NEVER, when: () => true });
    push(...upTo(100));
    expect(letters).toHaveLength(64);
  });

  it('asks about an item once, however often it waited', () => {
    const seen: number[] = [];
    const letter = new Subject<void>();
    const { push, gate, result } = bench({
      state: 'closed',
      concurrency: 1,
      append: () => letter,
      when: (item) => {
        seen.push(item);
        return item === 1;
      },
    });
    push(1, 2, 3);
    gate.open();
    gate.close();
    letter.complete();
    gate.open();
    expect(result.values).toEqual([2, 3]);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('completes when the last letter is durable', () => {
    const letter = new Subject<void>();
    const { push, source, result } = bench({ append: () => letter });
    push(1, 2);
    source.complete();
    expect(result.completed).toBe(false);
    letter.complete();
    expect(result.completed).toBe(true);
  });

  it('passes an error of the source on after the letters under way', () => {
    const letter = new Subject<void>();
    const { push, source, result, stage } = bench({ append: () => letter });
    push(1);
    source.error(new Error('lost'));
    expect(result.error).toBeUndefined();
    letter.complete();
    expect(result.error).toEqual(new Error('lost'));
    expect(stage).toMatchObject({ diverted: 1, abandoned: 0, conservation: 0 });
  });

  it.each<[string, () => ObservableInput<unknown>]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['fails', () => throwError(() => new Error('disk full'))],
  ])('fails when append %s, and owns up to the item', (_, append) => {
    const { push, result, stage } = bench({ append });
    push(2, 1, 4);
    expect(result.values).toEqual([2]);
    expect(result.error).toEqual(new Error('disk full'));
    expect(stage).toMatchObject({ in: 2, out: 1, diverted: 0, abandoned: 1, conservation: 0 });
  });

  it('fails when append returns what is no observable', () => {
    const { push, result, stage } = bench({ append: () => 7 as never });
    push(1);
    expect(result.error).toBeInstanceOf(TypeError);
    expect(stage).toMatchObject({ in: 1, abandoned: 1, conservation: 0 });
  });

  it('abandons letters under way when another fails, and says that it held them', () => {
    const under = [NEVER, new Subject<void>()];
    const { push, result, stage } = bench({ append: ({ items }) => under[items[0] === 1 ? 0 : 1]! });
    push(1, 3);
    (under[1] as Subject<void>).error(new Error('disk full'));
    expect(result.error).toEqual(new Error('disk full'));
    expect(stage).toMatchObject({ diverted: 0, abandoned: 2, conservation: 0 });
  });

  it('fails when `when` throws', () => {
    const { push, result, stage } = bench({
      when: () => {
        throw new Error('no answer');
      },
    });
    push(1);
    expect(result.error).toEqual(new Error('no answer'));
    expect(stage).toMatchObject({ in: 1, abandoned: 1, conservation: 0 });
  });

  it('takes a promise for a letter', async () => {
    const { push, stage } = bench({ append: async () => {} });
    push(1);
    expect(stage.diverted).toBe(0);
    await Promise.resolve();
    await Promise.resolve();
    expect(stage.diverted).toBe(1);
  });

  it('frees the place of a letter when that has let go of what it used', () => {
    const order: string[] = [];
    const under: Subscriber<unknown>[] = [];
    const { push } = bench({
      concurrency: 1,
      append: ({ items }) =>
        new Observable((subscriber) => {
          order.push(`open ${items[0]}`);
          under.push(subscriber);
          return () => order.push(`closed ${items[0]}`);
        }),
    });
    push(1, 3);
    under[0]?.complete();
    expect(order).toEqual(['open 1', 'closed 1', 'open 3']);
  });

  it('takes in what a letter sets going, in its turn', () => {
    const { push, source, result, stage } = bench({
      append({ items }) {
        if (items[0] === 1) {
          source.next(3);
          source.next(4);
        }
        return of(undefined);
      },
    });
    push(1, 2);
    expect(result.values).toEqual([4, 2]);
    expect(stage).toMatchObject({ in: 4, out: 2, diverted: 2, conservation: 0 });
  });

  it('survives a hundred thousand diversions in a row, on a source that obeys', () => {
    const all = gatedFrom(upTo(100_000)).pipe(divert({ to, when: () => true, concurrency: 1 }));
    expect(record(all).completed).toBe(true);
  });

  it('survives a thousand that waited', () => {
    const letter = new Subject<void>();
    let first = true;
    const { push, stage } = bench({
      when: () => true,
      concurrency: 1,
      append() {
        if (!first) return EMPTY;
        first = false;
        return letter;
      },
    });
    push(...upTo(1_000));
    letter.complete();
    expect(stage).toMatchObject({ diverted: 1_000, held: 0, conservation: 0 });
  });

  it('fails when too many wait, after what waited', () => {
    const letter = new Subject<void>();
    const { push, result, stage } = bench({ append: ({ items }) => (items[0] === 1 ? letter : EMPTY), concurrency: 1 });
    push(1, ...Array.from({ length: 1_025 }, () => 2));
    expect(stage.dropped.get('overflow')).toBe(1);
    expect(result.error).toBeUndefined();
    letter.complete();
    expect(result.values).toHaveLength(1_024);
    expect(result.error).toBeInstanceOf(BufferOverflowError);
    expect(stage.conservation).toBe(0);
  });

  it('shares nothing between subscriptions', () => {
    const operator = divert<number>({ to: { append: () => NEVER }, when: (item) => item === 0, concurrency: 1 });
    expect(record(range(0, 3).pipe(operator)).values).toEqual([]);
    expect(record(range(1, 3).pipe(operator)).values).toEqual([1, 2, 3]);
  });
});
