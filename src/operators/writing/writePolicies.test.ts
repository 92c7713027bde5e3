import {
  EMPTY,
  NEVER,
  Observable,
  type ObservableInput,
  of,
  type SchedulerLike,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { finalize, map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../../test/support/record.js';
import type { DeadLetters, Diversion } from '../../contracts/diversion.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { WriteError } from '../../contracts/writeError.js';
import { PipelineMonitor, type StageObserver } from '../../flow/monitor.js';
import { withContext } from '../../flow/withContext.js';
import { CircuitBreaker } from '../../policies/circuitBreaker.js';
import { fromIterable } from '../../sources/fromIterable.js';
import { marbles } from '../../testing/marbles.js';
import { batch } from '../batch.js';
import { boundedMergeMap } from '../boundedMergeMap.js';
import { lanes } from '../lanes.js';
import { writeCoordinator } from '../writeCoordinator.js';
import { writeTo } from '../writeTo.js';
import type { WritePolicies } from './writePolicies.js';

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });
const refused = () => coded('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432');

/** Dead letters in an array; `until` is what each letter waits for. */
function letterBox(until: () => ObservableInput<unknown> = () => EMPTY) {
  const letters: Diversion<number>[] = [];
  const deadLetters: DeadLetters<number> = {
    append(diversion) {
      letters.push(diversion);
      return until();
    },
  };
  return { letters, deadLetters };
}

/** A pipeline over hand-fed batches in virtual time; `write` is told which call it is, from 1. */
function bench(
  write: (items: readonly number[], call: number) => ObservableInput<WriteReceipt>,
  policies: WritePolicies<number> = {},
  observer: StageObserver = {},
) {
  const scheduler = new VirtualTimeScheduler();
  const monitor = new PipelineMonitor({ observer });
  const calls: { at: number; items: readonly number[] }[] = [];
  const sink: Sink<number> = {
    name: 'numbers',
    write(items) {
      calls.push({ at: scheduler.now(), items });
      return write(items, calls.length);
    },
  };
  const source = new Subject<readonly number[]>();
  const stopping = new Subject<void>();
  const expired = new Subject<unknown>();
  const result = record(
    source.pipe(writeTo(sink, { scheduler, ...policies }), withContext({ monitor, stopping, expired })),
  );
  const advance = (ms: number) => {
    // VirtualTimeScheduler runs up to maxFrames, and leaves its clock at the last action.
    scheduler.maxFrames = scheduler.frame + ms;
    const end = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = end;
  };
  const account = () => monitor.account();
  return { scheduler, monitor, calls, source, expired, result, advance, account };
}

const steady = { jitter: 'none', initialMs: 10, maxMs: 1_000, multiplier: 2 } as const;

describe('retry', () => {
  it('waits longer each time, and writes the very same batch', () => {
    const { source, calls, advance, result } = bench((_, call) => (call < 4 ? throwError(refused) : of({ rows: 2 })), {
      retry: { ...steady, maxAttempts: 4 },
    });
    const items = [1, 2];
    source.next(items);
    advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 10, 30, 70]);
    expect(calls.every((call) => call.items === items)).toBe(true);
    expect(result.values).toEqual([{ status: 'written', items, rows: 2, attempts: 4, durationMs: 70 }]);
  });

  it('gives up after maxAttempts, with the last error as the cause', () => {
    const { source, calls, advance, result, account } = bench(
      (_, call) => throwError(() => coded('ECONNRESET', `${call}`)),
      {
        retry: { ...steady, maxAttempts: 3 },
      },
    );
    source.next([1, 2]);
    advance(1_000);
    expect(calls).toHaveLength(3);
    expect(result.error).toBeInstanceOf(WriteError);
    expect(result.error).toMatchObject({ attempts: 3, cause: { message: '3' } });
    expect(account()).toMatchObject({ received: 2, held: 2, conservation: 0 });
  });

  it('waits at least as long as the error asks for', () => {
    const busy = Object.assign(coded('53300'), { retryAfterMs: 500 });
    const { source, calls, advance } = bench((_, call) => (call === 1 ? throwError(() => busy) : of({ rows: 1 })), {
      retry: steady,
    });
    source.next([1]);
    advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 500]);
  });

  it('waits longer than a timer of Node can, if it must', () => {
    const longest = 2 ** 31 - 1;
    const later = Object.assign(coded('53300'), { retryAfterMs: 2 * longest });
    const spans: number[] = [];
    const scheduler = new VirtualTimeScheduler();
    const schedule = scheduler.schedule.bind(scheduler);
    scheduler.schedule = (work, delay = 0, state) => {
      spans.push(delay);
      return schedule(work, delay, state as never);
    };
    const { source, calls } = bench((_, call) => (call === 1 ? throwError(() => later) : NEVER), {
      retry: steady,
      timeoutMs: 2 * longest,
      scheduler,
    });
    source.next([1]);
    scheduler.maxFrames = 2 * longest;
    scheduler.flush();
    expect(calls).toHaveLength(2);
    expect(Math.max(...spans)).toBe(longest);
  });

  it('tries at once, once, when a connection broke, and then as always', () => {
    const cut = () => Object.assign(new Error('gone'), { connectionLost: true, cause: coded('57P01') });
    const { source, calls, advance } = bench((_, call) => (call < 4 ? throwError(cut) : of({ rows: 1 })), {
      retry: steady,
    });
    source.next([1]);
    advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 0, 10, 30]);
  });

  it('draws its jitter from `random`', () => {
    const { source, calls, advance } = bench((_, call) => (call === 1 ? throwError(refused) : of({ rows: 1 })), {
      retry: { ...steady, jitter: 'full' },
      random: () => 0.5,
    });
    source.next([1]);
    advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 5]);
  });

  it('does not draw the same jitter in workers that fail together', () => {
    const scheduler = new VirtualTimeScheduler();
    const attempts: number[] = [];
    const sink: Sink<number> = {
      name: 'numbers',
      write() {
        attempts.push(scheduler.now());
        return attempts.length <= 8 ? throwError(refused) : of({ rows: 1 });
      },
    };
    const policies = { retry: { initialMs: 1_000_000, maxMs: 1_000_000 }, breaker: false, scheduler } as const;
    gatedFrom(upTo(8))
      .pipe(writeCoordinator(sink, { workers: 8, batchSize: 1, policies }))
      .subscribe();
    return Promise.resolve().then(() => {
      scheduler.maxFrames = 10_000_000;
      scheduler.flush();
      expect(attempts).toHaveLength(16);
      expect(new Set(attempts.slice(8)).size).toBe(8);
    });
  });

  it('connection refused is tried again: it is recognised as transient', () => {
    const { source, calls, advance, result } = bench(
      (_, call) => (call === 1 ? throwError(refused) : of({ rows: 1 })),
      {
        retry: steady,
      },
    );
    source.next([1]);
    advance(100);
    expect(calls).toHaveLength(2);
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
  });
});

describe('does not let "a worker dies with its batch when retries run out and nothing restarts it" come back', () => {
  const misdeeds: [string, () => ObservableInput<WriteReceipt>][] = [
    [
      'throws synchronously',
      () => {
        throw coded('ECONNRESET');
      },
    ],
    ['fails', () => throwError(() => coded('ECONNRESET'))],
    ['hangs', () => NEVER],
    ['gives a receipt and never completes', () => new Subject<WriteReceipt>()],
    ['gives nothing that can be subscribed', () => undefined as never],
  ];

  it.each(misdeeds)(
    'a sink that %s: the batch is diverted when the attempts run out, and the next is written',
    (_, misdeed) => {
      const { letters, deadLetters } = letterBox();
      const { source, advance, result, monitor, account } = bench(
        (items) => (items.includes(13) ? misdeed() : of({ rows: 1 })),
        {
          retry: { ...steady, maxAttempts: 2 },
          timeoutMs: 100,
          deadLetters,
        },
      );
      source.next([13, 14]);
      source.next([1]);
      advance(1_000);
      source.next([2]);
      advance(1_000);
      expect(letters).toMatchObject([{ items: [13, 14], reason: 'exhausted', attempts: 2, stage: 'writeTo' }]);
      expect(result.values.map(({ status, items }) => [status, items])).toEqual([
        ['diverted', [13, 14]],
        ['written', [1]],
        ['written', [2]],
      ]);
      expect(result.error).toBeUndefined();
      expect(account()).toMatchObject({ received: 4, written: 2, diverted: 2, held: 0, conservation: 0 });
      expect(monitor.stages.filter(({ role, isLive }) => role === 'writer' && isLive)).toHaveLength(1);
    },
  );

  it('a sink that emits twice is taken at its last word', () => {
    const { source, result } = bench(() => of({ rows: 7 }, { rows: 1 }));
    source.next([1]);
    expect(result.values).toMatchObject([{ status: 'written', rows: 1 }]);
  });

  it('a sink that rejects: its worker goes on', async () => {
    const { letters, deadLetters } = letterBox();
    const { source, result } = bench(
      (items) => (items[0] === 13 ? Promise.reject(coded('ECONNRESET')) : of({ rows: 1 })),
      {
        deadLetters,
      },
    );
    source.next([13]);
    source.next([1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(letters).toHaveLength(1);
    expect(result.values.map(({ status }) => status)).toEqual(['diverted', 'written']);
  });

  it(
    'does not let "workers starve for good after a lull longer than the flush interval" come back',
    marbles(({ cold, expectObservable }) => {
      const source = cold('a 9999ms b 9999ms (cd)    ');
      const outcomes = '   250ms a 9999ms b 9999ms (cd)';
      const sink: Sink<string> = { name: 'strings', write: (items) => of({ rows: items.length }) };
      const config = { workers: 2, batchSize: 10, eager: false, lingerMs: 250 };
      expectObservable(
        source.pipe(
          writeCoordinator(sink, config),
          map(({ items }) => items.join('')),
        ),
      ).toBe(outcomes);
    }),
  );
});

describe('a time limit', () => {
  it('lets go of a write that hangs, and counts it as a failed attempt', () => {
    let open = 0;
    const hanging = NEVER.pipe(finalize(() => (open -= 1)));
    const { source, calls, advance, result } = bench(
      (_, call) => {
        open += 1;
        return call === 1 ? hanging : of({ rows: 1 }).pipe(finalize(() => (open -= 1)));
      },
      { timeoutMs: 100, retry: steady },
    );
    source.next([1]);
    advance(99);
    expect(open).toBe(1);
    advance(1);
    expect(open).toBe(0);
    advance(10);
    expect(calls.map(({ at }) => at)).toEqual([0, 110]);
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
  });

  it('is that of each attempt, whatever came before', () => {
    const { source, advance, result, calls } = bench((_, call) => (call === 3 ? NEVER : of({ rows: 1 })), {
      timeoutMs: 100,
    });
    source.next([1]);
    advance(60);
    source.next([2]);
    advance(60);
    source.next([3]);
    advance(99);
    expect(result.error).toBeUndefined();
    advance(1);
    expect(result.error).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
    expect(calls).toHaveLength(3);
  });

  it('holds when the clock is set back, and so does the duration of a write', () => {
    const virtual = new VirtualTimeScheduler();
    let offset = 0;
    const scheduler: SchedulerLike = {
      now: () => virtual.now() + offset,
      schedule: virtual.schedule.bind(virtual) as SchedulerLike['schedule'],
    };
    const { source, result } = bench(
      (_, call) => (call === 1 ? NEVER : timer(20, virtual).pipe(map(() => ({ rows: 1 })))),
      { timeoutMs: 100, retry: steady, scheduler },
    );
    source.next([1]);
    for (const at of [50, 215]) {
      virtual.schedule(() => {
        offset -= 3_600_000;
      }, at);
    }
    virtual.maxFrames = 1_000;
    virtual.flush();
    // Let go of at 200, when it has had its whole time by the new clock.
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
    expect(virtual.frame).toBeLessThan(400);
    expect(result.values[0]!.durationMs).toBeGreaterThanOrEqual(110);
  });

  it('does not ring for ever at one time that is no whole number', () => {
    const { source, advance, scheduler, calls, result } = bench(() => NEVER, { timeoutMs: 25 });
    const schedule = scheduler.schedule.bind(scheduler);
    let timers = 0;
    scheduler.schedule = (work, delay, state) => {
      timers += 1;
      if (timers > 100) throw new Error('rings for ever');
      return schedule(work, delay, state as never);
    };
    // What is left of 25 after it is 0.000000000000004, and adds nothing to a time of that size.
    scheduler.schedule(() => source.next([1]), 7.02);
    advance(100);
    expect(calls).toHaveLength(1);
    expect(result.error).toMatchObject({ cause: { code: 'SLUICE_WRITE_TIMEOUT' } });
  });

  it('leaves no timer behind', () => {
    const { source, scheduler } = bench(() => of({ rows: 1 }), { timeoutMs: 100 });
    source.next([1]);
    source.complete();
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});

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
});

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
    const { source } = bench(() => throwError(() => coded('23514')), { deadLetters });
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
    expect(breaker.tryAcquire(0)).toBeDefined();
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

describe('who watches', () => {
  it('hears of failures with their class and type, of waits, of outcomes, and of the breaker', () => {
    const heard: unknown[] = [];
    const breaker = new CircuitBreaker();
    const { deadLetters } = letterBox();
    const { source, advance } = bench(
      (items, call) =>
        call === 1 ? throwError(refused) : items.includes(2) ? throwError(() => coded('23502')) : of({ rows: 1 }),
      { retry: steady, breaker, deadLetters },
      {
        writeFailed: (_, failure) => heard.push(failure),
        retrying: (stage, delayMs) => heard.push([stage.name, delayMs]),
        settled: (_, outcome) => heard.push([outcome.status, outcome.items]),
        guarded: (_, watched) => heard.push(watched === breaker),
      },
    );
    source.next([1, 2]);
    advance(100);
    expect(heard).toEqual([
      true,
      { type: 'ECONNREFUSED', class: 'transient' },
      ['writeTo', 10],
      { type: '23502', class: 'poison' },
      { type: '23502', class: 'poison' },
      ['written', [1]],
      ['diverted', [2]],
    ]);
  });

  it.each(['settled', 'writeFailed', 'retrying', 'random'])(
    'whose %s throws ends the pipeline, also where the sink answers later, and no permit is lost',
    async (part) => {
      const fail = () => {
        throw new Error('no room for a metric');
      };
      const breaker = new CircuitBreaker({ window: { kind: 'count', size: 1 }, openMs: 0 });
      breaker.failed(breaker.tryAcquire(0)!, 0, 0);
      const { source, result, account } = bench(
        () => (part === 'settled' ? Promise.resolve({ rows: 1 }) : Promise.reject(refused())),
        { retry: steady, breaker, ...(part === 'random' ? { retry: {}, random: fail } : {}) },
        { [part]: fail },
      );
      source.next([1]);
      source.next([2]);
      await new Promise((resolve) => setImmediate(resolve));
      expect((result.error as Error | undefined)?.message).toBe('no room for a metric');
      expect(account()).toMatchObject({ received: 2, conservation: 0 });
      expect(breaker.tryAcquire(100)).toBeDefined();
    },
  );

  it('whose settled throws at the end of a drain ends the pipeline', () => {
    const { deadLetters } = letterBox();
    const fail = () => {
      throw new Error('no room for a metric');
    };
    const { source, expired, result, account } = bench(() => NEVER, { deadLetters }, { settled: fail });
    source.next([1]);
    expired.next(undefined);
    expect((result.error as Error | undefined)?.message).toBe('no room for a metric');
    expect(account()).toMatchObject({ diverted: 1, held: 0, conservation: 0 });
  });

  it('a classify that throws ends the pipeline with its error', () => {
    const { source, result, account } = bench(() => throwError(refused), {
      classify: () => {
        throw new Error('no idea');
      },
    });
    source.next([1]);
    expect((result.error as Error).message).toBe('no idea');
    expect(account()).toMatchObject({ held: 1, conservation: 0 });
  });
});

describe('classify', () => {
  const classed = (policies: WritePolicies<number>, classify?: Sink<number>['classify']) => {
    const { letters, deadLetters } = letterBox();
    const sink: Sink<number> = {
      name: 'numbers',
      ...(classify ? { classify } : {}),
      write: () => throwError(() => coded('42P01')),
    };
    record(of([1]).pipe(writeTo(sink, { ...policies, deadLetters })));
    return letters[0]?.reason;
  };

  it('asks the policies first, then the sink, then the default', () => {
    expect(classed({})).toBe('fatal');
    expect(classed({}, () => 'poison')).toBe('poison');
    expect(classed({ classify: () => 'transient' }, () => 'poison')).toBe('exhausted');
    expect(classed({ classify: () => undefined }, () => 'poison')).toBe('poison');
    expect(classed({ classify: () => undefined }, () => undefined)).toBe('fatal');
  });
});

it('a slow commit of the batch before is not mistaken for the next one', () => {
  const { source, advance, result, scheduler } = bench(() => timer(50, scheduler).pipe(map(() => ({ rows: 1 }))), {
    timeoutMs: 100,
  });
  for (let n = 0; n < 5; n++) source.next([n]);
  advance(1_000);
  expect(result.values.map(({ items }) => items[0])).toEqual([0, 1, 2, 3, 4]);
});
