import { NEVER, type ObservableInput, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { map } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../../test/support/diversions.js';
import { coded, refused } from '../../../test/support/errors.js';
import { gatedFrom, upTo } from '../../../test/support/record.js';
import { bench, steady } from '../../../test/support/writeBench.js';
import type { Sink, WriteReceipt } from '../../contracts/sink.js';
import { marbles } from '../../testing/marbles.js';
import { WriteError } from '../errors/writeError.js';
import { writeCoordinator } from '../writeCoordinator.js';

describe('a wait that a drain cuts short', () => {
  it('is over: the write that follows it is one, and takes as long as it takes', () => {
    const second = new Subject<WriteReceipt>();
    const { source, stopping, calls, advance, result } = bench(
      (_, call) => (call === 1 ? throwError(refused) : second),
      { retry: { ...steady, initialMs: 1_000 } },
    );
    source.next([1]);
    advance(10);
    stopping.next();
    expect(calls.map(({ at }) => at)).toEqual([0, 10]);
    advance(5_000);
    second.next({ rows: 1 });
    second.complete();
    expect(calls).toHaveLength(2);
    expect(result.values).toMatchObject([{ status: 'written', attempts: 2 }]);
  });
});

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
