import * as t from 'io-ts';
import { of, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../../../src/contracts/sink.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { batch } from '../../../src/operators/batch.js';
import { decode } from '../../../src/operators/decode.js';
import { writeTo } from '../../../src/operators/writeTo.js';
import { fromIterable } from '../../../src/sources/fromIterable.js';

const collecting = <T>() => {
  const items: T[] = [];
  const sink: Sink<T> = { name: 'collecting', write: (batch) => [{ rows: items.push(...batch) }] };
  return { items, sink };
};

describe('a chain that an operator starts under a detached context', () => {
  it('is not in the account: a diversion that writes', () => {
    const monitor = new PipelineMonitor();
    const letters = collecting<unknown>();
    const main = collecting<number>();
    fromIterable<unknown>([1, 'x', 2, 3])
      .pipe(
        decode(t.number, { divertTo: ({ input }) => of([input]).pipe(writeTo(letters.sink)) }),
        batch({ size: 2 }),
        writeTo(main.sink),
        withContext({ monitor }),
      )
      .subscribe();
    expect(letters.items).toEqual(['x']);
    expect(main.items).toEqual([1, 2, 3]);
    expect(monitor.account()).toMatchObject({
      received: 4,
      written: 3,
      diverted: 1,
      delivered: 0,
      filtered: 0,
      held: 0,
      conservation: 0,
    });
  });

  it('is not in the account: a batch that is settled by another writer', () => {
    const monitor = new PipelineMonitor();
    const letters = collecting<number>();
    const failing: Sink<number> = {
      name: 'failing',
      write: () => {
        throw new Error('refused');
      },
    };
    fromIterable([1, 2, 3, 4])
      .pipe(
        batch({ size: 2 }),
        writeTo(failing, {
          deadLetters: { append: ({ items }) => of(items).pipe(writeTo(letters.sink)) },
        }),
        withContext({ monitor }),
      )
      .subscribe();
    expect(letters.items).toEqual([1, 2, 3, 4]);
    expect(monitor.account()).toMatchObject({
      received: 4,
      written: 0,
      diverted: 4,
      delivered: 0,
      filtered: 0,
      held: 0,
      conservation: 0,
    });
  });
});

describe('an item in the hand of a batch', () => {
  it('is held when the batch before it ends the subscription', () => {
    const monitor = new PipelineMonitor();
    fromIterable([1, 2, 3, 4, 5, 6])
      .pipe(batch({ size: 10, maxBytes: 2, sizeOf: () => 1.5 }), take(1), withContext({ monitor }))
      .subscribe();
    expect(monitor.account()).toMatchObject({ received: 2, delivered: 1, held: 1, conservation: 0 });
  });
});
