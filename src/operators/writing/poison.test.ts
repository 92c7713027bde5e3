import { EMPTY, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { upTo } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { DeadLetters, Diversion } from '../../contracts/diversion.js';
import type { Sink } from '../../contracts/sink.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { writeTo } from '../writeTo.js';

describe('poison', () => {
  const writing = (bad: ReadonlySet<number>) => (items: readonly number[]) => {
    const found = items.find((item) => bad.has(item));
    return found === undefined ? of({ rows: items.length }) : throwError(() => coded('22P02', `bad value ${found}`));
  };

  it('one bad row in 2,000 costs about log2 extra writes, and only that row is diverted, with its own error', () => {
    for (const bad of [0, 1, 999, 1_000, 1_337, 1_998, 1_999]) {
      const { letters, deadLetters } = letterBox();
      const { source, calls, result, account } = bench(writing(new Set([bad])), { deadLetters });
      source.next([...upTo(2_000)]);
      expect(letters).toMatchObject([
        { items: [bad], reason: 'poison', error: { code: '22P02', message: `bad value ${bad}` } },
      ]);
      expect(calls.length).toBeLessThanOrEqual(1 + 13);
      expect(result.values.map(({ status, items }) => [status, items.length])).toEqual([
        ['written', 1_999],
        ['diverted', 1],
      ]);
      expect(result.values[0]!.rows).toBe(1_999);
      expect(account()).toMatchObject({ received: 2_000, written: 1_999, diverted: 1, conservation: 0 });
    }
  });

  it('a bad row says how often the sink was asked to take it, and not how often it was asked in all', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls } = bench(writing(new Set([1, 6])), { deadLetters });
    source.next([...upTo(8)]);
    // 0-7 0-3 0-1 0 1 | 2-7 2-4 5-6 5 6 | 7
    expect(calls.map(({ items }) => [items[0], items.at(-1)])).toEqual([
      ...[
        [0, 7],
        [0, 3],
        [0, 1],
        [0, 0],
        [1, 1],
      ],
      ...[
        [2, 7],
        [2, 4],
        [5, 6],
        [5, 5],
        [6, 6],
      ],
      [7, 7],
    ]);
    expect(letters.map(({ items, attempts }) => [items[0], attempts])).toEqual([
      [1, 4],
      [6, 4],
    ]);
  });

  it('many bad rows: exactly those are diverted, the good ones written once, in order', () => {
    const bad = new Set([0, 7, 8, 9, 50, 98, 99]);
    const { letters, deadLetters } = letterBox();
    const committed: number[] = [];
    const write = writing(bad);
    const { source, result } = bench(
      (items) => {
        if (!items.some((item) => bad.has(item))) committed.push(...items);
        return write(items);
      },
      { deadLetters },
    );
    source.next([...upTo(100)]);
    expect(letters.map(({ items }) => items[0])).toEqual([...bad]);
    expect(committed).toEqual([...upTo(100)].filter((n) => !bad.has(n)));
    expect(result.values.filter(({ status }) => status === 'written')).toHaveLength(1);
  });

  it('each part has all its attempts, and its waits begin at the shortest', () => {
    const { letters, deadLetters } = letterBox();
    const failing: Record<number, Error> = { 1: refused(), 2: coded('22P02'), 3: refused(), 4: coded('22P02') };
    const { source, calls, advance, result } = bench(
      (_, call) => (failing[call] ? throwError(() => failing[call]) : of({ rows: 1 })),
      { deadLetters, retry: { ...steady, maxAttempts: 2 } },
    );
    source.next([1, 2]);
    advance(1_000);
    expect(calls.map(({ at, items }) => [at, items])).toEqual([
      [0, [1, 2]],
      [10, [1, 2]],
      [10, [1]],
      [20, [1]],
      [20, [2]],
    ]);
    expect(letters).toMatchObject([{ items: [1], reason: 'poison', attempts: 2 }]);
    expect(result.values.map(({ status, items }) => [status, items])).toEqual([
      ['written', [2]],
      ['diverted', [1]],
    ]);
  });

  it('an item may be undefined', () => {
    const letters: Diversion<undefined | number>[] = [];
    const monitor = new PipelineMonitor();
    const deadLetters: DeadLetters<undefined | number> = {
      append(letter) {
        letters.push(letter);
        return EMPTY;
      },
    };
    const sink: Sink<undefined | number> = {
      name: 'numbers',
      write: (items) => (items.includes(undefined) ? throwError(() => coded('22P02')) : of({ rows: 1 })),
    };
    of([1, undefined, 3]).pipe(writeTo(sink, { deadLetters }), withContext({ monitor })).subscribe();
    expect(letters).toMatchObject([{ items: [undefined] }]);
    expect(monitor.account()).toMatchObject({ written: 2, diverted: 1, held: 0, conservation: 0 });
  });

  it('a batch of nothing but bad rows from a sink that answers at once does not overflow the stack', () => {
    const { letters, deadLetters } = letterBox();
    const { source } = bench(() => throwError(() => coded('22P02')), { deadLetters });
    source.next([...upTo(3_000)]);
    expect(letters).toHaveLength(3_000);
  });

  it('a transient failure in the middle of the search is tried again', () => {
    const { letters, deadLetters } = letterBox();
    const write = writing(new Set([5]));
    const { source, advance, result } = bench((items, call) => (call === 3 ? throwError(refused) : write(items)), {
      deadLetters,
      retry: steady,
    });
    source.next([...upTo(8)]);
    advance(1_000);
    expect(letters).toMatchObject([{ items: [5], reason: 'poison' }]);
    expect(result.values[0]).toMatchObject({ status: 'written', items: [0, 1, 2, 3, 4, 6, 7] });
  });

  it('without dead letters fails the pipeline at once: nothing is tried again that cannot help', () => {
    const { source, calls, advance, result } = bench(() => throwError(() => coded('22P02')), { retry: steady });
    source.next([1, 2]);
    advance(1_000);
    expect(calls).toHaveLength(1);
    expect(result.error).toMatchObject({ code: 'SLUICE_WRITE_FAILED' });
  });
});
