import fc from 'fast-check';
import { ReplaySubject, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { batch } from '../../src/operators/batch.js';

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('push' as const), bytes: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 15 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const) }) },
);

interface Item {
  readonly id: number;
  readonly bytes: number;
  readonly at: number;
}

describe('batch', () => {
  it('loses, doubles and reorders nothing, is never empty or too large, and lets no item wait too long', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 1, max: 6 }),
        fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
        fc.boolean(),
        fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        fc.constantFrom('complete', 'error', 'unsubscribe'),
        (steps, size, lingerMs, eager, maxBytes, end) => {
          const clock = new VirtualTimeScheduler();
          const gate = new Gate('open');
          const monitor = new PipelineMonitor();
          const stopping = new ReplaySubject<void>(1);
          const source = new Subject<Item>();
          const pushed: Item[] = [];
          const batches: (readonly Item[])[] = [];
          let ended: string | undefined;
          let openSince = 0;
          const operator = batch<Item>({
            size,
            eager,
            scheduler: clock,
            ...(lingerMs === undefined ? {} : { lingerMs }),
            ...(maxBytes === undefined ? {} : { maxBytes, sizeOf: (item) => item.bytes }),
          });
          const subscription = source.pipe(operator, withContext({ gate, monitor, stopping })).subscribe({
            next: (items) => {
              expect(gate.isOpen).toBe(true);
              expect(items.length).toBeGreaterThan(0);
              expect(items.length).toBeLessThanOrEqual(size);
              if (maxBytes !== undefined && items.length > 1) {
                expect(items.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(maxBytes);
              }
              const age = clock.frame - Math.max(items[0]!.at, openSince);
              if (eager) expect(age).toBe(0);
              else if (lingerMs !== undefined) expect(age).toBeLessThanOrEqual(lingerMs);
              batches.push(items);
            },
            error: () => {
              ended = 'error';
            },
            complete: () => {
              ended = 'complete';
            },
          });
          const stage = monitor.stages[0]!;
          const passMs = (ms: number) => {
            clock.maxFrames = clock.frame + ms;
            clock.flush();
            clock.frame = clock.maxFrames;
          };
          for (const [id, step] of steps.entries()) {
            if (step.kind === 'push') {
              const item = { id, bytes: step.bytes, at: clock.frame };
              pushed.push(item);
              source.next(item);
            } else if (step.kind === 'pass') passMs(step.ms);
            else if (step.kind === 'stop') stopping.next();
            else if (step.kind === 'close') gate.close();
            else if (!gate.isOpen) {
              openSince = clock.frame;
              gate.open();
            }
            expect(batches.flat()).toEqual(pushed.slice(0, batches.flat().length));
            expect(stage.held).toBe(pushed.length - batches.flat().length);
            expect(monitor.account().conservation).toBe(0);
          }
          if (!gate.isOpen) openSince = clock.frame;
          if (end === 'unsubscribe') subscription.unsubscribe();
          else if (end === 'error') source.error(new Error('line cut'));
          else source.complete();
          gate.open();
          if (end !== 'unsubscribe') {
            expect(batches.flat()).toEqual(pushed);
            expect(ended).toBe(end);
            expect(stage.abandoned).toBe(0);
          }
          expect(clock.actions.every((action) => action.closed)).toBe(true);
          expect(monitor.account().conservation).toBe(0);
        },
      ),
      { seed: 21, numRuns: 500 },
    );
  });
});
