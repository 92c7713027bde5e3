import { type MonoTypeOperatorFunction, Observable, type OperatorFunction, of, Subject } from 'rxjs';
import { take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { broadcast } from '../operators/broadcast.js';
import { conflate } from '../operators/conflate.js';
import { lanes } from '../operators/lanes.js';
import { pace } from '../operators/pace.js';
import { retryWithJitter } from '../operators/retryWithJitter.js';
import { writeTo } from '../operators/writeTo.js';
import { memorySink } from '../sinks/memorySink.js';
import { sinkSubscriber } from '../sinks/sinkSubscriber.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { withContext } from './withContext.js';

/** An operator of the kind that tracing tools make: it hands its source a proxy of its subscriber, and counts what goes by. */
function traced<T>(seen: T[] = []): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable<T>((subscriber) => {
      const proxy = new Proxy(subscriber, {
        get(target, field, receiver) {
          const value = Reflect.get(target, field, receiver);
          if (field !== 'next') return value;
          return function next(this: unknown, item: T) {
            seen.push(item);
            return value.call(this, item);
          };
        },
      });
      return source.subscribe(proxy);
    });
}

describe('a subscriber behind a Proxy', () => {
  const operators: Record<string, OperatorFunction<number, unknown>> = {
    boundedBuffer: boundedBuffer(),
    batch: batch({ size: 1 }),
    boundedMergeMap: boundedMergeMap((n) => of(n).pipe(traced()), { concurrency: 2 }),
    lanes: lanes({ count: 2 }, (lane$) => lane$.pipe(traced(), boundedBuffer())),
    conflate: conflate({ by: (n) => n }),
    pace: pace({ rate: Infinity, perMs: 1 }),
    retryWithJitter: retryWithJitter(),
    broadcast: broadcast({ branches: 1 }),
  };

  it.each(Object.entries(operators))('works with %s', (_, operator) => {
    const seen: number[] = [];
    const result = record(gatedFrom(upTo(20)).pipe(traced(seen), operator, traced(), take(19)));
    expect(result).toMatchObject({ error: undefined, completed: true });
    expect(result.values.flat()).toEqual([...upTo(19)]);
    expect(seen.slice(0, 19)).toEqual([...upTo(19)]);
  });

  it('receives errors and completion, and can be unsubscribed', () => {
    for (const end of ['error', 'complete'] as const) {
      const source = new Subject<number>();
      const result = record(source.pipe(traced(), boundedBuffer(), traced()));
      source.next(1);
      source[end]('lost');
      expect(result).toMatchObject({ values: [1], error: end === 'error' ? 'lost' : undefined });
      expect(result.completed).toBe(end === 'complete');
    }
    const source = new Subject<number>();
    record(source.pipe(traced(), boundedBuffer())).subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('hears every item that a buffer above hands over in bulk, and passes the gate on', () => {
    const gate = new Gate('closed');
    const monitor = new PipelineMonitor();
    const seen: number[] = [];
    let pulled = 0;
    const source = gatedFrom(upTo(100), () => {
      pulled += 1;
    });
    const chain = source.pipe(
      boundedBuffer({ capacity: 10 }),
      traced(seen),
      batch({ size: 4 }),
      withContext({ gate, monitor }),
    );
    const result = record(chain);
    expect(pulled).toBeLessThan(20);
    gate.open();
    expect(result.values.flat()).toEqual([...upTo(100)]);
    expect(seen).toEqual([...upTo(100)]);
    expect(monitor.account()).toMatchObject({ received: 100, delivered: 100, filtered: 0, conservation: 0 });
  });

  it('may be a writer or the subscriber of a sink', async () => {
    const written = memorySink<number>();
    record(of([1, 2], [3]).pipe(traced(), writeTo(written)));
    expect(written.items).toEqual([1, 2, 3]);

    const sink = memorySink<number>();
    const writer = sinkSubscriber(sink, { batchSize: 2 });
    gatedFrom(upTo(5)).pipe(traced()).subscribe(writer);
    expect(await writer.whenFinished()).toMatchObject({ received: 5, written: 5 });

    const proxy = new Proxy(sinkSubscriber(memorySink<number>()), {});
    gatedFrom(upTo(5)).subscribe(proxy);
    expect(await proxy.whenFinished()).toMatchObject({ received: 5, written: 5 });
    const stopped = new Proxy(sinkSubscriber(memorySink<number>()), {});
    stopped.next(1);
    stopped.stop();
    expect(await stopped.whenFinished()).toMatchObject({ written: 1, outcome: 'drained' });
  });
});
