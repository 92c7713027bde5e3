import fc from 'fast-check';
import { concat, defer, EMPTY, of, Subject, timer, VirtualTimeScheduler } from 'rxjs';
import { finalize, ignoreElements } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';

const inner = fc.record({
  beforeMs: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
  results: fc.nat(3),
  afterMs: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
});

describe('boundedMergeMap', () => {
  it('never has more inners than concurrency, emits all results and none while downstream is closed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ inner, pauseMs: fc.nat(4) }), { maxLength: 60 }),
        fc.array(fc.nat(12), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (items, moves, concurrency) => {
          const clock = new VirtualTimeScheduler();
          const gate = new Gate('open');
          const monitor = new PipelineMonitor();
          const source = new Subject<number>();
          let active = 0;
          let completed = false;
          const out: string[] = [];
          const started: number[] = [];
          const wait = (ms: number | undefined) => (ms === undefined ? EMPTY : timer(ms, clock).pipe(ignoreElements()));
          const project = (index: number) =>
            defer(() => {
              const { beforeMs, results, afterMs } = items[index]!.inner;
              started.push(index);
              active += 1;
              expect(active).toBeLessThanOrEqual(concurrency);
              const values = Array.from({ length: results }, (_, n) => `${index}.${n}`);
              return concat(wait(beforeMs), of(...values), wait(afterMs)).pipe(
                finalize(() => {
                  active -= 1;
                }),
              );
            });
          source.pipe(boundedMergeMap(project, { concurrency }), withContext({ gate, monitor })).subscribe({
            next: (value) => {
              expect(gate.isOpen).toBe(true);
              out.push(value);
            },
            complete: () => {
              completed = true;
            },
          });
          let at = 0;
          items.forEach(({ pauseMs }, index) => {
            at += pauseMs;
            clock.schedule(() => source.next(index), at);
          });
          clock.schedule(() => source.complete(), at);
          let moved = 0;
          for (const ms of moves) {
            moved += ms;
            clock.schedule(() => (gate.isOpen ? gate.close() : gate.open()), moved);
          }
          clock.schedule(() => gate.open(), Math.max(moved, at) + 1);
          clock.flush();

          expect(completed).toBe(true);
          expect(active).toBe(0);
          expect(started).toEqual(items.map((_, index) => index));
          const expected = items.flatMap((item, index) =>
            Array.from({ length: item.inner.results }, (_, n) => `${index}.${n}`),
          );
          expect([...out].sort()).toEqual([...expected].sort());
          for (const index of items.keys()) {
            const own = out.filter((value) => value.startsWith(`${index}.`));
            expect(own).toEqual([...own].sort());
          }
          expect(monitor.account()).toMatchObject({ delivered: expected.length, held: 0, conservation: 0 });
        },
      ),
      { seed: 23, numRuns: 300 },
    );
  });
});
