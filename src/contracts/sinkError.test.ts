import { of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../test/support/diversions.js';
import { upTo } from '../../test/support/record.js';
import { bench, steady } from '../../test/support/writeBench.js';
import { classifyFailure, failureType } from '../failures/classifyFailure.js';
import { isLostConnection, refusalOf, rejectedItemsOf, retryAfterMsOf } from '../failures/failureHints.js';
import { CircuitBreaker } from '../policies/circuitBreaker.js';
import { isSinkError, SinkError } from './sinkError.js';

describe('SinkError', () => {
  it('says all that a writer asks, itself or as a cause', () => {
    const error = new SinkError('the API is busy', {
      failureClass: 'transient',
      retryAfterMs: 700,
      rule: 'quota',
      rejected: [3, { index: 1, error: 'odd' }],
      connectionLost: true,
      cause: { code: 'HTTP_429' },
    });
    for (const told of [error, new Error('outer', { cause: error })]) {
      expect(classifyFailure(told)).toBe('transient');
      expect(retryAfterMsOf(told)).toBe(700);
      expect(refusalOf(told)).toBe('quota');
      expect(rejectedItemsOf(told)).toEqual([{ index: 3 }, { index: 1, error: 'odd' }]);
      expect(isLostConnection(told)).toBe(true);
      expect(failureType(told)).toBe('HTTP_429');
    }
    expect(isSinkError(error)).toBe(true);
    expect(isSinkError(new Error('other'))).toBe(false);
  });

  it.each(['transient', 'poison', 'fatal'] as const)(
    'is of the class %s, and labelled by its own code without another',
    (failureClass) => {
      const error = new SinkError('no', { failureClass });
      expect(classifyFailure(error)).toBe(failureClass);
      expect(failureType(error)).toBe('SLUICE_SINK_FAILED');
      expect(JSON.parse(JSON.stringify(error))).toEqual({
        name: 'SinkError',
        code: 'SLUICE_SINK_FAILED',
        failureClass,
      });
      expect('cause' in error).toBe(false);
    },
  );

  it('that is transient may be an outage: with a breaker it spends no attempt', () => {
    const { letters, deadLetters } = letterBox();
    let isDown = true;
    const { source, advance, result } = bench(
      () => (isDown ? throwError(() => new SinkError('down', { failureClass: 'transient' })) : of({ rows: 1 })),
      { breaker: new CircuitBreaker({ openMs: 1_000 }), retry: steady, deadLetters },
    );
    source.next([1]);
    advance(60_000);
    expect(letters).toEqual([]);
    isDown = false;
    advance(2_000);
    expect(result.values).toMatchObject([{ status: 'written' }]);
  });
});

describe('a sink that names the items that it refuses', () => {
  const refusing =
    (bad: ReadonlySet<number>, isNamed = true) =>
    (items: readonly number[]) => {
      const rejected = items.flatMap((item, index) =>
        bad.has(item) ? [{ index, error: new Error(`bad ${item}`) }] : [],
      );
      if (rejected.length === 0) return of({ rows: items.length });
      return throwError(() => new SinkError('refused', { failureClass: 'poison', ...(isNamed ? { rejected } : {}) }));
    };

  it.each([
    ['one', [1_337]],
    ['the first', [0]],
    ['the last', [1_999]],
    ['several', [0, 1, 2, 900, 1_500, 1_998, 1_999]],
    ['all', [...upTo(2_000)]],
  ])('spares the search: %s', (_, bad) => {
    const { letters, deadLetters } = letterBox();
    const { source, calls, result, account } = bench(refusing(new Set(bad)), { deadLetters });
    source.next([...upTo(2_000)]);
    expect(calls).toHaveLength(bad.length === 2_000 ? 1 : 2);
    expect(
      letters.map(({ items, reason, attempts, error }) => [items, reason, attempts, (error as Error).message]),
    ).toEqual(bad.map((item) => [[item], 'poison', 1, `bad ${item}`]));
    const good = [...upTo(2_000)].filter((n) => !bad.includes(n));
    expect(result.values.filter(({ status }) => status === 'written').flatMap(({ items }) => items)).toEqual(good);
    expect(account()).toMatchObject({ received: 2_000, diverted: bad.length, held: 0, conservation: 0 });
  });

  it('one at a time is asked once more for each', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls } = bench(
      (items) => {
        const index = items.findIndex((item) => item % 10 === 5);
        if (index < 0) return of({ rows: items.length });
        return throwError(() => new SinkError('refused', { failureClass: 'poison', rejected: [index] }));
      },
      { deadLetters },
    );
    source.next([...upTo(50)]);
    expect(calls).toHaveLength(6);
    expect(letters.map(({ items, attempts }) => [items[0], attempts])).toEqual([
      [5, 1],
      [15, 2],
      [25, 3],
      [35, 4],
      [45, 5],
    ]);
  });

  it('understands any error with the same properties, and the same item named twice', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls } = bench(
      (_, call) =>
        call === 1 ? throwError(() => ({ failureClass: 'poison', rejected: [1, { index: 1 }] })) : of({ rows: 2 }),
      { deadLetters },
    );
    source.next([1, 2, 3]);
    expect(calls.map(({ items }) => items)).toEqual([
      [1, 2, 3],
      [1, 3],
    ]);
    expect(letters.map(({ items }) => items)).toEqual([[2]]);
  });

  it.each([[[]], [[99]], [[-1, 0.5, 'x', null, {}]], ['all']])(
    'that names nothing of the batch (%j) is searched',
    (rejected) => {
      const { letters, deadLetters } = letterBox();
      const { source, account } = bench(
        (items) =>
          items.includes(2)
            ? throwError(() => Object.assign(new Error('no'), { failureClass: 'poison', rejected }))
            : of({ rows: items.length }),
        { deadLetters },
      );
      source.next([1, 2, 3]);
      expect(letters.map(({ items }) => items)).toEqual([[2]]);
      expect(account()).toMatchObject({ written: 2, diverted: 1, conservation: 0 });
    },
  );

  it('in a part of a batch that is searched is believed from then on', () => {
    const { letters, deadLetters } = letterBox();
    const { source, account } = bench((items, call) => refusing(new Set([3, 6]), call > 2)(items), { deadLetters });
    source.next([...upTo(8)]);
    expect(letters.map(({ items }) => items[0])).toEqual([3, 6]);
    expect(account()).toMatchObject({ written: 6, diverted: 2, held: 0, conservation: 0 });
  });

  it('names places of the batch as it was stamped, and letters and outcomes hold the items as they should', () => {
    const { letters, deadLetters } = letterBox();
    const { source, result } = bench(refusing(new Set([2])), { deadLetters });
    source.next([1, 2, 3]);
    expect(letters.map(({ items }) => items)).toEqual([[2]]);
    expect(result.values.map(({ status, items }) => [status, items])).toEqual([
      ['written', [1, 3]],
      ['diverted', [2]],
    ]);
  });

  it('without dead letters fails the pipeline with its error', () => {
    const { source, result } = bench(refusing(new Set([2])));
    source.next([1, 2, 3]);
    expect(result.error).toMatchObject({ code: 'SLUICE_WRITE_FAILED', cause: { code: 'SLUICE_SINK_FAILED' } });
  });
});
