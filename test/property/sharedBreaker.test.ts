import { EMPTY, NEVER, Observable, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Sink, WriteReceipt } from '../../src/contracts/sink.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { CircuitBreaker } from '../../src/policies/circuitBreaker.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { coded } from '../support/errors.js';
import { record } from '../support/record.js';

/** A store that does all that one can do wrong, by chance: at once or later, and now and then when it is let go of. */
function moody(chance: Xoshiro128, scheduler: VirtualTimeScheduler): Sink<number> {
  const failure = () => {
    const drawn = chance.unit();
    if (drawn < 0.3) return coded('ECONNRESET');
    if (drawn < 0.4) return coded('22P02');
    return drawn < 0.45 ? new Error('odd') : undefined;
  };
  return {
    name: 'moody',
    write(items) {
      if (chance.unit() < 0.05) return NEVER;
      const error = failure();
      const receipt = { rows: items.length };
      const delayMs = Math.floor(chance.unit() * 30);
      if (delayMs < 8) return error ? throwError(() => error) : of(receipt);
      return new Observable<WriteReceipt>((subscriber) => {
        const timer = scheduler.schedule(() => {
          if (error) return subscriber.error(error);
          subscriber.next(receipt);
          subscriber.complete();
        }, delayMs);
        return () => timer.unsubscribe();
      });
    },
  };
}

/** Four writers that share a breaker; each is completed, given up by a drain, or unsubscribed at some moment. */
function play(seed: number) {
  const chance = Xoshiro128.fromSeed(seed);
  const upTo = (n: number) => Math.floor(chance.unit() * n);
  const scheduler = new VirtualTimeScheduler();
  const breaker = new CircuitBreaker({
    window: { kind: 'count', size: 2 },
    openMs: 20,
    halfOpenPermits: 1 + upTo(2),
    halfOpenSuccesses: 1 + upTo(2),
  });
  const writers = [1, 2, 3, 1].map((concurrency) => {
    const monitor = new PipelineMonitor();
    const source = new Subject<readonly number[]>();
    const expired = new Subject<unknown>();
    const policies = {
      breaker,
      scheduler,
      concurrency,
      timeoutMs: 25,
      retry: { maxAttempts: 3, initialMs: 2 },
      deadLetters: { append: () => EMPTY },
      random: () => chance.unit(),
    };
    const sink = moody(chance, scheduler);
    const result = record(source.pipe(writeTo(sink, policies), withContext({ monitor, expired })));
    for (let n = 0; n < 6; n++) scheduler.schedule(() => source.next([1, 2, 3]), upTo(200));
    const end = upTo(3);
    if (end === 0) scheduler.schedule(() => result.subscription.unsubscribe(), upTo(300));
    else if (end === 1) scheduler.schedule(() => expired.next(undefined), upTo(300));
    scheduler.schedule(() => source.complete(), 300);
    return { monitor, result };
  });
  scheduler.maxFrames = 20_000;
  scheduler.flush();
  return { scheduler, breaker, writers };
}

describe('writers that share a breaker', () => {
  it('come to an end with every item settled, no permit lost and no timer left, whatever the store and others do', () => {
    for (let seed = 0; seed < 150; seed++) {
      const { scheduler, breaker, writers } = play(seed);
      for (const { monitor, result } of writers) {
        const { conservation, held } = monitor.account();
        expect(conservation, `seed ${seed}`).toBe(0);
        if (result.completed) expect(held, `seed ${seed}`).toBe(0);
        else expect(result.subscription.closed, `seed ${seed}`).toBe(true);
      }
      expect(breaker.tryAcquire(30_000), `seed ${seed}`).toBeDefined();
      expect(
        scheduler.actions.filter(({ closed }) => !closed),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });
});
