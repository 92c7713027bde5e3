import { EMPTY, of, ReplaySubject, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { marbles } from '../testing/marbles.js';
import { probeGate } from '../testing/probeGate.js';
import { slowSink } from '../testing/slowSink.js';
import { WriteError } from './errors/writeError.js';
import { type WriteCoordinatorConfig, writeCoordinator } from './writeCoordinator.js';

const nowhere: Sink<number> = { name: 'nowhere', write: () => EMPTY };

/** A sink whose writes the test settles by hand. */
function bench(config: WriteCoordinatorConfig<number>) {
  const monitor = new PipelineMonitor();
  const stopping = new ReplaySubject<void>(1);
  const source = new Subject<number>();
  const begun: (readonly number[])[] = [];
  const writes: Subject<WriteReceipt>[] = [];
  const sink: Sink<number> = {
    name: 'bars',
    write(batch) {
      begun.push(batch);
      const write = new Subject<WriteReceipt>();
      writes.push(write);
      return write;
    },
  };
  const probe = probeGate<number>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const result = record(source.pipe(probe, writeCoordinator(sink, config), withContext({ monitor, stopping })));
  return { monitor, stopping, source, begun, writes, moves, result };
}

describe('writeCoordinator', () => {
  it.each([
    [{ workers: 0 }, 'writeCoordinator: workers must be an integer from 1 to 4096, got 0'],
    [{ batchSize: 1.5 }, 'writeCoordinator: batchSize must be an integer of at least 1, got 1.5'],
    [{ lingerMs: -1 }, 'writeCoordinator: lingerMs must be a finite number of milliseconds of at least 0, got -1'],
    [{ eager: 'no' as never }, 'writeCoordinator: eager must be true or false, got "no"'],
    [{ by: 'symbol' as never }, 'writeCoordinator: by must be a function, got "symbol"'],
    [{ capacity: 0 }, 'writeCoordinator: capacity must be an integer of at least 1, got 0'],
    [{ highWatermark: 2 }, 'writeCoordinator: highWatermark'],
    [{ highWatermark: 0.2, lowWatermark: 0.4 }, 'writeCoordinator: lowWatermark must be below highWatermark'],
    [{ overflow: 'lose' as never }, 'overflow must be one of'],
    [{ onDrop: 1 as never }, 'onDrop must be a function, got 1'],
    [{ batchsize: 100 } as never, 'writeCoordinator: unknown option "batchsize"'],
    [{ policies: { concurrency: 4 } as never }, 'writeCoordinator: policies: unknown option "concurrency"'],
    [{ policies: { classify: 1 as never } }, 'classify must be a function, got 1'],
    [{ policies: { retry: { maxAttempts: 0 } } }, 'maxAttempts must be an integer of at least 1, got 0'],
    [{ policies: { breaker: { openMs: -1 } } }, 'openMs'],
    [{ policies: { timeoutMs: 0 } }, 'timeoutMs must be'],
    [[] as never, 'writeCoordinator: its configuration must be an object, got an array'],
  ])('refuses %j when it is made', (config, message) => {
    expect(() => writeCoordinator(nowhere, config)).toThrow(RangeError);
    expect(() => writeCoordinator(nowhere, config)).toThrow(message);
  });

  it('refuses a sink that is none', () => {
    expect(() => writeCoordinator(undefined as never)).toThrow(RangeError);
    expect(() => writeCoordinator({ name: 'x' } as never)).toThrow(
      'writeCoordinator: the write of its sink must be a function',
    );
  });

  it('takes undefined for an option that was not given', () => {
    const config = { workers: undefined, capacity: undefined, overflow: undefined, by: undefined, policies: undefined };
    expect(() => writeCoordinator(nowhere, config as never)).not.toThrow();
  });

  it('has four workers, batches of 500 and a buffer of 10,000 by default, and is named after its sink', () => {
    const { source, begun, monitor, moves } = bench({ eager: false });
    for (const n of upTo(2_000)) source.next(n);
    expect(begun.map((batch) => batch.length)).toEqual([500, 500, 500, 500]);
    // Each worker has one batch in flight and another in hand; then the buffer fills up to its high watermark.
    for (const n of upTo(2_000 + 7_999)) source.next(n);
    expect(moves).toEqual(['o']);
    // One waits for a lane.
    source.next(0);
    source.next(0);
    expect(moves).toEqual(['o', 'c']);
    const names = monitor.stages.map((stage) => `${stage.kind} ${stage.name}`);
    expect(names).toContain('boundedBuffer bars');
    expect(names).toContain('lanes bars.lanes');
    expect(names.filter((name) => name.startsWith('lane '))).toEqual([0, 1, 2, 3].map((n) => `lane bars.lanes[${n}]`));
    expect(names.filter((name) => name === 'batch bars.batch')).toHaveLength(4);
    expect(names.filter((name) => name === 'writeTo bars.write')).toHaveLength(4);
  });

  it('goes by the name it is given', () => {
    const { monitor } = bench({ name: 'trades', workers: 1 });
    expect(monitor.stages.map((stage) => stage.name)).toContain('trades.lanes[0]');
  });

  it(
    'keeps the order of a key through workers that take different times',
    marbles(({ scheduler, flush }) => {
      const written: number[] = [];
      const sink = slowSink<number>({ serviceTimeMs: 3, keyOf: (item) => item % 10 });
      const varying: Sink<number> = {
        ...sink,
        write: (batch) => {
          const slow = slowSink<number>({ serviceTimeMs: 1 + ((batch[0] ?? 0) % 7) });
          return slow.write(batch);
        },
      };
      let most = 0;
      gatedFrom(upTo(1_000))
        .pipe(writeCoordinator(varying, { workers: 4, batchSize: 9, capacity: 50 }))
        .subscribe(({ items }) => {
          most = Math.max(most, items.length);
          written.push(...items);
        });
      flush();
      expect(scheduler.now()).toBeGreaterThan(0);
      expect(most).toBe(9);
      expect([...written].sort((a, b) => a - b)).toEqual([...upTo(1_000)]);
      for (const key of upTo(10)) {
        const ofKey = written.filter((item) => item % 10 === key);
        expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
      }
    }),
  );

  it('takes `by` over the key of the sink, and any free worker where there is neither', () => {
    const lanesOf = (config: WriteCoordinatorConfig<number>, keyOf?: (item: number) => number) => {
      const monitor = new PipelineMonitor();
      const sink: Sink<number> = keyOf ? { ...nowhere, keyOf } : nowhere;
      gatedFrom(upTo(100))
        .pipe(writeCoordinator(sink, { workers: 4, ...config }), withContext({ monitor }))
        .subscribe();
      return monitor.stages.filter((stage) => stage.kind === 'lane' && stage.in > 0).length;
    };
    expect(lanesOf({}, () => 1)).toBe(1);
    expect(lanesOf({ by: (item) => item }, () => 1)).toBe(4);
    expect(lanesOf({})).toBe(4);
  });

  it(
    'writes everything that it holds when it is asked to drain, and completes',
    marbles(({ scheduler, cold, flush }) => {
      const sink = slowSink<string>({ serviceTimeMs: 10 });
      const monitor = new PipelineMonitor();
      const stopping = new ReplaySubject<void>(1);
      const source = cold('(abcde)-f----------g----');
      const result = record(
        source.pipe(
          writeCoordinator(sink, { workers: 1, batchSize: 2, eager: false, lingerMs: 5_000 }),
          withContext({ monitor, stopping }),
        ),
      );
      scheduler.schedule(() => stopping.next(), 9);
      flush();
      expect(sink.written).toEqual([
        ['a', 'b'],
        ['c', 'd'],
        ['e', 'f'],
      ]);
      expect(result.completed).toBe(true);
      expect(monitor.account()).toMatchObject({ received: 6, written: 6, held: 0, conservation: 0 });
    }),
  );

  it('stops with the failure of a write, unless its policies help', () => {
    const policies = { retry: false, breaker: false } as const;
    const { source, writes, result, monitor } = bench({ workers: 1, batchSize: 1, policies });
    source.next(1);
    source.next(2);
    source.next(3);
    writes[0]!.error(new Error('down'));
    expect(result.error).toBeInstanceOf(WriteError);
    expect(monitor.account()).toMatchObject({ received: 3, written: 0, held: 3, conservation: 0 });

    const scheduler = new VirtualTimeScheduler();
    const helped = bench({ workers: 1, batchSize: 1, policies: { retry: { jitter: 'none' }, scheduler } });
    helped.source.next(1);
    helped.writes[0]!.error(new Error('down'));
    scheduler.maxFrames = 50;
    scheduler.flush();
    helped.writes[1]!.complete();
    expect(helped.result.values).toEqual([{ status: 'written', items: [1], rows: 1, attempts: 2, durationMs: 50 }]);
  });

  it('passes overflow and onDrop on to its buffer', () => {
    const dropped: number[] = [];
    const { source, monitor } = bench({
      workers: 1,
      batchSize: 1,
      capacity: 2,
      overflow: 'dropIncoming',
      onDrop: (item) => dropped.push(item),
    });
    for (const n of upTo(10)) source.next(n);
    expect(dropped.length).toBeGreaterThan(0);
    expect(monitor.account()).toMatchObject({ dropped: { dropIncoming: dropped.length }, conservation: 0 });
  });

  it('delivers no outcome while downstream is closed', () => {
    const gate = new Gate('closed');
    const result = record(
      of(1, 2).pipe(writeCoordinator(nowhere, { workers: 1, batchSize: 1 }), withContext({ gate })),
    );
    expect(result).toMatchObject({ values: [], completed: false });
    gate.open();
    expect(result.values).toHaveLength(2);
    expect(result.completed).toBe(true);
  });
});
