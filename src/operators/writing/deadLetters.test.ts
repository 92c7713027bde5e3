import { of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { record } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink } from '../../contracts/sink.js';
import { writeTo } from '../writeTo.js';
import type { WritePolicies } from './writePolicies.js';

describe('dead letters', () => {
  it('the dead letters are called by the worker, and an item counts as diverted when its letter is durable', () => {
    const durable = new Subject<void>();
    const { letters, deadLetters } = letterBox(() => durable);
    const { source, calls, result, account } = bench(() => throwError(refused), { deadLetters });
    source.next([1, 2]);
    source.next([3]);
    expect(letters).toHaveLength(1);
    expect(calls).toHaveLength(1);
    expect(result.values).toEqual([]);
    expect(account()).toMatchObject({ received: 3, diverted: 0, held: 3, conservation: 0 });
    durable.complete();
    expect(account()).toMatchObject({ diverted: 3, held: 0, conservation: 0 });
    expect(result.values).toMatchObject([
      { status: 'diverted', items: [1, 2], rows: 0, reason: 'exhausted', error: { code: 'ECONNREFUSED' } },
      { status: 'diverted', items: [3] },
    ]);
  });

  it.each([
    [
      'throw',
      () => {
        throw new Error('no disk');
      },
    ],
    ['fail', () => throwError(() => new Error('no disk'))],
  ])('that %s end the pipeline, and what they were given is held', (_, append) => {
    const { source, result, account } = bench(() => throwError(refused), { deadLetters: { append } });
    source.next([1]);
    expect((result.error as Error).message).toBe('no disk');
    expect(account()).toMatchObject({ held: 1, conservation: 0 });
  });

  it('does not let "the dead letters are never called by the worker" come back: each way to give up ends in them', () => {
    const missing = coded('42P01');
    const ways: [reason: string, error: Error, policies: WritePolicies<number>][] = [
      ['exhausted', refused(), { retry: { ...steady, maxAttempts: 2 } }],
      ['exhausted', new Error('what no table knows'), {}],
      ['poison', coded('23505'), {}],
      ['fatal', missing, {}],
    ];
    for (const [reason, error, policies] of ways) {
      const { letters, deadLetters } = letterBox();
      const { source, advance, account } = bench(() => throwError(() => error), { ...policies, deadLetters });
      source.next([1]);
      advance(1_000);
      expect(letters, reason).toMatchObject([{ items: [1], reason, error, stage: 'writeTo' }]);
      expect(account(), reason).toMatchObject({ received: 1, diverted: 1, held: 0, conservation: 0 });
    }
  });

  it('are given what the sink has stamped', () => {
    const { letters, deadLetters } = letterBox();
    const sink: Sink<number> = {
      name: 'numbers',
      stamp: (items) => items.map((item) => item + 1_000),
      write: () => throwError(refused),
    };
    of([1, 2]).pipe(writeTo(sink, { deadLetters })).subscribe();
    expect(letters[0]!.items).toEqual([1_001, 1_002]);
  });

  it('what the sink has stamped has outcomes that name the items as they were given', () => {
    const { letters, deadLetters } = letterBox();
    const sink: Sink<{ n: number; seq?: number }> = {
      name: 'numbers',
      stamp: (items) => items.map((item, seq) => ({ ...item, seq })),
      write: (items) =>
        items.some(({ n }) => n === 2) ? throwError(() => coded('22P02')) : of({ rows: items.length }),
    };
    const given = [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }];
    const { values } = record(of(given, given.slice(2)).pipe(writeTo(sink, { deadLetters: deadLetters as never })));
    expect(letters).toMatchObject([{ items: [{ n: 2, seq: 1 }] }]);
    expect(values.map(({ status }) => status)).toEqual(['written', 'diverted', 'written']);
    const named = values.flatMap(({ items }) => items);
    expect(named.every((item) => given.includes(item))).toBe(true);
    expect(named.map(({ n }) => n)).toEqual([1, 3, 4, 2, 3, 4]);
  });

  it('a sink that loses an item in its stamp ends the pipeline', () => {
    const sink: Sink<number> = { name: 'lossy', stamp: (items) => items.slice(1), write: () => of({ rows: 1 }) };
    const { error } = record(of([1, 2]).pipe(writeTo(sink)));
    expect((error as Error).message).toBe('the sink lossy stamped 1 items of 2: its stamp() must return all');
  });

  it('a sink that cannot stamp a batch is asked to write it as it is', () => {
    const { letters, deadLetters } = letterBox();
    const sink: Sink<number> = {
      name: 'numbers',
      stamp: () => {
        throw coded('22003');
      },
      write: (items) => (items.includes(2) ? throwError(() => coded('22003')) : of({ rows: 1 })),
    };
    of([1, 2, 3]).pipe(writeTo(sink, { deadLetters })).subscribe();
    expect(letters).toMatchObject([{ items: [2], reason: 'poison' }]);
  });
});
