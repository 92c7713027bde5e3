import { type Observable, of, Subject, switchMap, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded } from '../../../test/support/errors.js';
import { gatedFrom, record, upTo } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { SinkError } from '../../contracts/sinkError.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { batch } from '../batch.js';
import { lanes } from '../lanes.js';
import { writeCoordinator } from '../writeCoordinator.js';
import { writeTo } from '../writeTo.js';

const busy = (retryAfterMs: number) => new SinkError('busy', { failureClass: 'transient', retryAfterMs });

/** A sink whose third write is told to come back in five seconds, and what it was asked when. */
function bench429(answerMs = 0) {
  const scheduler = new VirtualTimeScheduler();
  const at: number[] = [];
  const sink: Sink<number> = {
    name: 'api',
    keyOf: (n) => n,
    write(items) {
      at.push(scheduler.now());
      const error = at.length === 3 ? busy(5_000) : undefined;
      const answer = error ? throwError(() => error) : of({ rows: items.length });
      return answerMs === 0 ? answer : timer(answerMs, scheduler).pipe(switchMap(() => answer));
    },
  };
  return { scheduler, at, sink };
}

describe('a pause that a sink asks for', () => {
  it.each<[string, object]>([
    ['with its default policies', {}],
    ['without a breaker', { breaker: false }],
    ['with a breaker that is shared', { breaker: new CircuitBreaker() }],
  ])('is kept by all workers of a coordinator %s', async (_, given) => {
    for (const answerMs of [0, 7]) {
      const { scheduler, at, sink } = bench429(answerMs);
      const result = record(
        gatedFrom(upTo(400)).pipe(
          writeCoordinator(sink, { workers: 4, batchSize: 5, policies: { ...given, scheduler } }),
        ),
      );
      await Promise.resolve();
      scheduler.flush();
      await Promise.resolve();
      scheduler.flush();
      expect(result.completed).toBe(true);
      const told = at[2]! + answerMs;
      expect(at.filter((time) => time > told && time < told + 5_000)).toEqual([]);
      expect(at.filter((time) => time >= told + 5_000).length).toBeGreaterThan(50);
    }
  });

  it('is kept by writers of one sink in lanes of their own, and in other chains', () => {
    const { scheduler, at, sink } = bench429(7);
    const write = (items$: Observable<number>) =>
      items$.pipe(batch({ size: 5, scheduler }), writeTo(sink, { retry: steady, breaker: {}, scheduler }));
    const first = record(gatedFrom(upTo(200)).pipe(lanes({ count: 4 }, write)));
    const second = record(gatedFrom(upTo(200)).pipe(write));
    scheduler.flush();
    expect([first.completed, second.completed]).toEqual([true, true]);
    const told = at[2]! + 7;
    expect(at.filter((time) => time > told && time < told + 5_000)).toEqual([]);
  });

  it('is kept by a writer that waited for the breaker before the sink asked for it', () => {
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 100 });
    const answers = [new Subject<WriteReceipt>(), new Subject<WriteReceipt>()];
    const { source, calls, advance } = bench((_, call) => answers[call - 1] ?? of({ rows: 1 }), {
      breaker,
      retry: steady,
      concurrency: 3,
    });
    source.next([1]);
    source.next([2]);
    answers[0]!.error(coded('ECONNREFUSED'));
    source.next([3]);
    answers[1]!.error(busy(3_000));
    advance(10_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 0, 3_000, 3_000, 3_000]);
  });

  it('is kept by a writer that a breaker has let through meanwhile', () => {
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 100 });
    const { source, calls, advance } = bench(
      (_, call) => (call === 1 ? throwError(() => busy(3_000)) : of({ rows: 1 })),
      {
        breaker,
        retry: steady,
        concurrency: 2,
      },
    );
    source.next([1]);
    source.next([2]);
    advance(10_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 3_000, 3_000]);
  });

  it('is the longest that any of them was asked for, and spends no attempt where there is a breaker', () => {
    const waits = [500, 2_000, 100];
    const { letters, deadLetters } = letterBox();
    const { source, calls, advance } = bench(
      (_, call) =>
        call <= 3 ? throwError(() => busy(waits[call - 1]!)) : call < 20 ? throwError(() => busy(10)) : of({ rows: 1 }),
      { concurrency: 3, retry: steady, breaker: new CircuitBreaker({ openMs: 10 }), deadLetters },
    );
    for (const n of [1, 2, 3]) source.next([n]);
    advance(1_999);
    // The second and the third were asked before the pause of the first began, or not at all.
    expect(calls.filter(({ at }) => at > 0 && at < 500)).toEqual([]);
    advance(600_000);
    expect(letters).toEqual([]);
  });

  it('is kept before the parts of a batch that is searched', () => {
    const error = new SinkError('slow down', { failureClass: 'poison', retryAfterMs: 400 });
    const { letters, deadLetters } = letterBox();
    const { source, calls, advance } = bench((_, call) => (call === 1 ? throwError(() => error) : of({ rows: 1 })), {
      deadLetters,
    });
    source.next([1, 2]);
    advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 400, 400]);
    expect(letters).toEqual([]);
  });

  it('is kept in a drain, and what waits for it is given up when the time of the drain is over', () => {
    const { letters, deadLetters } = letterBox();
    const { source, stopping, expired, calls, advance, scheduler } = bench(() => throwError(() => busy(60_000)), {
      retry: steady,
      breaker: new CircuitBreaker(),
      concurrency: 2,
      deadLetters,
    });
    source.next([1]);
    source.next([2]);
    advance(1_000);
    stopping.next();
    advance(8_000);
    expect(calls).toHaveLength(1);
    expired.next(undefined);
    expect(letters.map(({ items, reason }) => [items, reason])).toEqual([
      [[1], 'drain'],
      [[2], 'drain'],
    ]);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });

  it('of no length, or of none that is a number, is none', () => {
    for (const retryAfterMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const { source, calls, advance } = bench(
        (_, call) => (call === 1 ? throwError(() => busy(retryAfterMs)) : of({ rows: 1 })),
        { retry: steady },
      );
      source.next([1]);
      advance(1_000);
      expect(calls.map(({ at }) => at)).toEqual([0, 10]);
    }
  });
});

describe('a drain', () => {
  it.each<[string, object]>([
    ['for the breaker', { breaker: new CircuitBreaker({ window: { kind: 'count', size: 1 } }), retry: steady }],
    ['for its next attempt', { retry: { ...steady, initialMs: 60_000, maxMs: 60_000 } }],
  ])(
    'begins with an attempt of what waits %s, so that no good item ends in a letter beside a healthy sink',
    (_, given) => {
      const { letters, deadLetters } = letterBox();
      let isDown = true;
      const { source, stopping, expired, advance, result, account } = bench(
        (items) => (isDown ? throwError(() => coded('ECONNREFUSED')) : of({ rows: items.length })),
        { ...given, deadLetters },
      );
      source.next([1, 2]);
      source.next([3]);
      // Long enough for the breaker to be at its longest wait.
      for (let second = 0; second < 120; second++) advance(1_000);
      isDown = false;
      stopping.next();
      source.complete();
      advance(100);
      expired.next(undefined);
      expect(letters).toEqual([]);
      expect(result.completed).toBe(true);
      expect(account()).toMatchObject({ written: 3, diverted: 0, held: 0, conservation: 0 });
    },
  );

  it('probes again and again in the time that it has', () => {
    const { letters, deadLetters } = letterBox();
    let isDown = true;
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 } });
    const { source, stopping, expired, advance, account } = bench(
      (items) => (isDown ? throwError(() => coded('ECONNREFUSED')) : of({ rows: items.length })),
      { breaker, retry: steady, deadLetters },
    );
    source.next([1, 2]);
    for (let second = 0; second < 120; second++) advance(1_000);
    stopping.next();
    advance(3_500);
    isDown = false;
    advance(5_000);
    expired.next(undefined);
    expect(letters).toEqual([]);
    expect(account()).toMatchObject({ written: 2, held: 0 });
  });

  it('does not end the wait for a breaker that was opened by hand', () => {
    const { deadLetters } = letterBox();
    const breaker = new CircuitBreaker();
    breaker.forceOpen(0);
    const { source, stopping, calls, advance } = bench(() => of({ rows: 1 }), { breaker, deadLetters });
    source.next([1]);
    stopping.next();
    advance(10_000);
    expect(calls).toEqual([]);
  });
});
