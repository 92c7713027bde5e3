import fc from 'fast-check';
import {
  defer,
  merge,
  NEVER,
  type Observable,
  type OperatorFunction,
  of,
  ReplaySubject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { filter, map, mergeMap, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { Sink, WriteOutcome } from '../../src/contracts/sink.js';
import { gatedSource } from '../../src/flow/gatedSource.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { lanes } from '../../src/operators/lanes.js';
import { untilStopped } from '../../src/operators/untilStopped.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { CircuitBreaker } from '../../src/policies/circuitBreaker.js';
import { coded } from '../support/errors.js';

type Link = (clock: VirtualTimeScheduler) => OperatorFunction<number, number>;

const link: fc.Arbitrary<Link> = fc.oneof(
  fc
    .record({
      capacity: fc.integer({ min: 1, max: 20 }),
      overflow: fc.constantFrom('fail', 'dropOldest', 'dropIncoming'),
    })
    .map(
      (config): Link =>
        () =>
          boundedBuffer(config as { capacity: number; overflow: 'fail' }),
    ),
  fc.record({ count: fc.integer({ min: 1, max: 3 }), keyed: fc.boolean(), early: fc.boolean() }).map(
    ({ count, keyed, early }): Link =>
      () =>
        lanes(keyed ? { count, by: (n) => n % 5 } : { count }, (lane$, index) =>
          lane$.pipe(boundedBuffer({ capacity: 4 }), early && index === 0 ? take(3) : map((n) => n)),
        ),
  ),
  fc
    .record({
      concurrency: fc.integer({ min: 1, max: 3 }),
      ms: fc.option(fc.nat(5), { nil: undefined }),
      copies: fc.nat(2),
    })
    .map(
      ({ concurrency, ms, copies }): Link =>
        (clock) =>
          boundedMergeMap(
            (n) => {
              const results = Array.from({ length: copies }, () => n);
              return ms === undefined ? results : timer(ms, clock).pipe(mergeMap(() => results));
            },
            { concurrency },
          ),
    ),
  fc.constant<Link>(() => untilStopped()),
  fc.integer({ min: 2, max: 7 }).map(
    (modulus): Link =>
      () =>
        filter((n) => n % modulus !== 0),
  ),
  fc.constant<Link>(() => map((n) => n + 1)),
);

type End = (sink: Sink<number>, clock: VirtualTimeScheduler) => OperatorFunction<number, WriteOutcome<number>>;

/** What stands around the writes: any of the policies, or none. */
const policies = fc
  .record({
    diverts: fc.boolean(),
    durableMs: fc.nat(6),
    retries: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    timeoutMs: fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined }),
    openMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
  })
  .map(({ diverts, durableMs, retries, timeoutMs, openMs }) => (clock: VirtualTimeScheduler) => ({
    scheduler: clock,
    // Writes that hang need a limit, or the run would not end.
    timeoutMs: timeoutMs ?? 40,
    ...(diverts ? { deadLetters: { append: () => timer(durableMs, clock) } } : {}),
    ...(retries === undefined ? { retry: false as const } : { retry: { maxAttempts: retries, initialMs: 3 } }),
    ...(openMs === undefined
      ? {}
      : { breaker: new CircuitBreaker({ window: { kind: 'count' as const, size: 2 }, openMs }) }),
  }));

const end: fc.Arbitrary<End> = fc.oneof(
  fc
    .record({
      size: fc.integer({ min: 1, max: 8 }),
      lingerMs: fc.nat(10),
      eager: fc.boolean(),
      concurrency: fc.integer({ min: 1, max: 3 }),
      policies,
    })
    .map(
      ({ size, lingerMs, eager, concurrency, policies }): End =>
        (sink, clock) =>
        (source) =>
          source.pipe(
            batch({ size, lingerMs, eager, scheduler: clock }),
            writeTo(sink, { concurrency, ...policies(clock) }),
          ),
    ),
  fc
    .record({
      workers: fc.integer({ min: 1, max: 4 }),
      batchSize: fc.integer({ min: 1, max: 8 }),
      capacity: fc.integer({ min: 1, max: 30 }),
      policies,
    })
    .map(
      ({ workers, batchSize, capacity, policies }): End =>
        (sink, clock) =>
          // On its own clock a linger or the end of a burst never comes here: batches are of full size, or the last.
          writeCoordinator(sink, {
            ...{ workers, batchSize, capacity, by: (n) => n % 7, eager: false },
            policies: { breaker: false, ...policies(clock) },
          }),
    ),
);

/** A source of `count` items, one every `everyMs`, that obeys the gate. */
function source(
  name: string,
  count: number,
  everyMs: number,
  fails: boolean,
  clock: VirtualTimeScheduler,
): Observable<number> {
  return gatedSource<number>({ name, yieldAfterMs: Number.POSITIVE_INFINITY }, (outlet) => {
    let n = 0;
    const tick = () => {
      if (n < count) outlet.next(n++);
      else if (fails) outlet.error(new Error('line cut'));
      else outlet.complete();
      if (!outlet.closed) later();
    };
    const later = () => {
      pending = clock.schedule(() => outlet.whenOpen(tick), everyMs);
    };
    let pending = clock.schedule(() => outlet.whenOpen(tick), everyMs);
    return () => pending.unsubscribe();
  });
}

describe('conservation', () => {
  it('holds at any moment, in any chain, however it ends', () => {
    let written = 0;
    let diverted = 0;
    let held = 0;
    let dropped = 0;
    const reasons = new Map<string, number>();
    const does = fc.constantFrom(
      ...([
        'write',
        'write',
        'write',
        'write',
        'write',
        'ECONNRESET',
        '40P01',
        '23502',
        '42P01',
        'hang',
        'throw',
      ] as const),
    );
    fc.assert(
      fc.property(
        fc.array(link, { maxLength: 4 }),
        end,
        fc.array(fc.record({ count: fc.nat(60), everyMs: fc.nat(3), fails: fc.boolean() }), {
          minLength: 1,
          maxLength: 2,
        }),
        fc.array(fc.record({ ms: fc.nat(12), does }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 2, max: 40 }),
        fc.option(fc.nat(200), { nil: undefined }),
        fc.option(fc.nat(150), { nil: undefined }),
        fc.option(fc.nat(150), { nil: undefined }),
        (links, end, sources, services, poison, spillAt, stopAt, unsubscribeAt) => {
          const clock = new VirtualTimeScheduler();
          const monitor = new PipelineMonitor();
          const stopping = new ReplaySubject<void>(1);
          const expired = new ReplaySubject<unknown>(1);
          let writes = 0;
          const sink: Sink<number> = {
            name: 'slow',
            write: (items) =>
              defer(() => {
                const { ms, does } = services[writes % services.length]!;
                // An outage that never ends is waited out for ever, where there is a breaker.
                if (writes++ >= 200) return of({ rows: 0 });
                if (does === 'throw') throw coded('ECONNRESET');
                if (does === 'hang') return NEVER;
                return timer(ms, clock).pipe(
                  mergeMap(() => {
                    if (does !== 'write') return throwError(() => coded(does));
                    return items.some((n) => n % poison === 1) ? throwError(() => coded('22P02')) : of({ rows: 0 });
                  }),
                );
              }),
          };
          const check = () => expect(monitor.account().conservation).toBe(0);
          const items$ = merge(
            ...sources.map(({ count, everyMs, fails }, n) => source(`source${n}`, count, everyMs, fails, clock)),
          );
          const chained$ = links.reduce((chain$, link) => chain$.pipe(link(clock)), items$);
          let ended = false;
          const subscription = chained$.pipe(end(sink, clock), withContext({ monitor, stopping, expired })).subscribe({
            next: check,
            error: () => {
              ended = true;
            },
            complete: () => {
              ended = true;
            },
          });
          for (let ms = 0; ms < 400; ms += 7) clock.schedule(check, ms);
          if (stopAt !== undefined) {
            clock.schedule(() => stopping.next(), stopAt);
            if (spillAt !== undefined) clock.schedule(() => expired.next(undefined), stopAt + spillAt);
          }
          if (unsubscribeAt !== undefined) clock.schedule(() => subscription.unsubscribe(), unsubscribeAt);
          clock.flush();

          const account = monitor.account();
          expect(account.conservation).toBe(0);
          expect(monitor.stages.reduce((sum, stage) => sum + Math.abs(stage.conservation), 0)).toBe(0);
          if (unsubscribeAt === undefined) expect(ended).toBe(true);
          for (const { reason, count } of monitor.stages.flatMap(({ divertedBy }) =>
            [...divertedBy].map(([reason, count]) => ({ reason, count })),
          )) {
            reasons.set(reason, (reasons.get(reason) ?? 0) + count);
          }
          written += account.written;
          diverted += account.diverted;
          held += account.held;
          dropped += Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
        },
      ),
      { seed: 24, numRuns: 300 },
    );
    // The scenarios were not idle.
    for (const total of [written, diverted, held, dropped]) expect(total).toBeGreaterThan(50);
    for (const reason of ['poison', 'exhausted', 'fatal', 'drain'])
      expect(reasons.get(reason), reason).toBeGreaterThan(5);
  });
});
