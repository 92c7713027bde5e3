import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import {
  connect,
  map,
  merge,
  NEVER,
  Observable,
  type OperatorFunction,
  share,
  shareReplay,
  tap,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../../src/contracts/sink.js';
import { withContext } from '../../src/flow/withContext.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { lanes } from '../../src/operators/lanes.js';
import { pace } from '../../src/operators/pace.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { run, type SignalEmitter } from '../../src/pipelines/run.js';
import { letterBox } from '../support/diversions.js';
import { naturals } from '../support/sources.js';

type Link = (clock: VirtualTimeScheduler) => OperatorFunction<number, number>;

const handMade = <T>(): OperatorFunction<T, T> => {
  return (source) =>
    new Observable((destination) =>
      source.subscribe({
        next: (item) => destination.next(item),
        error: (error) => destination.error(error),
        complete: () => destination.complete(),
      }),
    );
};

const LINKS: Readonly<Record<string, Link>> = {
  map: () => map((n) => n),
  share: () => share(),
  shareReplay: () => shareReplay({ bufferSize: 1, refCount: true }),
  connect: () => connect((shared$) => shared$),
  handMade,
  withContext: () => withContext({}),
  buffer: () => boundedBuffer({ capacity: 5 }),
  pace: (scheduler) => pace({ rate: 3, perMs: 10, scheduler }),
  lanes: () => lanes({ count: 2, by: (n) => n }, (lane$) => lane$.pipe(boundedBuffer({ capacity: 3 }))),
  slowly: (clock) => boundedMergeMap((n) => timer(n % 4, clock).pipe(map(() => n)), { concurrency: 2 }),
};

const pipeline = fc.record({
  links: fc.array(fc.constantFrom(...Object.keys(LINKS)), { maxLength: 5 }),
  last: fc.constantFrom('map', 'share', 'connect', 'handMade'),
  sources: fc.integer({ min: 1, max: 3 }),
  stopAt: fc.nat(60),
  hangs: fc.boolean(),
  // Without any time for a write an endless source would never reach the stop.
  writeMs: fc.integer({ min: 1, max: 9 }),
});

describe('a drain of any pipeline', () => {
  it('makes no source read on, and every item that was read is written or in the letters, once', async () => {
    const property = fc.asyncProperty(pipeline, async ({ links, last, sources, stopAt, hangs, writeMs }) => {
      const clock = new VirtualTimeScheduler();
      const emitter = new EventEmitter();
      const { letters, deadLetters } = letterBox();
      const written: number[] = [];
      let read = 0;
      let readAtStop: number | undefined;
      const sink: Sink<number> = {
        name: 'sink',
        write: (items) =>
          hangs ? NEVER : timer(writeMs, clock).pipe(map(() => ({ rows: written.push(...items) && items.length }))),
      };
      const source$ = merge(
        ...Array.from({ length: sources }, (_, i) =>
          naturals().pipe(
            tap(() => (read += 1)),
            map((n) => n * sources + i),
          ),
        ),
      );
      const linked$ = links.reduce<Observable<number>>((chain$, link) => chain$.pipe(LINKS[link]!(clock)), source$);
      const outcomes$ = linked$.pipe(
        writeCoordinator(sink, { batchSize: 4, workers: 2, capacity: 20, policies: { scheduler: clock, deadLetters } }),
        LINKS[last]!(clock) as OperatorFunction<unknown, unknown>,
      );
      const report = run(outcomes$, {
        scheduler: clock,
        emitter: emitter as unknown as SignalEmitter,
        drainTimeoutMs: 20_000,
      });
      clock.schedule(() => {
        readAtStop = read;
        emitter.emit('SIGTERM', 'SIGTERM');
      }, stopAt);
      clock.flush();
      expect(await report).toMatchObject({ outcome: 'drained', held: 0, filtered: 0, conservation: 0, received: read });
      expect(read).toBe(readAtStop);
      const kept = [...written, ...letters.flatMap(({ items }) => items)];
      expect([kept.length, new Set(kept).size]).toEqual([read, read]);
    });
    await fc.assert(property, { seed: 20261128, numRuns: 300 });
  });
});
