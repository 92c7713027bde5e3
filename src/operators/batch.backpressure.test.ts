import { Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bench } from '../../test/support/batchBench.js';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { batch } from './batch.js';
import { boundedBuffer } from './boundedBuffer.js';

describe('batch', () => {
  describe('while downstream is closed', () => {
    it('holds a full batch and closes its gate with the item that fills it', () => {
      const { push, gate, result, moves, stage } = bench({ size: 3 }, 'closed');
      push(1, 2);
      expect(moves).toEqual(['o']);
      push(3);
      expect(moves).toEqual(['o', 'c']);
      expect(stage.held).toBe(3);
      gate.open();
      expect(moves).toEqual(['o', 'c', 'o']);
      expect(result.values).toEqual([[1, 2, 3]]);
      expect(stage.held).toBe(0);
    });

    it('holds no more than size of a source that obeys the gate', () => {
      const gate = new Gate('closed');
      const monitor = new PipelineMonitor();
      const sizes: number[] = [];
      gatedFrom(upTo(100))
        .pipe(batch({ size: 7 }), withContext({ gate, monitor }))
        .subscribe((items) => {
          sizes.push(items.length);
          gate.close();
        });
      for (let openings = 0; openings < 15; openings++) {
        expect(monitor.stages[0]?.held).toBeLessThanOrEqual(7);
        gate.open();
      }
      expect(sizes).toEqual([...new Array(14).fill(7), 2]);
    });

    it('keeps an overripe batch growing until it is let go', () => {
      const { push, passMs, gate, result } = bench({ size: 10, lingerMs: 5 }, 'closed');
      push(1);
      passMs(5);
      push(2);
      passMs(50);
      gate.open();
      expect(result.values).toEqual([[1, 2]]);
      push(3);
      passMs(5);
      expect(result.values).toEqual([[1, 2], [3]]);
    });

    it('delivers what it has before completion', () => {
      const { push, source, gate, result } = bench({ size: 2 }, 'closed');
      push(1, 2, 3, 4, 5);
      source.complete();
      gate.open();
      expect(result).toMatchObject({ values: [[1, 2], [3, 4], [5]], completed: true });
    });

    it('delivers what it has before an error, one batch at an opening', () => {
      const gate = new Gate('closed');
      const source = new Subject<number>();
      const seen: unknown[] = [];
      source.pipe(batch({ size: 2 }), withContext({ gate })).subscribe({
        next: (items) => {
          seen.push(items);
          gate.close();
        },
        error: (error) => seen.push(error),
      });
      for (const n of upTo(3)) source.next(n);
      source.error('cut');
      gate.open();
      expect(seen).toEqual([[0, 1]]);
      gate.open();
      expect(seen).toEqual([[0, 1], [2], 'cut']);
    });

    it('fails after what it holds when a source goes on in spite of the gate', () => {
      const { gate, source, result, monitor } = bench({ size: 10, name: 'trades' }, 'closed');
      for (const n of upTo(2_000)) source.next(n);
      expect(source.observed).toBe(false);
      gate.open();
      expect(result.values.flat()).toEqual([...upTo(1_034)]);
      expect(result.error).toBeInstanceOf(BufferOverflowError);
      expect((result.error as Error).message).toContain('trades overflowed: 1024 items were waiting');
      expect((result.error as Error).message).toContain('put boundedBuffer() before batch');
      expect(monitor.account()).toMatchObject({ received: 1_035, dropped: { overflow: 1 }, held: 0, conservation: 0 });
    });

    it('keeps the order when its output feeds its input', () => {
      const gate = new Gate('closed');
      const source = new Subject<string>();
      const seen: string[][] = [];
      source.pipe(batch({ size: 2 }), withContext({ gate })).subscribe((items) => {
        seen.push([...items]);
        if (seen.length === 2) source.next('late');
      });
      for (const item of ['a', 'b', 'c', 'd', 'e']) source.next(item);
      gate.open();
      source.complete();
      expect(seen.flat()).toEqual(['a', 'b', 'c', 'd', 'e', 'late']);
    });

    it('keeps the order when an item makes room for itself and sets another going', () => {
      // Two wait at the gate: the first, woken, sends the batch an item before the batch itself is woken.
      const gate = new Gate('closed');
      const source = new Subject<string>();
      const seen: string[][] = [];
      gate.whenOpen(() => source.next('c'));
      source.pipe(batch({ size: 2 }), withContext({ gate })).subscribe((items) => {
        seen.push([...items]);
        if (seen.length === 1) source.next('d');
      });
      source.next('a');
      source.next('b');
      gate.open();
      source.complete();
      expect(seen.flat()).toEqual(['a', 'b', 'c', 'd']);
    });
  });

  describe('handed many items at once by a buffer', () => {
    /** A full batch waits for downstream, and the buffer above it holds the rest. */
    function handedOver(count: number, timing: { readonly lingerMs: number } | { readonly eager: true }) {
      const gate = new Gate('closed');
      const clock = new VirtualTimeScheduler();
      const source = new Subject<number>();
      const result = record(
        source.pipe(
          boundedBuffer({ capacity: 100 }),
          batch({ size: 4, ...timing, scheduler: clock }),
          withContext({ gate }),
        ),
      );
      for (const n of upTo(count)) source.next(n);
      gate.open();
      return { clock, source, result };
    }

    for (const count of [5, 6, 7, 9, 13]) {
      const full = count - (count % 4);

      it(`begins the linger of the rest of ${count}`, () => {
        const { clock, source, result } = handedOver(count, { lingerMs: 5 });
        expect(result.values.flat()).toEqual([...upTo(full)]);
        clock.flush();
        expect(clock.frame).toBe(5);
        expect(result.values.flat()).toEqual([...upTo(count)]);
        expect(source.observed).toBe(true);
      });

      it(`ends the eager burst with the rest of ${count}`, () => {
        const { clock, source, result } = handedOver(count, { eager: true });
        expect(result.values.flat()).toEqual([...upTo(full)]);
        clock.flush();
        expect(clock.frame).toBe(0);
        expect(result.values.flat()).toEqual([...upTo(count)]);
        expect(source.observed).toBe(true);
      });
    }

    it('does not put off the linger of what it has', () => {
      const gate = new Gate('closed');
      const clock = new VirtualTimeScheduler();
      const source = new Subject<number>();
      const lingering = batch<number>({ size: 4, lingerMs: 5, scheduler: clock });
      const result = record(source.pipe(boundedBuffer({ capacity: 100 }), lingering, withContext({ gate })));
      const at = (frame: number) => {
        clock.maxFrames = frame;
        clock.flush();
        clock.frame = frame;
      };
      for (const n of upTo(5)) source.next(n);
      gate.open();
      at(3);
      source.next(5);
      at(4);
      expect(result.values.flat()).toEqual([0, 1, 2, 3]);
      at(5);
      expect(result.values.flat()).toEqual([0, 1, 2, 3, 4, 5]);
    });
  });
});
