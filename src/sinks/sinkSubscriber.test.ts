import {
  config,
  EMPTY,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { letterBox } from '../../test/support/diversions.js';
import { coded } from '../../test/support/errors.js';
import { naturals } from '../../test/support/sources.js';
import type { DeadLetters } from '../contracts/diversion.js';
import type { Sink } from '../contracts/sink.js';
import { contextOf } from '../flow/context.js';
import { isBufferOverflowError } from '../flow/errors.js';
import { gatedSource } from '../flow/gatedSource.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { isWriteError } from '../operators/errors/writeError.js';
import type { RunReport } from '../operators/running/runReport.js';
import { type SinkSubscriberConfig, sinkSubscriber } from './sinkSubscriber.js';

/** Keeps what is written; each write ends when `release` is called, or at once. */
function collecting(held = false) {
  const written: number[] = [];
  const waiting: Subject<never>[] = [];
  const sink: Sink<number> = {
    name: 'collecting',
    write(items) {
      written.push(...items);
      if (!held) return EMPTY;
      const end = new Subject<never>();
      waiting.push(end);
      return end;
    },
  };
  return {
    sink,
    written,
    release() {
      for (const end of waiting.splice(0)) end.complete();
    },
    inFlight: () => waiting.length,
  };
}

afterEach(() => {
  config.onUnhandledError = null;
});

describe('sinkSubscriber', () => {
  it('is a whole pipeline: everything is written and accounted for', async () => {
    const { sink, written } = collecting();
    const writer = sinkSubscriber(sink, { workers: 1, batchSize: 10 });
    naturals(95).subscribe(writer);
    expect(await writer.whenFinished()).toMatchObject({ received: 95, written: 95, held: 0, conservation: 0 });
    expect(written).toEqual(Array.from({ length: 95 }, (_, i) => i));
  });

  it('shows its gate to the source, which pauses at the high watermark', () => {
    const { sink, release } = collecting(true);
    const writer = sinkSubscriber(sink, { workers: 1, batchSize: 10, capacity: 100 });
    let emitted = 0;
    const source = { name: 'counted', yieldAfterMs: Number.POSITIVE_INFINITY };
    gatedSource<number>(source, (outlet) => outlet.pump(() => outlet.next(emitted++))).subscribe(writer);
    const gate = contextOf(writer as never).gate;
    expect(gate.isOpen).toBe(false);
    expect(emitted).toBe(10 + 10 + 1 + 80);
    expect(writer.monitor.account()).toMatchObject({ received: 101, held: 101, conservation: 0 });
    for (let i = 0; i < 4; i++) release();
    expect(emitted).toBeGreaterThan(101);
    writer.unsubscribe();
  });

  it('writes what is held when it is stopped, and unsubscribes the source immediately', async () => {
    const { sink, written, release, inFlight } = collecting(true);
    const source = new Subject<number>();
    const writer = sinkSubscriber(sink, { workers: 1, batchSize: 2 });
    source.subscribe(writer);
    for (let i = 0; i < 7; i++) source.next(i);
    writer.stop();
    expect(source.observed).toBe(false);
    source.next(99);
    while (inFlight() > 0) release();
    expect(await writer.whenFinished()).toMatchObject({ received: 7, written: 7, held: 0 });
    expect(written).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('gives up what is held when it is unsubscribed, and says so', async () => {
    const { sink } = collecting(true);
    const source = new Subject<number>();
    const writer = sinkSubscriber(sink, { workers: 1, batchSize: 2 });
    source.subscribe(writer);
    for (let i = 0; i < 7; i++) source.next(i);
    writer.unsubscribe();
    expect(source.observed).toBe(false);
    expect(await writer.whenFinished()).toMatchObject({ received: 7, written: 0, held: 7, conservation: 0 });
  });

  it('writes what came before an error of the source, then rejects with it', async () => {
    const { sink, written } = collecting();
    const source = new Subject<number>();
    const writer = sinkSubscriber(sink, { batchSize: 100 });
    source.subscribe(writer);
    source.next(1);
    source.error(new Error('feed lost'));
    await expect(writer.whenFinished()).rejects.toThrow('feed lost');
    expect(written).toEqual([1]);
  });

  it('rejects with the cause when a write fails, and unsubscribes the source', async () => {
    const failing: Sink<number> = { name: 'failing', write: () => throwError(() => new Error('disk full')) };
    const source = new Subject<number>();
    const writer = sinkSubscriber(failing, { batchSize: 1 });
    const finished = writer.whenFinished();
    source.subscribe(writer);
    source.next(1);
    const error = await finished.catch((reason: unknown) => reason);
    expect(isWriteError(error)).toBe(true);
    expect((error as Error).message).toContain('disk full');
    expect(source.observed).toBe(false);
  });

  it('reports an error as unhandled if whenFinished() was never called', async () => {
    const unhandled = new Promise((resolve) => {
      config.onUnhandledError = resolve;
    });
    const failing: Sink<number> = { name: 'failing', write: () => throwError(() => new Error('disk full')) };
    of(1).subscribe(sinkSubscriber(failing, { batchSize: 1 }));
    expect(isWriteError(await unhandled)).toBe(true);
  });

  it('tells of each batch', () => {
    const scheduler = new VirtualTimeScheduler();
    const sink: Sink<number> = {
      name: 'slow',
      write: (items) => timer(5, scheduler).pipe(map(() => ({ rows: items.length - 1 }))),
    };
    const seen: [number, number][] = [];
    const writer = sinkSubscriber(sink, {
      workers: 1,
      batchSize: 3,
      onOutcome: ({ items, rows }) => seen.push([items.length, rows]),
    });
    naturals(7).subscribe(writer);
    scheduler.flush();
    expect(seen).toEqual([
      [3, 2],
      [3, 2],
      [1, 0],
    ]);
  });

  it('ends with the error that its callback throws, and never as if all were well', async () => {
    const { sink } = collecting();
    const writer = sinkSubscriber(sink, {
      batchSize: 2,
      onOutcome() {
        throw new Error('callback');
      },
    });
    naturals(5).subscribe(writer);
    await expect(writer.whenFinished()).rejects.toThrow('callback');
  });

  it('rejects when its buffer overflows, after what it holds is written', async () => {
    const { sink, written, release, inFlight } = collecting(true);
    const source = new Subject<number>();
    const writer = sinkSubscriber(sink, { capacity: 10, workers: 1, batchSize: 1 });
    const finished = writer.whenFinished().catch((reason: unknown) => reason);
    source.subscribe(writer);
    for (let n = 0; n < 100; n++) source.next(n);
    expect(source.observed).toBe(false);
    while (inFlight() > 0) release();
    expect(isBufferOverflowError(await finished)).toBe(true);
    const account = writer.monitor.account();
    expect(account).toMatchObject({ held: 0, dropped: { overflow: 1 }, conservation: 0 });
    expect(written).toHaveLength(account.written);
    expect(account.written).toBe(account.received - 1);
  });

  it('never completes while a write hangs', () => {
    const hanging: Sink<number> = { name: 'hanging', write: () => NEVER };
    const writer = sinkSubscriber(hanging, { batchSize: 1 });
    naturals(3).subscribe(writer);
    expect(writer.monitor.account()).toMatchObject({ received: 3, written: 0, held: 3 });
    writer.unsubscribe();
  });

  it.each(['completed', 'stopped'])('gives up what is held when it is unsubscribed after it was %s', async (how) => {
    let tornDown = 0;
    const hanging: Sink<number> = {
      name: 'hanging',
      write: () =>
        new Observable(() => () => {
          tornDown += 1;
        }),
    };
    const source = new Subject<number>();
    const writer = sinkSubscriber(hanging, { batchSize: 1, workers: 1 });
    source.subscribe(writer);
    for (let n = 0; n < 3; n++) source.next(n);
    if (how === 'completed') source.complete();
    else writer.stop();
    expect(tornDown).toBe(0);
    expect(source.observed).toBe(false);
    writer.unsubscribe();
    expect(tornDown).toBe(1);
    expect(await writer.whenFinished()).toMatchObject({ received: 3, written: 0, held: 3, conservation: 0 });
  });

  describe('that is stopped while its writes hang', () => {
    const stopped = (deadLetters?: DeadLetters<number>) => {
      const scheduler = new VirtualTimeScheduler();
      const hanging: Sink<number> = { name: 'hanging', write: () => NEVER };
      const policies = { scheduler, ...(deadLetters && { deadLetters }) };
      const source = new Subject<number>();
      const writer = sinkSubscriber(hanging, { workers: 1, batchSize: 2, drainTimeoutMs: 4_000, policies });
      source.subscribe(writer);
      for (let n = 0; n < 7; n++) source.next(n);
      writer.stop();
      // A second stop changes nothing: two hooks of one program may both call it.
      writer.stop();
      return { scheduler, writer };
    };

    it('hands what is left to the dead letters in the last second of its drain', async () => {
      const { letters, deadLetters } = letterBox();
      const { scheduler, writer } = stopped(deadLetters);
      scheduler.flush();
      const report = await writer.whenFinished();
      expect(report).toMatchObject({ outcome: 'drained', durationMs: 3_000, written: 0, held: 0, conservation: 0 });
      expect(report.divertedBy).toEqual({ drain: 7 });
      expect(letters.flatMap(({ items }) => items).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    });

    it('ends at its deadline where there are none, and says what it held', async () => {
      const { scheduler, writer } = stopped();
      scheduler.flush();
      const report = await writer.whenFinished();
      expect(report).toMatchObject({ outcome: 'deadline', durationMs: 4_000, written: 0, held: 7, conservation: 0 });
      expect(writer.closed).toBe(true);
    });

    it('leaves no timer behind when it is unsubscribed before', async () => {
      const { scheduler, writer } = stopped();
      writer.unsubscribe();
      expect(await writer.whenFinished()).toMatchObject({ outcome: 'unsubscribed', held: 7 });
      expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
    });
  });

  it('saves what it holds when the sink cannot be written to, and rejects with the reason', async () => {
    const { letters, deadLetters } = letterBox();
    const missing = coded('42P01', 'no table');
    const failing: Sink<number> = {
      name: 'failing',
      write: () => timer(5).pipe(mergeMap(() => throwError(() => missing))),
    };
    const source = new Subject<number>();
    const writer = sinkSubscriber(failing, { workers: 1, batchSize: 2, policies: { deadLetters } });
    source.subscribe(writer);
    for (let n = 0; n < 7; n++) source.next(n);
    await expect(writer.whenFinished()).rejects.toMatchObject({ cause: { code: '42P01' } });
    expect(letters.flatMap(({ items }) => items).sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(source.observed).toBe(false);
    expect(writer.monitor.account()).toMatchObject({ diverted: 7, held: 0, conservation: 0 });
  });

  it('is followed by observers from its subscription to its report', async () => {
    const { sink } = collecting();
    const events: string[] = [];
    const writer = sinkSubscriber(sink, {
      workers: 1,
      batchSize: 1,
      observe: [
        {
          attach: () => ({ settled: (_, { items }) => events.push(`settled ${items.length}`) }),
          draining: (reason) => events.push(`draining ${reason}`),
          finished: ({ outcome, written }) => events.push(`${outcome} ${written}`),
        },
      ],
    });
    const source = new Subject<number>();
    source.subscribe(writer);
    source.next(1);
    writer.stop();
    await writer.whenFinished();
    expect(events).toEqual(['settled 1', 'draining stop', 'drained 1']);
  });

  describe('that ends while it is made', () => {
    const broken = () => {
      throw new Error('no room for a metric');
    };
    const { sink } = collecting();

    it.each<[string, () => SinkSubscriberConfig<number>]>([
      [
        'the observer of its monitor throws',
        () => ({ monitor: new PipelineMonitor({ observer: { registered: broken } }) }),
      ],
      ['an observer refuses it', () => ({ observe: [{ attach: broken }] })],
    ])('because %s, rejects with the reason and subscribes to nothing for long', async (_, config) => {
      const source = new Subject<number>();
      const writer = sinkSubscriber(sink, config());
      const finished = writer.whenFinished();
      source.subscribe(writer);
      expect(writer.closed).toBe(true);
      expect(source.observed).toBe(false);
      writer.next(1);
      writer.stop();
      writer.unsubscribe();
      await expect(finished).rejects.toThrow('no room for a metric');
      expect(writer.monitor.account()).toMatchObject({ received: 0, held: 0, conservation: 0 });
    });

    it('whichever of its stages it is that the monitor cannot register, rejects with the reason', async () => {
      for (let nth = 1; ; nth++) {
        let count = 0;
        const registered = () => {
          count += 1;
          if (count === nth) broken();
        };
        const writer = sinkSubscriber(sink, { monitor: new PipelineMonitor({ observer: { registered } }), workers: 2 });
        if (count < nth) {
          expect(nth).toBeGreaterThan(4);
          return writer.unsubscribe();
        }
        const finished = writer.whenFinished();
        naturals(10).subscribe(writer);
        await expect(finished).rejects.toThrow('no room for a metric');
        expect(writer.closed).toBe(true);
        expect(writer.monitor.stages.filter(({ isLive }) => isLive)).toEqual([]);
      }
    });

    it('reports the reason as unhandled if whenFinished() was never called', async () => {
      const unhandled = new Promise((resolve) => {
        config.onUnhandledError = resolve;
      });
      sinkSubscriber(sink, { observe: [{ attach: broken }] });
      expect(await unhandled).toMatchObject({ message: 'no room for a metric' });
    });

    it('tells the observers that follow it already, so that they follow another', async () => {
      const events: string[] = [];
      const first = {
        attach: () => void events.push('attach'),
        finished: ({ outcome }: RunReport) => void events.push(outcome),
      };
      await expect(sinkSubscriber(sink, { observe: [first, { attach: broken }] }).whenFinished()).rejects.toThrow();
      expect(events).toEqual(['attach', 'failed']);
    });
  });

  it('refuses options that it does not know', () => {
    const { sink } = collecting();
    expect(() => sinkSubscriber(sink, { drainTimeoutMs: -1 })).toThrow(/sinkSubscriber: drainTimeoutMs .* got -1/);
    expect(() => sinkSubscriber(sink, { worker: 1 } as object)).toThrow(/unknown option "worker"/);
  });
});
