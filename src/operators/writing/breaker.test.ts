import { NEVER, Observable, of, Subject, throwError, timer, VirtualTimeScheduler } from 'rxjs';
import { map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { gatedFrom, record, upTo } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { classifyFailure } from '../../failures/classifyFailure.js';
import { PipelineMonitor } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { classifyPostgresFailure } from '../../postgres/failures.js';
import { batch } from '../batch.js';
import { WriteError } from '../errors/writeError.js';
import { lanes } from '../lanes.js';
import { writeCoordinator } from '../writeCoordinator.js';
import { writeTo } from '../writeTo.js';

describe('the breaker', () => {
  const guarded = (openMs = 1_000) => new CircuitBreaker({ window: { kind: 'count', size: 2 }, openMs });

  it('is asked before each attempt, and waiting for it spends none', () => {
    const breaker = guarded();
    let down = true;
    const { source, calls, advance, result } = bench(() => (down ? throwError(refused) : of({ rows: 1 })), {
      breaker,
      retry: { ...steady, maxAttempts: 3 },
    });
    source.next([1]);
    advance(10);
    expect(breaker.state).toBe('open');
    expect(calls).toHaveLength(2);
    // Ten more probes find it still down: each is an attempt, but none of those that are limited.
    advance(10_500);
    expect(calls.length).toBeGreaterThan(8);
    expect(calls.length).toBeLessThan(14);
    expect(result.error).toBeUndefined();
    down = false;
    advance(1_100);
    // However often the breaker was asked, what counts as an attempt is that the sink was.
    expect(result.values).toMatchObject([{ status: 'written', items: [1], attempts: calls.length }]);
    expect(breaker.state).toBe('closed');
  });

  it('a probe that fails with what no table knows spends an attempt: it may be the fault of the batch', () => {
    const { source, calls, advance, result } = bench(() => throwError(() => new Error('odd')), {
      breaker: guarded(),
      retry: { ...steady, maxAttempts: 4 },
    });
    source.next([1]);
    advance(60_000);
    expect(calls).toHaveLength(4);
    expect(result.error).toBeInstanceOf(WriteError);
  });

  it('hears nothing bad of a sink that refuses a row', () => {
    const breaker = guarded();
    const { letters, deadLetters } = letterBox();
    const { source } = bench(() => throwError(() => coded('22P02')), { breaker, deadLetters });
    for (let n = 0; n < 10; n++) source.next([n]);
    expect(letters).toHaveLength(10);
    expect(breaker.state).toBe('closed');
  });

  it('hears nothing bad of a limit in the configuration of the server: a smaller batch keeps within it, and others go on', () => {
    const breaker = guarded();
    const { letters, deadLetters } = letterBox();
    const tooLarge = (items: readonly number[]) => items.length > 3 || items.includes(13);
    const { source, calls, account } = bench(
      (items) => (tooLarge(items) ? throwError(() => coded('53400')) : of({ rows: items.length })),
      { breaker, deadLetters, retry: steady, classify: classifyPostgresFailure },
    );
    for (let n = 0; n < 10; n++) source.next([10, 11, 12, 13, 14, 15, 16, 17]);
    source.next([1, 2]);
    expect(breaker.state).toBe('closed');
    expect(letters.map(({ items, reason }) => [items, reason])).toEqual(Array(10).fill([[13], 'poison']));
    expect(account()).toMatchObject({ received: 82, written: 72, diverted: 10, held: 0, conservation: 0 });
    expect(calls.every(({ at }) => at === 0)).toBe(true);
  });

  it('hears nothing of a sink that cannot be written to at all', () => {
    const breaker = guarded();
    const { deadLetters } = letterBox();
    for (let n = 0; n < 5; n++)
      bench(() => throwError(() => coded('42P01')), { breaker, deadLetters }).source.next([n]);
    expect(breaker.state).toBe('closed');
  });

  it('hears how long each attempt took, and of a late one that it took all of its time', () => {
    const heard: [string, number][] = [];
    class Hearing extends CircuitBreaker {
      override succeeded(...told: Parameters<CircuitBreaker['succeeded']>) {
        heard.push(['succeeded', told[1]]);
        super.succeeded(...told);
      }
      override failed(...told: Parameters<CircuitBreaker['failed']>) {
        heard.push(['failed', told[1]]);
        super.failed(...told);
      }
    }
    const { source, advance, scheduler } = bench(
      (_, call) => (call === 1 ? NEVER : timer(30, scheduler).pipe(map(() => ({ rows: 1 })))),
      { breaker: new Hearing(), retry: steady, timeoutMs: 100 },
    );
    source.next([1]);
    advance(1_000);
    expect(heard).toEqual([
      ['failed', 100],
      ['succeeded', 30],
    ]);
  });

  it.each<[who: string, answer: 'written' | 'refused' | 'failed' | 'thrown']>([
    ['whoever gets the outcomes', 'written'],
    ['an observer that hears of what is settled', 'written'],
    ['an observer that hears of failures', 'refused'],
    ['classify', 'refused'],
    ['classify', 'failed'],
    ['classify', 'thrown'],
    ['the classify of the sink', 'failed'],
  ])('does not count against the sink the time that %s takes once the sink has answered (%s)', (who, answer) => {
    const heard: number[] = [];
    class Hearing extends CircuitBreaker {
      override succeeded(...told: Parameters<CircuitBreaker['succeeded']>) {
        heard.push(told[1]);
        super.succeeded(...told);
      }
      override failed(...told: Parameters<CircuitBreaker['failed']>) {
        heard.push(told[1]);
        super.failed(...told);
      }
    }
    const breaker = new Hearing({ window: { kind: 'count', size: 1 }, slowCallMs: 100 });
    const { deadLetters } = letterBox();
    const scheduler = new VirtualTimeScheduler();
    const slowly = (name: string) => {
      if (name === who) scheduler.frame += 5_000;
    };
    const monitor = new PipelineMonitor({
      observer: {
        settled: () => slowly('an observer that hears of what is settled'),
        writeFailed: () => slowly('an observer that hears of failures'),
      },
    });
    const refusal = () => (answer === 'refused' ? coded('22P02') : coded('ECONNREFUSED'));
    const sink: Sink<number> = {
      name: 'numbers',
      write() {
        if (answer === 'thrown') {
          scheduler.frame += 30;
          throw refusal();
        }
        const answered$ = timer(30, scheduler);
        return answered$.pipe(
          map(() => {
            if (answer !== 'written') throw refusal();
            return { rows: 1 };
          }),
        );
      },
      classify(error) {
        slowly('the classify of the sink');
        return classifyFailure(error);
      },
    };
    const classify = () => void slowly('classify');
    of([1])
      .pipe(writeTo(sink, { breaker, classify, deadLetters, scheduler }), withContext({ monitor }))
      .subscribe(() => slowly('whoever gets the outcomes'));
    // Only the first attempt: while the breaker is open, probes go on for ever.
    scheduler.maxFrames = 30;
    scheduler.flush();
    expect(heard).toEqual([30]);
    expect(breaker.state).toBe(answer === 'failed' || answer === 'thrown' ? 'open' : 'closed');
  });

  it('lets a batch through that gives its own up: what has become of that one is counted once', () => {
    const { letters, deadLetters } = letterBox();
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 50 });
    const writes: Subject<WriteReceipt>[] = [];
    const { source, calls, advance, result, account } = bench(
      (_, call) => {
        if (call === 4) return throwError(() => coded('42P01'));
        const write = new Subject<WriteReceipt>();
        writes.push(write);
        return write;
      },
      { concurrency: 2, breaker, deadLetters, retry: steady },
    );
    source.next([1, 2]);
    source.next([3]);
    // Somebody else who shares the breaker has opened it. The first batch waits to be written in parts, the other behind it.
    breaker.failed(breaker.tryAcquire(0)!, 0, 0);
    writes[0]!.error(coded('22P02'));
    writes[1]!.error(refused());
    advance(60);
    expect(calls.map(({ items }) => items)).toEqual([[1, 2], [3], [1]]);
    // An answer closes the breaker, and lets the other through, which finds no table: all is given up within that answer.
    writes[2]!.error(coded('22P02'));
    expect(calls.map(({ items }) => items)).toEqual([[1, 2], [3], [1], [3]]);
    expect(result.error).toMatchObject({ cause: { code: '42P01' } });
    expect(letters.flatMap(({ items }) => items)).toEqual([1, 2, 3]);
    expect(account()).toMatchObject({ received: 3, diverted: 3, held: 0, conservation: 0 });
  });

  it('gets its permit back from a write that is unsubscribed', () => {
    const breaker = guarded(0);
    const { source, advance, result } = bench((_, call) => (call <= 2 ? throwError(refused) : NEVER), {
      breaker,
      retry: steady,
    });
    source.next([1]);
    advance(100);
    expect(breaker.state).toBe('halfOpen');
    expect(breaker.tryAcquire(100)).toBeUndefined();
    result.subscription.unsubscribe();
    expect(breaker.tryAcquire(100)).toBeDefined();
  });

  it('gets its permit back from a write that cannot be taken down', () => {
    const breaker = guarded(0);
    const broken = new Observable<never>(() => () => {
      throw new Error('cannot be closed');
    });
    const { source, advance, result } = bench((_, call) => (call <= 2 ? throwError(refused) : broken), {
      breaker,
      retry: steady,
    });
    source.next([1]);
    advance(100);
    expect(breaker.state).toBe('halfOpen');
    expect(() => result.subscription.unsubscribe()).toThrow('cannot be closed');
    expect(breaker.tryAcquire(100)).toBeDefined();
  });

  it('lets nobody through whose pipeline is being unsubscribed', () => {
    for (const workers of [1, 4]) {
      const scheduler = new VirtualTimeScheduler();
      const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 0 });
      breaker.failed(breaker.tryAcquire(0)!, 0, 0);
      let writes = 0;
      const sink: Sink<number> = {
        name: 'numbers',
        write: () => {
          writes += 1;
          return NEVER;
        },
      };
      const policies = { breaker, scheduler };
      const write = (lane$: Observable<number>) =>
        lane$.pipe(batch({ size: 1 }), writeTo(sink, { ...policies, concurrency: 4 / workers }));
      const { subscription } = record(gatedFrom(upTo(4)).pipe(lanes({ count: workers }, write)));
      expect(writes).toBe(1);
      subscription.unsubscribe();
      expect(writes, `${workers} workers`).toBe(1);
      expect(breaker.tryAcquire(100)).toBeDefined();
    }
  });

  it('decides of an outage at a quiet time, when one batch meets all the failures that open it', () => {
    const { letters, deadLetters } = letterBox();
    const breaker = new CircuitBreaker({ openMs: 1_000 });
    let down = true;
    const { source, calls, advance, result } = bench(() => (down ? throwError(refused) : of({ rows: 1 })), {
      breaker,
      deadLetters,
      retry: steady,
    });
    source.next([1]);
    advance(60_000);
    expect(letters).toEqual([]);
    expect(calls.length).toBeGreaterThan(5);
    down = false;
    advance(1_100);
    expect(result.values).toMatchObject([{ status: 'written', items: [1] }]);
  });

  it('that opens at what no table knows does not keep a batch for ever', () => {
    const { letters, deadLetters } = letterBox();
    const { source, advance } = bench(() => throwError(() => new Error('odd')), {
      breaker: new CircuitBreaker({ openMs: 1_000 }),
      deadLetters,
      retry: steady,
    });
    source.next([1]);
    advance(60_000);
    expect(letters).toMatchObject([{ reason: 'exhausted', attempts: 5 }]);
  });

  it('lets workers that wait take turns as probes', () => {
    const scheduler = new VirtualTimeScheduler();
    const probes: number[] = [];
    const sink: Sink<number> = {
      name: 'numbers',
      keyOf: (n) => n,
      write(items) {
        probes.push(items[0]!);
        return throwError(refused);
      },
    };
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 4 }, openMs: 1_000 });
    const policies = { breaker, retry: { ...steady, initialMs: 1 }, scheduler };
    const keys = [0, 3, 1, 6];
    gatedFrom(keys)
      .pipe(writeCoordinator(sink, { workers: 4, batchSize: 1, policies }))
      .subscribe();
    return Promise.resolve().then(() => {
      scheduler.maxFrames = 20_000;
      scheduler.flush();
      const latest = probes.slice(-keys.length * 2);
      expect(new Set(latest).size).toBeGreaterThan(1);
    });
  });

  it('lets the next write begin only when the outcomes of the probe are out', () => {
    const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 0 });
    breaker.failed(breaker.tryAcquire(0)!, 0, 0);
    const probe = new Subject<WriteReceipt>();
    const outcomesAtCall: number[] = [];
    const { source, result } = bench(
      (_, call) => {
        outcomesAtCall.push(result.values.length);
        return call === 1 ? probe : of({ rows: 1 });
      },
      { breaker, concurrency: 2 },
    );
    source.next([1]);
    source.next([2]);
    expect(outcomesAtCall).toEqual([0]);
    probe.next({ rows: 1 });
    probe.complete();
    expect(outcomesAtCall).toEqual([0, 1]);
    expect(result.values).toHaveLength(2);
  });
});
