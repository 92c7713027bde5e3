import { NEVER, Observable, type ObservableInput, of, Subject, throwError, timer } from 'rxjs';
import { finalize, map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { record, upTo } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { fromIterable } from '../../sources/fromIterable.js';
import { batch } from '../batch.js';
import { boundedMergeMap } from '../boundedMergeMap.js';
import { writeCoordinator } from '../writeCoordinator.js';
import { writeTo } from '../writeTo.js';
import type { WritePolicies } from './writePolicies.js';

describe('the end of a drain', () => {
  it.each([0, 1, 2])('gives up the writes that are under way, and no other: write %i has ended', (ended) => {
    const { letters, deadLetters } = letterBox();
    const writes = Array.from({ length: 3 }, () => new Subject<WriteReceipt>());
    const { source, expired, account } = bench((_, call) => writes[call - 1]!, { deadLetters, concurrency: 3 });
    for (const item of [1, 2, 3]) source.next([item]);
    writes[ended]!.next({ rows: 1 });
    writes[ended]!.complete();
    expired.next(undefined);
    expect(letters.map(({ items }) => items)).toEqual([[1], [2], [3]].filter((_, i) => i !== ended));
    expect(account()).toMatchObject({ received: 3, written: 1, diverted: 2, held: 0, conservation: 0 });
  });

  it.each([
    ['1,024 batches', 1, 1, 1_024],
    ['10,000 items', 100, 1, 100],
    ['as many batches as it writes', 20_000, 3, 3],
  ])('has at most %s on their way to the dead letters', (_, size, concurrency, atOnce) => {
    const durable = new Subject<never>();
    const { letters, deadLetters } = letterBox(() => durable);
    const { source, expired, account } = bench(() => NEVER, { deadLetters, concurrency });
    const batch = [...upTo(size)];
    source.next(batch);
    expired.next(undefined);
    for (let n = 0; n < atOnce; n++) source.next(batch);
    expect(letters).toHaveLength(atOnce);
    durable.complete();
    expect(letters).toHaveLength(atOnce + 1);
    expect(account()).toMatchObject({ diverted: size * (atOnce + 1), held: 0, conservation: 0 });
  });
});

describe('a fatal failure', () => {
  const missing = () => coded('42P01', 'relation "bars" does not exist');

  it('without dead letters stops at once', () => {
    const { source, calls, advance, result } = bench(() => throwError(missing), { retry: steady });
    source.next([1]);
    advance(1_000);
    expect(calls).toHaveLength(1);
    expect(result.error).toMatchObject({ code: 'SLUICE_WRITE_FAILED', cause: { code: '42P01' } });
  });

  it('stops at once, and everything held is in the dead letters and counted', () => {
    const { letters, deadLetters } = letterBox();
    const { source, calls, result, account } = bench(() => throwError(missing), { deadLetters, retry: steady });
    source.next([1, 2]);
    expect(calls).toHaveLength(1);
    expect(letters).toMatchObject([{ items: [1, 2], reason: 'fatal', error: { code: '42P01' } }]);
    expect(result.error).toMatchObject({
      code: 'SLUICE_WRITE_FAILED',
      message: expect.stringContaining('does not exist'),
    });
    expect(source.observed).toBe(false);
    expect(account()).toMatchObject({ received: 2, diverted: 2, held: 0, conservation: 0 });
  });

  it('in one worker of a coordinator diverts what all of them and the buffer hold, and stops the source', async () => {
    const { letters, deadLetters } = letterBox();
    const monitor = new PipelineMonitor();
    let writes = 0;
    const failing = new Subject<WriteReceipt>();
    const sink: Sink<number> = {
      name: 'numbers',
      write: () => {
        writes += 1;
        return writes === 3 ? failing : NEVER;
      },
    };
    const result = record(
      fromIterable(upTo(100_000)).pipe(
        writeCoordinator(sink, { workers: 4, batchSize: 10, capacity: 1_000, policies: { deadLetters } }),
        withContext({ monitor }),
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
    const { received } = monitor.account();
    expect(received).toBeGreaterThan(800);
    failing.error(missing());
    expect(result.error).toMatchObject({ cause: { code: '42P01' } });
    expect(monitor.account()).toMatchObject({ received, written: 0, diverted: received, held: 0, conservation: 0 });
    expect(letters.reduce((sum, { items }) => sum + items.length, 0)).toBe(received);
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(['fatal']));
  });

  it('tells who keeps the deadline of the program, where there is somebody, and lets the pipeline complete', () => {
    const { letters, deadLetters } = letterBox();
    const aborted: unknown[] = [];
    const stopping = new Subject<void>();
    const abort = (error: unknown) => {
      aborted.push(error);
      stopping.next();
    };
    const sink: Sink<number> = { name: 'numbers', write: () => throwError(missing) };
    const result = record(
      fromIterable(upTo(100)).pipe(
        batch({ size: 10 }),
        writeTo(sink, { deadLetters }),
        withContext({ abort, stopping }),
      ),
    );
    expect(aborted).toMatchObject([{ code: 'SLUICE_WRITE_FAILED' }]);
    expect(result).toMatchObject({ completed: true, error: undefined });
    expect(letters.length).toBeGreaterThan(0);
  });
});

describe('when the time of a drain is over', () => {
  it('what is being written, waits for the breaker, for its next attempt or behind others goes to the dead letters', () => {
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 60_000 });
    const cases: [string, WritePolicies<number>, () => ObservableInput<WriteReceipt>][] = [
      ['a write that hangs', {}, () => NEVER],
      ['a breaker that is open', { breaker, retry: steady }, () => throwError(refused)],
      ['a long wait', { retry: { ...steady, initialMs: 1_000 } }, () => throwError(refused)],
    ];
    for (const [name, policies, write] of cases) {
      const { letters, deadLetters } = letterBox();
      const { source, expired, advance, result, account } = bench(write, { ...policies, deadLetters });
      source.next([1, 2]);
      source.next([3]);
      advance(20);
      source.complete();
      expect(account(), name).toMatchObject({ received: 3, held: 3 });
      expired.next(undefined);
      expect(
        letters.map(({ items, reason }) => [items, reason]),
        name,
      ).toEqual([
        [[1, 2], 'drain'],
        [[3], 'drain'],
      ]);
      // What the sink said last, where it said anything, and not that time was up.
      const said = name === 'a write that hangs' ? undefined : 'ECONNREFUSED';
      expect((letters[0]!.error as { code?: string } | undefined)?.code, name).toBe(said);
      expect(result, name).toMatchObject({ completed: true });
      expect(account(), name).toMatchObject({ diverted: 3, held: 0, conservation: 0 });
    }
  });

  it('nothing is written later of what waited for the breaker, and no timer is left', () => {
    const { deadLetters } = letterBox();
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 1_000 });
    const { source, expired, calls, advance, account, scheduler } = bench(
      (_, call) => (call === 1 ? throwError(refused) : of({ rows: 1 })),
      { breaker, retry: steady, deadLetters, timeoutMs: 100 },
    );
    source.next([1]);
    advance(20);
    expired.next(undefined);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
    advance(60_000);
    expect(calls).toHaveLength(1);
    expect(account()).toMatchObject({ diverted: 1, written: 0, held: 0, conservation: 0 });
  });

  it('a write that is given up by its own teardown is settled once', () => {
    const { letters, deadLetters } = letterBox();
    const { source, expired, advance, account, scheduler } = bench(
      () =>
        timer(10, scheduler).pipe(
          map(() => ({ rows: 1 })),
          finalize(() => expired.next(undefined)),
        ),
      { deadLetters },
    );
    source.next([1]);
    advance(20);
    const { written, diverted } = account();
    expect(written + diverted).toBe(1);
    expect(letters).toHaveLength(diverted);
    expect(account()).toMatchObject({ held: 0, conservation: 0 });
  });

  it('keeps the items written so far out of the letters of a batch whose bad rows are being looked for', () => {
    const { letters, deadLetters } = letterBox();
    const { source, expired, account } = bench(
      (items, call) =>
        call === 1 ? throwError(() => coded('22P02')) : call === 2 ? of({ rows: items.length }) : NEVER,
      { deadLetters },
    );
    source.next([...upTo(8)]);
    const { written } = account();
    expect(written).toBeGreaterThan(0);
    expired.next(undefined);
    expect(letters.flatMap(({ items }) => items)).toEqual([...upTo(8)].slice(written));
    expect(account()).toMatchObject({ written, diverted: 8 - written, held: 0, conservation: 0 });
  });

  it('what waits for those downstream who take no outcome goes there too', () => {
    const { letters, deadLetters } = letterBox();
    const monitor = new PipelineMonitor();
    const expired = new Subject<unknown>();
    const source = new Subject<readonly number[]>();
    const sink: Sink<number> = { name: 'numbers', write: () => of({ rows: 1 }) };
    record(
      source.pipe(
        writeTo(sink, { deadLetters }),
        boundedMergeMap(() => NEVER, { concurrency: 1 }),
        withContext({ monitor, expired }),
      ),
    );
    for (let n = 0; n < 6; n++) source.next([n]);
    const { written } = monitor.account();
    expect(written).toBeLessThan(6);
    expired.next(undefined);
    expect(letters.flatMap(({ items }) => items)).toEqual([...upTo(6)].slice(written));
    expect(monitor.account()).toMatchObject({ written, diverted: 6 - written, held: 0, conservation: 0 });
  });

  it('without dead letters nothing changes: writes go on until they are cut', () => {
    const { source, expired, account } = bench(() => NEVER);
    source.next([1]);
    expired.next(undefined);
    expect(account()).toMatchObject({ held: 1, diverted: 0 });
  });

  it('a probe that is given up gives its permit back', () => {
    const { deadLetters } = letterBox();
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 0 });
    breaker.failed(breaker.tryAcquire(0)!, 0, 0);
    const { source, expired } = bench(() => NEVER, { breaker, deadLetters });
    source.next([1]);
    expect(breaker.tryAcquire(0)).toBeUndefined();
    expired.next(undefined);
    // It has shown nothing of the sink.
    expect(breaker.state).toBe('halfOpen');
    expect(breaker.tryAcquire(0)).toBeDefined();
  });

  it('a write that cannot be unsubscribed is given up for that, where the sink has said nothing', () => {
    const { letters, deadLetters } = letterBox();
    const broken = new Error('cannot be unsubscribed');
    const stuck = new Observable<WriteReceipt>(() => () => {
      throw broken;
    });
    const { source, expired, account } = bench(() => stuck, { deadLetters });
    source.next([1]);
    expired.next(undefined);
    expect(letters).toHaveLength(1);
    expect(String(letters[0]!.error)).toContain('cannot be unsubscribed');
    expect(account()).toMatchObject({ diverted: 1, held: 0, conservation: 0 });
  });

  it('no timer is left of a wait for the next attempt', () => {
    const { letters, deadLetters } = letterBox();
    const { source, expired, advance, scheduler } = bench(() => throwError(refused), { deadLetters, retry: steady });
    source.next([1]);
    expired.next(undefined);
    expect(letters).toHaveLength(1);
    expect(scheduler.actions.every(({ closed }) => closed)).toBe(true);
    advance(5_000);
    expect(letters).toHaveLength(1);
  });

  it('gives up for the reason that came first', () => {
    const { letters, deadLetters } = letterBox();
    const { source, expired } = bench(() => NEVER, { deadLetters });
    expired.next(undefined);
    expired.next(new Error('another writer has failed'));
    source.next([1]);
    expect(letters).toMatchObject([{ items: [1], reason: 'drain', error: undefined }]);
  });

  it('a letter that waits for its disk is waited for', () => {
    const durable = new Subject<void>();
    const { deadLetters } = letterBox(() => durable);
    const { source, expired, result, account } = bench(() => NEVER, { deadLetters });
    source.next([1]);
    expired.next(undefined);
    source.complete();
    expect(result.completed).toBe(false);
    expect(account()).toMatchObject({ held: 1, conservation: 0 });
    durable.complete();
    expect(result.completed).toBe(true);
  });
});
