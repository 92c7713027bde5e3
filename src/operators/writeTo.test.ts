import {
  concat,
  defer,
  EMPTY,
  NEVER,
  type ObservableInput,
  of,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { finalize, ignoreElements, take } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { record } from '../../test/support/record.js';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import { BufferOverflowError } from '../flow/errors.js';
import { Gate } from '../flow/gate.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { withContext } from '../flow/withContext.js';
import { probeGate } from '../testing/probeGate.js';
import { isWriteError, WriteError } from './errors/writeError.js';
import { writeTo } from './writeTo.js';
import type { WritePolicies } from './writing/writePolicies.js';

/** A sink whose writes the test settles by hand. */
function bench(policies: WritePolicies<number> = {}, state: 'open' | 'closed' = 'open') {
  const gate = new Gate(state);
  const monitor = new PipelineMonitor();
  const source = new Subject<readonly number[]>();
  const begun: (readonly number[])[] = [];
  const writes: Subject<WriteReceipt>[] = [];
  const sink: Sink<number> = {
    name: 'numbers',
    write(batch) {
      begun.push(batch);
      const write = new Subject<WriteReceipt>();
      writes.push(write);
      return write;
    },
  };
  const probe = probeGate<readonly number[]>();
  const moves: string[] = [];
  probe.gateLog$.subscribe((move) => moves.push(move));
  const result = record(source.pipe(probe, writeTo(sink, policies), withContext({ gate, monitor })));
  const commit = (index: number, rows?: number) => {
    if (rows !== undefined) writes[index]!.next({ rows });
    writes[index]!.complete();
  };
  return { gate, monitor, source, begun, writes, commit, moves, result, stage: monitor.stages[0]! };
}

const sinkOf = (write: (batch: readonly number[]) => ObservableInput<WriteReceipt>): Sink<number> => ({
  name: 'numbers',
  write,
});
const clock = new VirtualTimeScheduler();

describe('writeTo', () => {
  it.each([
    [() => writeTo(undefined as never), 'writeTo: the write of its sink must be a function, got undefined'],
    [() => writeTo({ name: 'x' } as never), 'writeTo: the write of its sink must be a function, got undefined'],
    [
      () =>
        writeTo(
          sinkOf(() => EMPTY),
          { concurrency: 0 },
        ),
      'writeTo: concurrency must be an integer of at least 1, got 0',
    ],
    [
      () =>
        writeTo(
          sinkOf(() => EMPTY),
          { classify: 3 as never },
        ),
      'writeTo: classify must be a function, got 3',
    ],
    [
      () =>
        writeTo(
          sinkOf(() => EMPTY),
          { deadLetters: {} as never },
        ),
      'writeTo: the append of its deadLetters must be a function, got undefined',
    ],
    [
      () =>
        writeTo(
          sinkOf(() => EMPTY),
          { guard: 3 } as never,
        ),
      'writeTo: unknown option "guard"',
    ],
  ])('refuses wrong options when it is made (%#)', (make, message) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it('writes one batch at a time, in order, with its gate closed meanwhile', () => {
    const { source, begun, commit, moves, result } = bench({ scheduler: clock });
    source.next([1, 2]);
    expect(moves).toEqual(['o', 'c']);
    source.next([3]);
    expect(begun).toEqual([[1, 2]]);
    commit(0, 1);
    expect(begun).toEqual([[1, 2], [3]]);
    expect(moves).toEqual(['o', 'c']);
    commit(1);
    expect(moves).toEqual(['o', 'c', 'o']);
    expect(result.values).toEqual([
      { status: 'written', items: [1, 2], rows: 1, attempts: 1, durationMs: 0 },
      { status: 'written', items: [3], rows: 1, attempts: 1, durationMs: 0 },
    ]);
  });

  it('writes as many batches side by side as concurrency allows', () => {
    const { source, begun, commit, moves, result } = bench({ concurrency: 2 });
    source.next([1]);
    expect(moves).toEqual(['o']);
    source.next([2]);
    source.next([3]);
    expect(begun).toEqual([[1], [2]]);
    expect(moves).toEqual(['o', 'c']);
    commit(1);
    expect(begun).toHaveLength(3);
    commit(0);
    commit(2);
    expect(result.values.map(({ items }) => items)).toEqual([[2], [1], [3]]);
  });

  it('starts no two writes of one subscription at once, whatever comes, and one for each of two subscriptions', () => {
    let inFlight = 0;
    let most = 0;
    const writes: Subject<WriteReceipt>[] = [];
    const operator = writeTo(
      sinkOf(() => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        const write = new Subject<WriteReceipt>();
        writes.push(write);
        return write;
      }),
    );
    const source = new Subject<readonly number[]>();
    source.pipe(operator).subscribe();
    for (let n = 0; n < 5; n++) source.next([n]);
    for (let n = 0; n < 5; n++) {
      inFlight -= 1;
      writes[n]!.complete();
    }
    expect(most).toBe(1);
    source.pipe(operator).subscribe();
    source.next([6]);
    expect(inFlight).toBe(2);
  });

  it('passes over empty batches', () => {
    const { source, begun, result } = bench();
    source.next([]);
    source.complete();
    expect(begun).toEqual([]);
    expect(result).toMatchObject({ values: [], completed: true });
  });

  describe('what a sink may do', () => {
    const outcome = (rows: number) => ({ status: 'written', items: [1, 2], rows, attempts: 1 });

    it.each([
      ['emits once', () => of({ rows: 1 }), 1],
      ['emits twice: the last counts', () => of({ rows: 7 }, { rows: 2 }), 2],
      ['emits nothing: each item is a row', () => EMPTY, 2],
    ])('%s', (_, write, rows) => {
      expect(record(of([1, 2]).pipe(writeTo(sinkOf(write))))).toMatchObject({
        values: [outcome(rows)],
        completed: true,
      });
    });

    it('gives a promise', async () => {
      const outcome$ = of([1, 2]).pipe(writeTo(sinkOf(async () => ({ rows: 1 }))));
      await expect(new Promise((resolve) => outcome$.subscribe({ next: resolve }))).resolves.toMatchObject(outcome(1));
    });

    it.each([
      [
        'throws',
        () => {
          throw new Error('refused');
        },
      ],
      ['fails', () => throwError(() => new Error('refused'))],
      [
        'emits and then fails',
        () =>
          concat(
            of({ rows: 1 }),
            throwError(() => new Error('refused')),
          ),
      ],
    ])('%s: a WriteError with cause, attempts and the name of the sink', (_, write) => {
      const result = record(of([1, 2]).pipe(writeTo(sinkOf(write))));
      expect(result.values).toEqual([]);
      const error = result.error as WriteError<number>;
      expect(error).toBeInstanceOf(WriteError);
      expect(isWriteError(error)).toBe(true);
      expect(error).toMatchObject({ name: 'WriteError', code: 'SLUICE_WRITE_FAILED', sink: 'numbers', attempts: 1 });
      expect((error.cause as Error).message).toBe('refused');
      expect(error.message).toBe('the sink numbers did not take a batch of 2 items: refused');
      expect(error.items).toEqual([1, 2]);
      expect(Object.keys(error)).not.toContain('items');
    });

    it('rejects', async () => {
      const result$ = of([1]).pipe(writeTo(sinkOf(() => Promise.reject(new Error('refused')))));
      const error = await new Promise((resolve) => result$.subscribe({ error: resolve }));
      expect((error as WriteError).cause).toMatchObject({ message: 'refused' });
    });

    it('gives nothing that can be subscribed', () => {
      const result = record(of([1]).pipe(writeTo(sinkOf(() => undefined as never))));
      expect(result.error).toBeInstanceOf(WriteError);
    });

    it('never completes: the batch is held, and nothing ends', () => {
      const { source, writes, result, monitor } = bench();
      source.next([1, 2]);
      writes[0]!.next({ rows: 2 });
      source.complete();
      expect(result).toMatchObject({ values: [], completed: false });
      expect(monitor.account()).toMatchObject({ received: 2, held: 2, written: 0, conservation: 0 });
    });
  });

  it('reads durationMs from its scheduler, from the first attempt to the commit', () => {
    const scheduler = new VirtualTimeScheduler();
    const { source, commit, result } = bench({ scheduler });
    scheduler.frame = 100;
    source.next([1]);
    scheduler.frame = 107;
    commit(0);
    expect(result.values[0]?.durationMs).toBe(7);
  });

  it('holds outcomes while downstream is closed, writes nothing meanwhile, and still counts the items as written', () => {
    const { source, begun, commit, gate, moves, result, monitor } = bench({}, 'closed');
    source.next([1]);
    commit(0);
    expect(moves).toEqual(['o', 'c']);
    source.next([2]);
    expect(begun).toEqual([[1]]);
    expect(result.values).toEqual([]);
    expect(monitor.account()).toMatchObject({ received: 2, written: 1, held: 1, conservation: 0 });
    gate.open();
    expect(result.values).toHaveLength(1);
    expect(begun).toEqual([[1], [2]]);
    commit(1);
    expect(moves).toEqual(['o', 'c', 'o']);
  });

  it('settles every write before completion and before an error of its source', () => {
    for (const failure of [undefined, new Error('line cut')]) {
      const { source, commit, result, gate } = bench();
      source.next([1]);
      source.next([2]);
      if (failure) source.error(failure);
      else source.complete();
      commit(0);
      expect(result).toMatchObject({ completed: false, error: undefined });
      gate.close();
      commit(1);
      expect(result).toMatchObject({ completed: false, error: undefined });
      gate.open();
      expect(result).toMatchObject({ completed: !failure, error: failure });
      expect(result.values).toHaveLength(2);
    }
  });

  it('delivers the outcomes that wait before a failure, and begins no new write', () => {
    const { source, writes, commit, gate, begun, result, monitor } = bench({ concurrency: 2 });
    source.next([1]);
    source.next([2]);
    source.next([3]);
    gate.close();
    commit(0);
    writes[1]!.error(new Error('down'));
    expect(result.error).toBeUndefined();
    expect(source.observed).toBe(false);
    gate.open();
    expect(result.values.map(({ items }) => items)).toEqual([[1]]);
    expect(result.error).toBeInstanceOf(WriteError);
    expect(begun).toHaveLength(2);
    expect(monitor.account()).toMatchObject({ received: 3, written: 1, held: 2, conservation: 0 });
  });

  it('fails, after everything it holds is written, when a source goes on in spite of the gate', () => {
    const { source, commit, result, monitor } = bench();
    for (let n = 0; n < 100; n++) source.next([n, n]);
    expect(source.observed).toBe(false);
    for (let n = 0; n < 65; n++) commit(n);
    expect(result.values).toHaveLength(65);
    expect(result.error).toBeInstanceOf(BufferOverflowError);
    expect(monitor.account()).toMatchObject({ received: 132, written: 130, dropped: { overflow: 2 }, conservation: 0 });
  });

  it('unsubscribes what is in flight when unsubscribed, and begins nothing', () => {
    const { source, writes, begun, result, gate, monitor } = bench();
    source.next([1, 2]);
    source.next([3]);
    result.subscription.unsubscribe();
    expect(writes[0]!.observed).toBe(false);
    expect(begun).toHaveLength(1);
    expect(gate.waiting).toBe(0);
    expect(monitor.account()).toMatchObject({ received: 3, held: 3, written: 0, conservation: 0 });
  });

  it('begins the next write when the one before has let go of what it used', () => {
    const log: string[] = [];
    const sink = sinkOf((batch) =>
      defer(() => {
        log.push(`take ${batch}`);
        return timer(1, clock).pipe(
          ignoreElements(),
          finalize(() => log.push(`let go ${batch}`)),
        );
      }),
    );
    of([1], [2]).pipe(writeTo(sink)).subscribe();
    clock.flush();
    expect(log).toEqual(['take 1', 'let go 1', 'take 2', 'let go 2']);
  });

  it('begins no write when the subscriber has had enough', () => {
    const begun: (readonly number[])[] = [];
    const first = new Subject<WriteReceipt>();
    const source = new Subject<readonly number[]>();
    const sink = sinkOf((batch) => {
      begun.push(batch);
      return first;
    });
    const result = record(source.pipe(writeTo(sink), take(1)));
    source.next([1]);
    source.next([2]);
    first.complete();
    expect(result).toMatchObject({ completed: true });
    expect(begun).toEqual([[1]]);
  });

  it('counts nothing before a source emits', () => {
    expect(record(NEVER.pipe(writeTo(sinkOf(() => EMPTY))))).toMatchObject({ values: [], completed: false });
  });
});
