import * as t from 'io-ts';
import { EMPTY, NEVER, of, range, Subject, throwError } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import type { DeadLetters, Diversion } from '../contracts/diversion.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { memorySink } from '../sinks/memorySink.js';
import { probeGate } from '../testing/probeGate.js';
import { type DecodeConfig, decode, type Rejected } from './decode.js';
import { DecodeError, isDecodeError } from './errors/decodeError.js';
import { writeTo } from './writeTo.js';

function bench(divertTo: DecodeConfig['divertTo'], state: 'open' | 'closed' = 'open') {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<unknown>();
  const probe = probeGate<unknown>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const result = record(source.pipe(probe, decode(t.number, { divertTo }), withContext({ gate, monitor })));
  const push = (...items: unknown[]) => {
    for (const item of items) source.next(item);
  };
  return { gate, source, push, result, moves, stage: monitor.stages[0]! };
}

/** What `codec` says of `input`. */
function rejection(codec: t.Decoder<unknown, unknown>, input: unknown): Rejected {
  const rejected: Rejected[] = [];
  of(input)
    .pipe(decode(codec, { divertTo: (it) => void rejected.push(it) }))
    .subscribe();
  expect(rejected).toHaveLength(1);
  return rejected[0]!;
}

describe('decode of batches', () => {
  it.each([
    [['a', 'b'], 2],
    [[], 0],
  ])('counts the items of %j while it is on its way to the dead letters, and waits for it', (input, count) => {
    const durable = new Subject<never>();
    const monitor = new PipelineMonitor();
    const source = new Subject<unknown>();
    const long = t.refinement(t.array(t.number), (items) => items.length > 0);
    const chain = decode<readonly number[]>(long, { divertTo: { append: () => durable } });
    const result = record(source.pipe(chain, writeTo(memorySink<number>()), withContext({ monitor })));
    const stage = monitor.stages.find(({ kind }) => kind === 'decode')!;
    source.next(input);
    source.complete();
    expect(stage).toMatchObject({ in: count, held: count, conservation: 0 });
    expect(result.completed).toBe(false);
    durable.complete();
    expect(stage).toMatchObject({ diverted: count, held: 0, conservation: 0 });
    expect(result.completed).toBe(true);
  });
});

describe('decode', () => {
  it.each([
    [
      undefined,
      { divertTo: () => {} },
      'decode: codec must be an io-ts decoder or a Standard Schema of version 1, got undefined',
    ],
    [
      {},
      { divertTo: () => {} },
      'decode: codec must be an io-ts decoder or a Standard Schema of version 1, got an object',
    ],
    [
      { '~standard': { version: 2, validate: () => {} }, decode: () => {} },
      { divertTo: () => {} },
      'decode: codec must be an io-ts decoder or a Standard Schema of version 1, got ',
    ],
    [t.number, {}, 'decode: divertTo must be a function, or dead letters with append, got undefined'],
    [
      t.number,
      { divertTo: 'dead-letters' },
      'divertTo must be a function, or dead letters with append, got "dead-letters"',
    ],
    [t.number, undefined, 'decode: its configuration must be an object, got undefined'],
    [t.number, { divertTo: () => {}, onError: 1 }, 'decode: unknown option "onError"'],
  ])('refuses %j, %j when it is made', (codec, config, message) => {
    expect(() => decode(codec as never, config as never)).toThrow(RangeError);
    expect(() => decode(codec as never, config as never)).toThrow(message);
  });

  it('passes what the codec accepts, converted, and diverts the rest', () => {
    const rejected: unknown[] = [];
    const { push, result, stage } = bench(({ input }) => void rejected.push(input));
    push(1, 'x', 2, null, 3);
    expect(result.values).toEqual([1, 2, 3]);
    expect(rejected).toEqual(['x', null]);
    expect(stage).toMatchObject({ in: 5, out: 3, droppedTotal: 2, held: 0, conservation: 0 });
  });

  it('emits what the codec makes of the input', () => {
    const trimmed = new t.Type<string, string, unknown>(
      'trimmed',
      t.string.is,
      (input, context) => (typeof input === 'string' ? t.success(input.trim()) : t.failure(input, context)),
      t.identity,
    );
    expect(record(of(' a ').pipe(decode(trimmed, { divertTo: () => {} }))).values).toEqual(['a']);
  });

  it('has later items wait until a diversion completes, with its gate closed', () => {
    const letter = new Subject<void>();
    const { push, result, moves, stage } = bench(() => letter);
    push(1, 'x', 2);
    expect(result.values).toEqual([1]);
    expect(moves).toEqual(['o', 'c']);
    expect(stage).toMatchObject({ diverted: 0, held: 2, conservation: 0 });
    letter.next();
    expect(result.values).toEqual([1]);
    letter.complete();
    expect(result.values).toEqual([1, 2]);
    expect(moves).toEqual(['o', 'c', 'o']);
    expect(stage).toMatchObject({ diverted: 1, held: 0, conservation: 0 });
  });

  it.each<[string, DecodeConfig['divertTo'], 'diverted' | 'dropped']>([
    ['dead letters', { append: () => EMPTY }, 'diverted'],
    ['dead letters that answer with a promise', { append: async () => {} }, 'diverted'],
    ['the append of dead letters, called by a function', () => EMPTY, 'diverted'],
    ['a function that returns nothing', () => {}, 'dropped'],
    ['a function that returns a promise', async () => {}, 'dropped'],
  ])('counts as diverted only what a letter keeps: %s', async (_, divertTo, fate) => {
    const { push, stage } = bench(divertTo);
    push('x', 1);
    // The promises of the diversion settle in a few microtasks.
    for (let i = 0; i < 20; i++) await undefined;
    const none = new Map();
    const one = new Map([['decode', 1]]);
    expect(stage).toMatchObject({ held: 0, conservation: 0, out: 1 });
    expect(stage.divertedBy).toEqual(fate === 'diverted' ? one : none);
    expect(stage.dropped).toEqual(fate === 'dropped' ? one : none);
  });

  it('makes a letter of what it refuses, under its name', () => {
    const letters: Diversion<unknown>[] = [];
    const divertTo: DeadLetters<unknown> = { append: (letter) => of(letters.push(letter)) };
    const result = record(of(1, 'x', 2).pipe(decode(t.number, { divertTo, name: 'trades' })));
    expect(letters).toMatchObject([{ items: ['x'], stage: 'trades', reason: 'decode', attempts: 0 }]);
    expect(isDecodeError(letters[0]?.error)).toBe(true);
    expect(result.values).toEqual([1, 2]);
  });

  it('completes after the diversion under way', () => {
    const letter = new Subject<void>();
    const { source, push, result } = bench(() => letter);
    push('x');
    source.complete();
    expect(result.completed).toBe(false);
    letter.complete();
    expect(result.completed).toBe(true);
  });

  it('passes an error of the source on after what waited', () => {
    const letter = new Subject<void>();
    const { source, push, result } = bench(() => letter);
    push('x', 1);
    source.error(new Error('lost'));
    expect(result.error).toBeUndefined();
    letter.complete();
    expect(result.values).toEqual([1]);
    expect(result.error).toEqual(new Error('lost'));
  });

  it('fails when a diversion fails, and owns up to the item', () => {
    const { push, result, stage } = bench(() => throwError(() => new Error('disk full')));
    push(1, 'x', 2);
    expect(result.values).toEqual([1]);
    expect(result.error).toEqual(new Error('disk full'));
    expect(stage).toMatchObject({ in: 2, out: 1, diverted: 0, abandoned: 1, conservation: 0 });
  });

  it('waits for a promise', async () => {
    const { push, result, stage } = bench(async () => {});
    push('x', 1);
    expect(result.values).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect(result.values).toEqual([1]);
    expect(stage.droppedTotal).toBe(1);
  });

  it('fails when divertTo throws or returns what is no observable', () => {
    const throwing = bench(() => {
      throw new Error('no place');
    });
    throwing.push('x');
    expect(throwing.result.error).toEqual(new Error('no place'));
    expect(throwing.stage).toMatchObject({ in: 1, abandoned: 1, conservation: 0 });
    const confused = bench(() => 7 as never);
    confused.push('x');
    expect(confused.result.error).toBeInstanceOf(TypeError);
    expect(confused.stage).toMatchObject({ in: 1, abandoned: 1, conservation: 0 });
  });

  it('fails when the codec throws', () => {
    const codec = {
      decode: (): t.Validation<number> => {
        throw new Error('no codec');
      },
    };
    expect(record(of(1).pipe(decode(codec, { divertTo: () => {} }))).error).toEqual(new Error('no codec'));
  });

  it('never emits while downstream is closed, and has the source wait', () => {
    const { gate, push, result, moves, stage } = bench(() => {}, 'closed');
    push(1, 'x', 2);
    expect(result.values).toEqual([]);
    expect(stage.held).toBe(3);
    expect(moves).toEqual(['o', 'c']);
    gate.open();
    expect(result.values).toEqual([1, 2]);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('decodes an item once, however often it waited', () => {
    const seen: unknown[] = [];
    const gate = new Gate('closed');
    const codec = {
      decode(input: unknown) {
        seen.push(input);
        return t.number.decode(input);
      },
    };
    const result = record(range(0, 3).pipe(decode(codec, { divertTo: () => {} }), withContext({ gate })));
    gate.open();
    expect(result.values).toEqual([0, 1, 2]);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('diverts what arrives during a diversion in its turn', () => {
    const { source, push, result, stage } = bench((rejected) => {
      if (rejected.input === 'x') source.next('y');
      return EMPTY;
    });
    push('x', 1);
    expect(result.values).toEqual([1]);
    expect(stage).toMatchObject({ in: 3, out: 1, diverted: 2, conservation: 0 });
  });

  it('survives a hundred thousand diversions in a row', () => {
    const letter = new Subject<void>();
    let first = true;
    const { push, stage } = bench(() => {
      if (!first) return EMPTY;
      first = false;
      return letter;
    });
    push(...Array.from({ length: 1_000 }, () => 'x'));
    letter.complete();
    expect(stage.diverted).toBe(1_000);
    const all = range(0, 100_000).pipe(decode(t.string, { divertTo: () => EMPTY }));
    expect(record(all).completed).toBe(true);
  });

  it('fails when too many wait for a diversion', () => {
    const { push, result, stage } = bench(() => NEVER);
    push('x', ...upTo(1_025));
    expect(stage.dropped.get('overflow')).toBe(1);
    expect(result.error).toBeUndefined();
    const done = new Subject<void>();
    const ending = bench(() => done);
    ending.push('x', ...upTo(1_025));
    done.complete();
    expect(ending.result.values).toHaveLength(1_024);
    expect(ending.result.error).toBeInstanceOf(BufferOverflowError);
  });

  it('unsubscribes the diversion under way and owns up to what it held', () => {
    const letter = new Subject<void>();
    const { push, result, stage } = bench(() => letter);
    push('x', 1);
    result.subscription.unsubscribe();
    expect(letter.observed).toBe(false);
    expect(stage).toMatchObject({ in: 2, out: 0, diverted: 0, abandoned: 2, conservation: 0 });
  });

  it('pulls one item of a synchronous source for take(1)', () => {
    let pulled = 0;
    const items = gatedFrom(upTo(1_000), () => {
      pulled += 1;
    });
    expect(record(items.pipe(decode(t.number, { divertTo: () => {} }), take(1))).values).toEqual([0]);
    expect(pulled).toBe(1);
  });
});

describe('the reason of a rejection', () => {
  const Leg = t.type({ strike: t.number, right: t.union([t.literal('C'), t.literal('P')]) });
  const Order = t.intersection([t.type({ symbol: t.string, legs: t.array(Leg) }), t.partial({ note: t.string })]);

  it.each([
    [t.number, 'abc', 'expected number, got "abc"'],
    [t.number, undefined, 'expected number, got undefined'],
    [t.type({ price: t.number }), {}, 'price: expected number, got undefined'],
    [t.type({ price: t.number }), null, 'expected { price: number }, got null'],
    [
      Order,
      {
        symbol: 'SPY',
        legs: [
          { strike: 1, right: 'C' },
          { strike: '2', right: 'P' },
        ],
      },
      'legs[1].strike: expected number, got "2"',
    ],
    [Order, { symbol: 'SPY', legs: [{ strike: 1, right: 'X' }] }, 'legs[0].right: expected "C" or "P", got "X"'],
    [Order, { symbol: 7, legs: {} }, 'symbol: expected string, got 7 (and 1 more)'],
    [t.tuple([t.string, t.number]), ['a', 'b'], '[1]: expected number, got "b"'],
    [t.record(t.string, t.number), { SPY: true }, 'SPY: expected number, got true'],
    [t.string, { apiKey: 'hidden' }, 'expected string, got an object'],
    [t.string, ['hidden'], 'expected string, got an array of 1'],
    [t.strict({ n: t.number }), { n: Number }, 'n: expected number, got a function'],
  ])('of %s for %j', (codec, input, reason) => {
    expect(rejection(codec as t.Decoder<unknown, unknown>, input).reason).toBe(reason);
  });

  it('hides what is kept where a secret is kept', () => {
    const codec = t.type({ auth: t.type({ apiKey: t.number, token: t.string }) });
    const { reason, error } = rejection(codec, { auth: { apiKey: 'sk-1234', token: 99 } });
    expect(reason).toBe('auth.apiKey: expected number, got a string of 7 characters (and 1 more)');
    expect(error.problems[1]?.got).toBe('a number');
  });

  it('quotes at most 80 characters, and takes its path from at most 80', () => {
    const { error } = rejection(t.record(t.string, t.number), { ['k'.repeat(500)]: 'v'.repeat(10_000) });
    expect(error.problems[0]?.got).toHaveLength(80);
    expect(error.problems[0]?.path).toHaveLength(80);
    expect(error.message.length).toBeLessThan(200);
  });

  it('describes no more than twenty problems of one value', () => {
    const { error } = rejection(
      t.array(t.number),
      Array.from({ length: 5_000 }, () => 'x'),
    );
    expect(error.problems).toHaveLength(20);
  });

  it('uses the message of a codec that has one', () => {
    const codec = new t.Type<number, number, unknown>(
      'price',
      t.number.is,
      (input, context) => t.failure(input, context, 'a price above zero'),
      t.identity,
    );
    expect(rejection(codec, -1).reason).toBe('expected a price above zero, got -1');
  });

  it('comes with the error as data, and the input', () => {
    const input = { price: 'x' };
    const rejected = rejection(t.type({ price: t.number }), input);
    expect(rejected.input).toBe(input);
    expect(rejected.error).toBeInstanceOf(DecodeError);
    expect(isDecodeError(rejected.error)).toBe(true);
    expect(isDecodeError(new Error('other'))).toBe(false);
    expect(rejected.error.problems).toEqual([{ path: 'price', expected: 'number', got: '"x"' }]);
    expect(rejected.error.code).toBe('SLUICE_DECODE_FAILED');
  });
});
