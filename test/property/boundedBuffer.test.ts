import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { probeGate } from '../../src/testing/probeGate.js';

const action = fc.oneof(
  { weight: 6, arbitrary: fc.constant('push' as const) },
  { weight: 1, arbitrary: fc.constant('open' as const) },
  { weight: 1, arbitrary: fc.constant('close' as const) },
  // Downstream takes one item and is full again.
  { weight: 2, arbitrary: fc.constant('takeOne' as const) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** What a buffer of that kind does, in the plainest words. */
class Model {
  held: number[] = [];
  out: number[] = [];
  dropped: number[] = [];
  open = true;
  gate: 'o' | 'c' = 'o';
  readonly capacity: number;
  readonly high: number;
  readonly low: number;
  readonly overflow: 'dropOldest' | 'dropIncoming';

  constructor(capacity: number, high: number, low: number, overflow: 'dropOldest' | 'dropIncoming') {
    this.capacity = capacity;
    this.high = high;
    this.low = low;
    this.overflow = overflow;
  }

  apply(action: Action, item: number): void {
    if (action === 'push') this.push(item);
    else if (action === 'close') this.open = false;
    else if (action === 'open' || this.held.length > 0) {
      this.open = action === 'open';
      const count = action === 'open' ? this.held.length : 1;
      this.out.push(...this.held.splice(0, count));
      this.regulate();
    }
  }

  push(item: number): void {
    if (this.open) this.out.push(item);
    else if (this.held.length < this.capacity) this.held.push(item);
    else if (this.overflow === 'dropIncoming') this.dropped.push(item);
    else {
      this.dropped.push(this.held.shift()!);
      this.held.push(item);
    }
    this.regulate();
  }

  regulate(): void {
    if (this.held.length >= this.high) this.gate = 'c';
    else if (this.held.length <= this.low) this.gate = 'o';
  }
}

describe('boundedBuffer', () => {
  it('does what a naive model does, whatever happens to it', () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 200 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 11 }),
        fc.constantFrom('dropOldest' as const, 'dropIncoming' as const),
        (actions, capacity, highRaw, lowRaw, overflow) => {
          const high = Math.min(highRaw, capacity);
          const low = Math.min(lowRaw, high - 1);
          const model = new Model(capacity, high, low, overflow);
          const gate = new Gate('open');
          const monitor = new PipelineMonitor();
          const source = new Subject<number>();
          const out: number[] = [];
          const dropped: number[] = [];
          const probe = probeGate<number>();
          let upstream = 'o';
          let takeOne = false;
          probe.gateLog$.subscribe((move) => {
            upstream = move;
          });
          const buffer = boundedBuffer<number>({
            capacity,
            highWatermark: high / capacity,
            lowWatermark: low / capacity,
            overflow,
            onDrop: (item) => dropped.push(item),
          });
          source.pipe(probe, buffer, withContext({ gate, monitor })).subscribe((item) => {
            out.push(item);
            if (takeOne) gate.close();
          });
          const stage = monitor.stages[0]!;

          actions.forEach((action, item) => {
            // What is open already has nothing in it to take one of.
            if (action === 'takeOne' && gate.isOpen) return;
            model.apply(action, item);
            takeOne = action === 'takeOne';
            if (action === 'push') source.next(item);
            else if (action === 'close') gate.close();
            else gate.open();
            if (takeOne) gate.close();
            takeOne = false;

            expect(out).toEqual(model.out);
            expect(dropped).toEqual(model.dropped);
            expect(stage.held).toBe(model.held.length);
            expect(stage.held).toBeLessThanOrEqual(capacity);
            expect(upstream).toBe(model.gate);
            expect(monitor.account().conservation).toBe(0);
          });
        },
      ),
      { seed: 20, numRuns: 400 },
    );
  });
});
