import fc from 'fast-check';
import { Subject } from 'rxjs';
import { tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { lanes } from '../../src/operators/lanes.js';

const step = (count: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), key: fc.integer({ min: 0, max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const), lane: fc.nat(count - 1) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const), lane: fc.nat(count - 1) }) },
  );

const scenario = fc
  .integer({ min: 1, max: 5 })
  .chain((count) => fc.record({ count: fc.constant(count), steps: fc.array(step(count), { maxLength: 150 }) }));

describe('lanes', () => {
  it.each([true, false])('loses and doubles nothing; a key has one lane and keeps its order (by key: %s)', (keyed) => {
    fc.assert(
      fc.property(scenario, fc.boolean(), ({ count, steps }, buffered) => {
        const monitor = new PipelineMonitor();
        const gates = Array.from({ length: count }, () => new Gate('open'));
        const source = new Subject<{ key: number; id: number }>();
        const laneOfKey = new Map<number, number>();
        const out: { key: number; id: number }[] = [];
        const by = keyed ? { by: (item: { key: number }) => item.key } : {};
        let completed = false;
        const operator = lanes<{ key: number; id: number }, { key: number; id: number }>(
          { count, ...by },
          (lane$, index) => {
            const numbered$ = lane$.pipe(
              tap(({ key }) => {
                if (keyed) expect(laneOfKey.get(key) ?? index).toBe(index);
                laneOfKey.set(key, index);
              }),
            );
            const context = withContext<{ key: number; id: number }>({ gate: gates[index]! });
            return buffered ? numbered$.pipe(boundedBuffer({ capacity: 3 }), context) : numbered$.pipe(context);
          },
        );
        source.pipe(operator, withContext({ monitor })).subscribe({
          next: (item) => out.push(item),
          complete: () => {
            completed = true;
          },
        });
        const pushed: { key: number; id: number }[] = [];
        for (const [id, step] of steps.entries()) {
          if (step.kind === 'push') {
            const item = { key: step.key, id };
            pushed.push(item);
            source.next(item);
          } else if (step.kind === 'open') gates[step.lane]!.open();
          else gates[step.lane]!.close();
          expect(monitor.account().conservation).toBe(0);
          expect(monitor.account().held).toBe(pushed.length - out.length);
        }
        source.complete();
        for (const gate of gates) gate.open();
        // A lane that was opened may have let items on to one that had been opened before.
        expect(completed).toBe(true);
        expect([...out].sort((a, b) => a.id - b.id)).toEqual(pushed);
        if (keyed) {
          for (const key of laneOfKey.keys()) {
            const ids = out.filter((item) => item.key === key).map(({ id }) => id);
            expect(ids).toEqual([...ids].sort((a, b) => a - b));
          }
        }
      }),
      { seed: 22, numRuns: 300 },
    );
  });
});
