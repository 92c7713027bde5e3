import { type Observable, of, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded } from '../../../test/support/errors.js';
import { gatedFrom, record, upTo } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { batch } from '../batch.js';
import { lanes } from '../lanes.js';
import { writeCoordinator } from '../writeCoordinator.js';
import { writeTo } from '../writeTo.js';
import type { WritePolicies } from './writePolicies.js';

/** The three that the server has for a table that takes no row. */
const REFUSALS: [string, object][] = [
  ['a missing partition', coded('23514', 'no partition of relation "bars" found for row')],
  ['a new constraint', Object.assign(coded('23514'), { constraint: 'price_range' })],
  ['an extra NOT NULL column', Object.assign(coded('23502'), { column: 'venue' })],
  ['a trigger that raises', coded('P0001', 'read only for now')],
  ['a foreign key to a table that is empty', Object.assign(coded('23503'), { constraint: 'bars_symbol_fkey' })],
  [
    'a rule of a sink that is not Postgres',
    Object.assign(new Error('mapping'), { failureClass: 'poison', rule: 'strict_dynamic_mapping' }),
  ],
  [
    'the same, beneath the error of a store',
    new Error('refused', { cause: Object.assign(coded('23514'), { constraint: 'price_range' }) }),
  ],
];

const policies = (): WritePolicies<number> => ({ breaker: new CircuitBreaker(), retry: steady });

describe('a refusal of the whole table', () => {
  it.each(REFUSALS)('is not taken for one of its rows: %s', (_, error) => {
    for (const count of [5, 500, 2_000]) {
      const { letters, deadLetters } = letterBox();
      let isMended = false;
      const { source, calls, advance, result, account } = bench(
        (items) => (isMended ? of({ rows: items.length }) : throwError(() => error)),
        { ...policies(), deadLetters },
      );
      source.next([...upTo(count)]);
      // A few to find out, and a few with each probe.
      expect(calls.length).toBeLessThan(35);
      advance(120_000);
      expect(calls.length).toBeLessThan(250);
      expect(letters).toEqual([]);
      expect(account()).toMatchObject({ received: count, held: count, conservation: 0 });
      isMended = true;
      advance(60_000);
      expect(result.values).toMatchObject([{ status: 'written', rows: count }]);
      expect([...(result.values[0]?.items ?? [])]).toEqual([...upTo(count)]);
      expect(letters).toEqual([]);
    }
  });

  it('is reported as what it is, once per probe, and not as a poisoned row', () => {
    const heard: string[] = [];
    const { letters, deadLetters } = letterBox();
    const { source, stopping, expired, advance } = bench(
      () => throwError(() => REFUSALS[1]![1]),
      { ...policies(), deadLetters },
      { writeFailed: (_, { type, class: failureClass, error }) => void heard.push(`${type} ${failureClass} ${error}`) },
    );
    source.next([...upTo(100)]);
    expect(heard.at(-1)).toMatch(
      /^SLUICE_TABLE_REFUSED transient .*23514 \(price_range\): it is the table, not the rows/,
    );
    advance(5_000);
    stopping.next();
    expired.next(undefined);
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ reason: 'drain', error: { code: 'SLUICE_TABLE_REFUSED' } });
    expect(letters[0]!.items).toHaveLength(100);
    expect(String((letters[0]!.error as Error).message)).toMatch(
      /23514 \(price_range\): it is the table, not the rows .*mend the table/,
    );
  });

  it('opens the breaker, and lets one writer at a time probe', () => {
    const breaker = new CircuitBreaker();
    const { deadLetters } = letterBox();
    const { source, calls, advance } = bench(() => throwError(() => REFUSALS[1]![1]), {
      ...policies(),
      breaker,
      deadLetters,
      concurrency: 4,
    });
    for (let n = 0; n < 4; n++) source.next([...upTo(500)]);
    expect(breaker.state).toBe('open');
    advance(60_000);
    expect(breaker.state).toBe('open');
    expect(calls.length).toBeLessThan(250);
  });

  it.each<[string, WritePolicies<number>]>([
    ['no breaker', { retry: steady }],
    ['neither breaker nor retries', {}],
    ['a breaker that is disabled', { breaker: disabled() }],
  ])('is waited out with %s', (_, given) => {
    const { letters, deadLetters } = letterBox();
    let isMended = false;
    const { source, calls, advance, result } = bench(
      (items) => (isMended ? of({ rows: items.length }) : throwError(() => REFUSALS[1]![1])),
      { ...given, deadLetters },
    );
    source.next([...upTo(500)]);
    advance(100_000);
    expect(calls.length).toBeLessThan(250);
    isMended = true;
    advance(60_000);
    expect(letters).toEqual([]);
    expect(result.values).toMatchObject([{ status: 'written', rows: 500 }]);
  });

  it('is found by writers that see few rows each, in batches and lanes of their own', () => {
    const scheduler = new VirtualTimeScheduler();
    const { letters, deadLetters } = letterBox();
    let writes = 0;
    let isMended = false;
    const written: number[] = [];
    const sink: Sink<number> = {
      name: 'numbers',
      write(items) {
        writes += 1;
        if (!isMended) return throwError(() => REFUSALS[2]![1]);
        written.push(...items);
        return of({ rows: items.length });
      },
    };
    const write = (lane$: Observable<number>) =>
      lane$.pipe(batch({ size: 2, scheduler }), writeTo(sink, { deadLetters, scheduler }));
    const monitor = new PipelineMonitor();
    record(gatedFrom(upTo(200)).pipe(lanes({ count: 4 }, write), withContext({ monitor })));
    scheduler.maxFrames = 30_000;
    scheduler.flush();
    expect(writes).toBeLessThan(150);
    // Rows of batches that were over before so many had been refused.
    expect(letters.length).toBeLessThan(5);
    isMended = true;
    scheduler.maxFrames = 200_000;
    scheduler.flush();
    expect(written.length + letters.length).toBe(200);
    expect(monitor.account()).toMatchObject({ held: 0, conservation: 0 });
  });

  it('of a coordinator with its defaults is waited out by all its workers', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { letters, deadLetters } = letterBox();
    let writes = 0;
    let isMended = false;
    const sink: Sink<number> = {
      name: 'numbers',
      keyOf: (n) => n % 20,
      write(items): Observable<WriteReceipt> {
        writes += 1;
        return isMended ? of({ rows: items.length }) : throwError(() => REFUSALS[0]![1]);
      },
    };
    const monitor = new PipelineMonitor();
    const result = record(
      gatedFrom(upTo(5_000)).pipe(
        writeCoordinator(sink, { policies: { deadLetters, scheduler } }),
        withContext({ monitor }),
      ),
    );
    await Promise.resolve();
    scheduler.maxFrames = 60_000;
    scheduler.flush();
    expect(writes).toBeLessThan(300);
    isMended = true;
    scheduler.maxFrames = 200_000;
    scheduler.flush();
    await Promise.resolve();
    scheduler.flush();
    expect(letters.length).toBeLessThan(5);
    expect(result.completed).toBe(true);
    expect(monitor.account()).toMatchObject({ held: 0, conservation: 0, diverted: letters.length });
  });
});

describe('rows that are refused one after the other by one rule', () => {
  const refusing = (isBad: (item: number) => boolean) => (items: readonly number[]) =>
    items.some(isBad) ? throwError(() => REFUSALS[1]![1]) : of({ rows: items.length });

  it.each([
    ['two', [7, 8]],
    ['four at the start', [0, 1, 2, 3]],
    ['four at the end', [96, 97, 98, 99]],
    ['every third', [...upTo(100)].filter((n) => n % 3 === 0)],
  ])('are given up at once: %s', (_, bad) => {
    const { letters, deadLetters } = letterBox();
    const { source, result, account } = bench(
      refusing((item) => bad.includes(item)),
      { ...policies(), deadLetters },
    );
    source.next([...upTo(100)]);
    expect(letters.map(({ items, reason }) => [...items, reason])).toEqual(bad.map((item) => [item, 'poison']));
    expect(result.values[0]).toMatchObject({ status: 'written', rows: 100 - bad.length });
    expect(account()).toMatchObject({ received: 100, diverted: bad.length, held: 0, conservation: 0 });
  });

  it.each([10, 40])('are given up once a row behind them is taken: %i of them', (count) => {
    const { letters, deadLetters } = letterBox();
    const committed: number[] = [];
    const write = refusing((item) => item < count);
    const { source, advance, account } = bench(
      (items) => {
        if (!items.some((item) => item < count)) committed.push(...items);
        return write(items);
      },
      { ...policies(), deadLetters },
    );
    source.next([...upTo(500)]);
    advance(20_000);
    const bad = [...upTo(count)];
    expect(letters.map(({ items }) => items[0]!).sort((a, b) => a - b)).toEqual(bad);
    expect(committed).toEqual([...upTo(500)].filter((n) => !bad.includes(n)));
    expect(account()).toMatchObject({ diverted: count, written: 500 - count, held: 0, conservation: 0 });
  });

  it('are given up once another writer of the sink has committed, however many they are', () => {
    const { letters, deadLetters } = letterBox();
    const { source, advance, account } = bench(
      refusing((item) => item < 100),
      { ...policies(), deadLetters, concurrency: 2 },
    );
    source.next([...upTo(100)]);
    source.next([200, 201]);
    advance(60_000);
    for (const item of [202, 203]) {
      source.next([item]);
      advance(600_000);
    }
    expect(letters).toHaveLength(100);
    expect(account()).toMatchObject({ diverted: 100, written: 4, held: 0, conservation: 0 });
  });

  it('are given up at once if the table still takes what it took before, however many they are', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls, result, account } = bench(
      refusing((item) => item >= 100 && item < 500),
      { ...policies(), deadLetters },
    );
    source.next([...upTo(10)]);
    source.next([...upTo(600)].slice(10));
    expect(letters.map(({ items }) => items[0])).toEqual([...upTo(500)].slice(100));
    expect(calls.length).toBeLessThan(550);
    // The row that is written again to find out is counted once.
    expect(result.values.flatMap(({ items, status }) => (status === 'written' ? items : []))).toEqual(
      [...upTo(600)].filter((n) => n < 100 || n >= 500),
    );
    expect(account()).toMatchObject({ received: 600, written: 200, diverted: 400, held: 0, conservation: 0 });
  });

  it.each(REFUSALS)('are kept if the table no longer takes what it took before: %s', (_, error) => {
    const { letters, deadLetters } = letterBox();
    let isMended = true;
    const { source, calls, advance, account } = bench(
      (items) => (isMended ? of({ rows: items.length }) : throwError(() => error)),
      { ...policies(), deadLetters },
    );
    source.next([...upTo(10)]);
    isMended = false;
    source.next([...upTo(500)]);
    advance(30_000);
    expect(calls.length).toBeLessThan(150);
    isMended = true;
    advance(60_000);
    expect(letters).toEqual([]);
    expect(account()).toMatchObject({ written: 510, diverted: 0, held: 0, conservation: 0 });
  });

  it('are kept if there is no partition for them, though there is one for those before', () => {
    const { letters, deadLetters } = letterBox();
    const { source, advance } = bench(
      (items) => (items.some((n) => n >= 100) ? throwError(() => REFUSALS[0]![1]) : of({ rows: items.length })),
      { ...policies(), deadLetters },
    );
    source.next([...upTo(500)]);
    advance(60_000);
    expect(letters).toEqual([]);
  });

  it('are given up one by one if they are to be', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls } = bench(() => throwError(() => REFUSALS[1]![1]), {
      ...policies(),
      whenTableRefuses: 'divert',
      deadLetters,
    });
    source.next([...upTo(200)]);
    expect(letters).toHaveLength(200);
    expect(calls.length).toBeLessThan(220);
  });

  it('are given up at once if each is refused for its value', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls } = bench(() => throwError(() => coded('22003')), { ...policies(), deadLetters });
    source.next([...upTo(50)]);
    expect(letters).toHaveLength(50);
    expect(calls.length).toBeLessThan(100);
  });

  it('one batch after the other: the run ends with any row that is taken', () => {
    const { letters, deadLetters } = letterBox();
    const { source, account } = bench(
      refusing((item) => item < 100),
      { ...policies(), deadLetters },
    );
    for (let n = 0; n < 20; n++) source.next([n % 4 === 3 ? 100 : n]);
    expect(letters).toHaveLength(15);
    expect(account()).toMatchObject({ written: 5, diverted: 15, held: 0 });
  });
});

function disabled(): CircuitBreaker {
  const breaker = new CircuitBreaker();
  breaker.disable(0);
  return breaker;
}
