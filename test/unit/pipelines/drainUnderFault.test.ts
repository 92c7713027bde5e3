import { EventEmitter } from 'node:events';
import {
  EMPTY,
  ignoreElements,
  mergeMap,
  NEVER,
  type ObservableInput,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { DeadLetters } from '../../../src/contracts/diversion.js';
import type { Sink, WriteReceipt } from '../../../src/contracts/sink.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { pace } from '../../../src/operators/pace.js';
import { route } from '../../../src/operators/route.js';
import type { RunReport } from '../../../src/operators/running/runReport.js';
import { supervise } from '../../../src/operators/running/supervise.js';
import { type CoordinatorPolicies, writeCoordinator } from '../../../src/operators/writeCoordinator.js';
import { formatReport } from '../../../src/pipelines/formatReport.js';
import { run } from '../../../src/pipelines/run.js';
import { isRunError } from '../../../src/pipelines/runError.js';
import { letterBox } from '../../support/diversions.js';
import { coded } from '../../support/errors.js';
import { naturals } from '../../support/sources.js';

const refused = () => coded('ECONNREFUSED');
const missing = () => coded('42P01');

const sinkOf = (write: () => ObservableInput<WriteReceipt>): Sink<number> => ({ name: 'numbers', write });

interface Scene {
  readonly write: () => ObservableInput<WriteReceipt>;
  readonly policies: CoordinatorPolicies<number>;
  readonly stops?: readonly number[];
  readonly drainTimeoutMs?: number;
  readonly paced?: boolean;
}

/** Runs an endless source into a coordinator in virtual time, with a request to stop at each time of `stops`. */
async function play({
  write,
  policies,
  stops = [100],
  drainTimeoutMs = 10_000,
  paced = false,
}: Scene): Promise<RunReport> {
  const scheduler = new VirtualTimeScheduler();
  const emitter = new EventEmitter();
  const config = { workers: 4, batchSize: 10, capacity: 1_000, policies: { scheduler, ...policies } };
  const items$ = paced ? naturals().pipe(pace({ rate: 1, perMs: 10, scheduler })) : naturals();
  const promise = run(items$.pipe(writeCoordinator(sinkOf(write), config)), { scheduler, emitter, drainTimeoutMs });
  for (const at of stops) scheduler.schedule(() => emitter.emit('SIGTERM', 'SIGTERM'), at);
  await Promise.resolve();
  scheduler.maxFrames = 100_000;
  scheduler.flush();
  return promise;
}

describe('a drain keeps its deadline, and what is not written by then goes to the dead letters', () => {
  const faults: [string, Omit<Scene, 'policies'> & { policies?: CoordinatorPolicies<number> }][] = [
    ['while a write hangs', { write: () => NEVER, policies: { timeoutMs: Number.POSITIVE_INFINITY } }],
    ['while the breaker is open', { write: () => throwError(refused) }],
    [
      'while an attempt waits',
      { write: () => throwError(refused), policies: { breaker: false, retry: { initialMs: 50_000, maxMs: 50_000 } } },
    ],
    ['while the source is paced', { write: () => NEVER, paced: true, stops: [20_000] }],
  ];

  it.each(faults)('%s', async (_, scene) => {
    const { letters, deadLetters, count } = letterBox();
    const report = await play({ ...scene, policies: { ...scene.policies, deadLetters } });
    expect(report.outcome).toBe('drained');
    expect(report.durationMs).toBe((scene.stops?.[0] ?? 100) + 9_000);
    expect(report.received).toBeGreaterThan(0);
    expect(report).toMatchObject({ written: 0, held: 0, dropped: {}, conservation: 0, heldBy: {} });
    expect(report.divertedBy).toEqual({ drain: report.received });
    expect(count()).toBe(report.received);
    expect(new Set(letters.flatMap(({ items }) => items)).size).toBe(report.received);
    expect(formatReport(report)).toContain(`(drain ${report.received.toLocaleString('en-US')})`);
  });

  it('does not let "the drain discards what the queue still holds" come back', async () => {
    const { letters, deadLetters } = letterBox();
    const report = await play({
      write: () => NEVER,
      policies: { deadLetters },
      drainTimeoutMs: 500,
    });
    expect(report.durationMs).toBe(350);
    expect(report.received).toBeGreaterThan(800);
    expect(letters.flatMap(({ items }) => items).sort((a, b) => a - b)).toEqual([...Array(report.received).keys()]);
  });

  it('at once after a second signal', async () => {
    const { deadLetters } = letterBox();
    const report = await play({ write: () => NEVER, policies: { deadLetters }, stops: [100, 700] });
    expect(report).toMatchObject({ outcome: 'drained', durationMs: 700, held: 0, conservation: 0 });
  });

  it('also where the letters cannot be written: what is left is held, and said', async () => {
    const { deadLetters } = letterBox(() => NEVER);
    const report = await play({ write: () => NEVER, policies: { deadLetters } });
    expect(report).toMatchObject({ outcome: 'deadline', durationMs: 10_100, diverted: 0, conservation: 0 });
    expect(report.held).toBe(report.received);
  });

  it('without dead letters what is left is held, at the very end', async () => {
    const report = await play({ write: () => NEVER, policies: {} });
    expect(report).toMatchObject({ outcome: 'deadline', durationMs: 10_100, divertedBy: {}, conservation: 0 });
    expect(report.held).toBe(report.received);
  });
});

describe('a fatal failure under run()', () => {
  it('stops the source, diverts everything held, and fails the run with what to do', async () => {
    const { deadLetters, count } = letterBox();
    const failure = await play({ write: () => throwError(missing), policies: { deadLetters }, stops: [] }).catch(
      (error: unknown) => error,
    );
    expect(isRunError(failure)).toBe(true);
    const { report, cause } = failure as { report: RunReport; cause: { cause: unknown } };
    expect(cause.cause).toMatchObject({ code: '42P01' });
    expect(report).toMatchObject({ outcome: 'failed', written: 0, held: 0, conservation: 0 });
    expect(report.divertedBy).toEqual({ fatal: report.received });
    expect(count()).toBe(report.received);
  });

  it('is reported even if the letters fail after it, together with their failure', async () => {
    const { deadLetters } = letterBox(() => throwError(() => new Error('no room on the disk of the letters')));
    const failure = await play({ write: () => throwError(missing), policies: { deadLetters }, stops: [] }).catch(
      (error: unknown) => error,
    );
    expect((failure as Error).message).toContain('42P01');
    const { report, cause } = failure as { report: RunReport; cause: AggregateError };
    expect(cause.errors).toMatchObject([
      { cause: { code: '42P01' } },
      { message: 'no room on the disk of the letters' },
    ]);
    expect(report).toMatchObject({ outcome: 'failed', held: report.received, conservation: 0 });
  });

  it('in one branch of a route lets the others finish what they have', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { letters, deadLetters } = letterBox();
    const written: number[] = [];
    const good: Sink<number> = {
      name: 'good',
      write: (items) => {
        written.push(...items);
        return EMPTY;
      },
    };
    const policies = { scheduler, deadLetters };
    const outcomes$ = naturals().pipe(
      route((n: number) => (n % 2 ? 'odd' : 'even'), {
        odd: (odd$) =>
          odd$.pipe(
            writeCoordinator(
              sinkOf(() => throwError(missing)),
              { workers: 1, batchSize: 10, capacity: 100, policies },
            ),
          ),
        even: (even$) => even$.pipe(writeCoordinator(good, { workers: 1, batchSize: 10, capacity: 100, policies })),
      }),
    );
    const promise = run(outcomes$, { scheduler, emitter: new EventEmitter() });
    promise.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    scheduler.flush();
    const failure = await promise.catch((error: unknown) => error);
    expect(isRunError(failure)).toBe(true);
    const { report } = failure as { report: RunReport };
    expect(report).toMatchObject({ held: 0, conservation: 0 });
    expect(report.received).toBe(report.written + report.diverted);
    expect(written.every((n) => n % 2 === 0)).toBe(true);
    expect(letters.flatMap(({ items }) => items).every((n) => n % 2 === 1)).toBe(true);
  });
});

describe('a fatal failure without run()', () => {
  const fail = (workers: number, write: () => ObservableInput<WriteReceipt>, deadLetters: DeadLetters<number>) => {
    const scheduler = new VirtualTimeScheduler();
    const monitor = new PipelineMonitor();
    const seen: { error?: unknown; at?: number } = {};
    naturals()
      .pipe(
        writeCoordinator(sinkOf(write), {
          workers,
          batchSize: 10,
          capacity: 100,
          policies: { scheduler, deadLetters },
        }),
        withContext({ monitor }),
      )
      .subscribe({ error: (error: unknown) => Object.assign(seen, { error, at: scheduler.now() }) });
    return { scheduler, monitor, seen };
  };

  it('ends after ten seconds where the letters hang, and what is held is counted', async () => {
    const { scheduler, monitor, seen } = fail(1, () => throwError(missing), letterBox(() => NEVER).deadLetters);
    await new Promise((resolve) => setImmediate(resolve));
    scheduler.maxFrames = 9_999;
    scheduler.flush();
    expect(seen).toEqual({});
    scheduler.maxFrames = 100_000;
    scheduler.flush();
    expect(seen).toMatchObject({ error: { cause: { code: '42P01' } }, at: 10_000 });
    const { received, held, conservation } = monitor.account();
    expect({ held, conservation }).toEqual({ held: received, conservation: 0 });
  });

  it('ends as soon as everything is settled, with the first of several failures, and leaves no timer', async () => {
    let failures = 0;
    const durable = new Subject<void>();
    const { deadLetters } = letterBox(() => durable);
    const refusals: Subject<WriteReceipt>[] = [];
    const write = () => {
      const refusal = new Subject<WriteReceipt>();
      refusals.push(refusal);
      return refusal;
    };
    const { scheduler, seen, monitor } = fail(4, write, deadLetters);
    await new Promise((resolve) => setImmediate(resolve));
    expect(refusals).toHaveLength(4);
    for (const refusal of refusals) refusal.error(Object.assign(missing(), { failure: ++failures }));
    expect(seen).toEqual({});
    for (let round = 0; round < 100 && !seen.error; round++) durable.complete();
    expect(seen).toMatchObject({ error: { cause: { failure: 1 } }, at: 0 });
    expect(monitor.account()).toMatchObject({ held: 0, conservation: 0 });
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});

describe('a fatal failure without run(), in one of several branches', () => {
  it.each([
    ['that have only a little to do: they finish it', 5, 0],
    ['that hang: what they hold goes to the dead letters in the last second', Number.POSITIVE_INFINITY, 9_000],
  ])('stops the source of all, and lets the others go on %s', async (_, writeMs, endsAfter) => {
    const scheduler = new VirtualTimeScheduler();
    const { letters, deadLetters } = letterBox();
    const monitor = new PipelineMonitor();
    const config = {
      workers: 1,
      batchSize: 10,
      capacity: 100,
      policies: { scheduler, deadLetters, timeoutMs: Infinity },
    };
    const good = sinkOf(() =>
      writeMs === Number.POSITIVE_INFINITY ? NEVER : timer(writeMs, scheduler).pipe(ignoreElements()),
    );
    const bad = sinkOf(() => timer(50, scheduler).pipe(mergeMap(() => throwError(missing))));
    const outcomes$ = naturals().pipe(
      route((n: number) => (n % 2 ? 'odd' : 'even'), {
        odd: (odd$) => odd$.pipe(writeCoordinator(bad, config)),
        even: (even$) => even$.pipe(writeCoordinator(good, config)),
      }),
      supervise({ scheduler, branches: true }),
      withContext({ monitor }),
    );
    let failure: unknown;
    let endedAt = 0;
    outcomes$.subscribe({
      error(error) {
        failure = error;
        endedAt = scheduler.now();
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    scheduler.maxFrames = 100_000;
    scheduler.flush();
    expect(failure).toMatchObject({ cause: { code: '42P01' } });
    const { received, written, diverted, held } = monitor.account();
    expect({ held, settled: written + diverted }).toEqual({ held: 0, settled: received });
    const even = letters.flatMap(({ items }) => items).filter((n) => n % 2 === 0);
    if (endsAfter > 0) {
      expect(endedAt).toBe(50 + endsAfter);
      expect(written).toBe(0);
      expect(even.length).toBeGreaterThan(50);
    } else {
      expect(endedAt).toBeLessThan(1_000);
      expect(even).toEqual([]);
      expect(written).toBeGreaterThan(50);
    }
  });
});
