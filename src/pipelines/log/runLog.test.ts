import { defer, EMPTY, interval, NEVER, type Observable, of, Subject, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { coded } from '../../../test/support/errors.js';
import { endless, settle, slow } from '../../../test/support/runBench.js';
import { naturals } from '../../../test/support/sources.js';
import type { DeadLetters } from '../../contracts/diversion.js';
import type { Sink } from '../../contracts/sink.js';
import { batch } from '../../operators/batch.js';
import { boundedBuffer } from '../../operators/boundedBuffer.js';
import { divert } from '../../operators/divert.js';
import { retryWithJitter } from '../../operators/retryWithJitter.js';
import { watchdog } from '../../operators/watchdog.js';
import { writeTo } from '../../operators/writeTo.js';
import { run } from '../run.js';
import { runLog } from './runLog.js';

/** Runs a pipeline in virtual time, for so long at most, and gives the lines of its log with their times. */
async function logOf(
  make: (scheduler: VirtualTimeScheduler) => Observable<unknown>,
  forMs = 1_000_000,
): Promise<string[]> {
  const scheduler = new VirtualTimeScheduler();
  const lines: string[] = [];
  const stop = new AbortController();
  const log = runLog((level, line) => lines.push(`${scheduler.now()} ${level} ${line}`), {
    now: () => scheduler.now(),
    every(ms, work) {
      const subscription = interval(ms, scheduler).subscribe(work);
      return () => subscription.unsubscribe();
    },
  });
  const promise = run(make(scheduler), {
    scheduler,
    signals: [],
    stop: stop.signal,
    log: false,
    observe: [log],
    drainTimeoutMs: 0,
  });
  scheduler.schedule(() => stop.abort(), forMs);
  await settle(promise, scheduler).catch(() => {});
  expect(scheduler.actions.every(({ closed }) => closed)).toBe(true);
  return lines;
}

/** A sink that fails as often as this, and then takes everything. */
const failing = (times: number, error: unknown): Sink<number> => {
  let left = times;
  return { name: 'shop', write: (items) => (left-- > 0 ? throwError(() => error) : [{ rows: items.length }]) };
};

const kept = <T>(): DeadLetters<T> => ({ append: () => EMPTY });

describe('the log of a run', () => {
  it('says a failed write with its class, attempt, message and next try', async () => {
    const lines = await logOf((scheduler) =>
      naturals(2).pipe(
        batch({ size: 2, scheduler }),
        writeTo(failing(1, coded('ECONNREFUSED', 'closed\n\u001b[2J password=hunter2')), {
          ...{ scheduler, random: () => 0.5, name: 'shop.write' },
          retry: { initialMs: 800, jitter: 'none' } as object,
        }),
      ),
    );
    expect(lines).toEqual([
      '0 warn shop.write: a write failed (ECONNREFUSED, transient, attempt 1): closed \\u001b[2J password=***; next try in 0.8 s',
    ]);
  });

  it('makes a few lines and a count of a thousand failures', async () => {
    const lines = await logOf((scheduler) =>
      naturals(1).pipe(
        batch({ size: 1, scheduler }),
        writeTo(failing(1_000, coded('ECONNREFUSED')), {
          scheduler,
          retry: { initialMs: 5, maxMs: 5, maxAttempts: 1_001 },
        }),
      ),
    );
    expect(lines.length).toBeLessThan(6);
    expect(lines.at(-1)).toMatch(/\d more like this: writeTo: a write failed \(ECONNREFUSED/);
    const counted = lines.map((line) => Number(/([\d,]+) more like/.exec(line)?.[1]?.replace(',', '') ?? 1));
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe(1_000);
  });

  it('says each change of a breaker', async () => {
    const lines = await logOf((scheduler) =>
      naturals(1).pipe(
        batch({ size: 1, scheduler }),
        writeTo(failing(1, coded('ECONNREFUSED')), {
          ...{ scheduler, name: 'shop.write', retry: { maxAttempts: 2 } },
          breaker: { window: { kind: 'count', size: 1 } },
        }),
      ),
    );
    expect(lines.filter((line) => line.includes('breaker')).map((line) => line.replace(/^\d+ warn /, ''))).toEqual([
      'shop.write: the circuit breaker is open: writes wait until the sink takes one again',
      'shop.write: the circuit breaker is half-open: it lets one write through to see whether the sink takes it',
      'shop.write: the circuit breaker is closed: the sink takes writes again',
    ]);
  });

  it('says that a source is subscribed again, with its error: also where it was silent', async () => {
    let attempts = 0;
    const lines = await logOf((scheduler) =>
      defer(() => (++attempts === 1 ? NEVER : of(1))).pipe(
        watchdog({ staleAfterMs: 4_000, scheduler, name: 'quotes' }),
        retryWithJitter({ scheduler, random: () => 0.5, name: 'feed' }),
      ),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^4000 warn feed: the source failed 1 in a row: .*quotes.*; subscribing again in [\d.]+ s$/,
    );
  });

  it('says once that a gate has stayed closed, where the wait begins, and not of one that moves or of a pace', async () => {
    const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };
    const chain = (scheduler: VirtualTimeScheduler, sink: Sink<number>) =>
      endless().pipe(
        boundedBuffer({ capacity: 10 }),
        batch({ size: 5, scheduler }),
        writeTo(sink, { scheduler, name: 'shop.write' }),
      );
    const lines = await logOf((scheduler) => chain(scheduler, stuck), 200_000);
    expect(lines).toEqual([
      '31000 warn shop.write: its gate has been closed for 30 s and nothing has moved, with 5 items held: upstream is paused',
    ]);
    expect(await logOf((scheduler) => chain(scheduler, slow(20_000, scheduler)), 200_000)).toEqual([]);
  });

  it('says the first dead letters with reason and item, and counts the others', async () => {
    const lines = await logOf(() =>
      naturals(100).pipe(divert({ to: kept<number>(), when: (n) => ({ reason: 'odd', error: new Error(`no ${n}`) }) })),
    );
    expect(lines).toEqual([
      '0 warn divert: an item goes to the dead letters (odd): no 0; it is 0',
      '0 warn divert: an item goes to the dead letters (odd): no 1; it is 1',
      '0 warn divert: an item goes to the dead letters (odd): no 2; it is 2',
      '0 warn 97 more like this: divert: an item goes to the dead letters (odd): no 3; it is 3',
    ]);
  });

  it('shows no secret of an item, and no more than a part of a large one', async () => {
    const items = [{ password: 'hunter2', big: 'x'.repeat(5_000), n: 5n }];
    const sink: Sink<object> = { name: 'shop', write: () => throwError(() => coded('23505', 'duplicate')) };
    const lines = await logOf((scheduler) => of(items).pipe(writeTo(sink, { deadLetters: kept<object>(), scheduler })));
    const line = lines.find((one) => one.includes('dead letters'))!;
    expect(line).toContain('(poison): duplicate; it is {"password":"***","big":"xxx');
    expect(line.length).toBeLessThan(350);
  });

  it('says that dead letters wait for their disk, and that they do no longer', async () => {
    const done = new Subject<never>();
    const queue = {
      holding: undefined as object | undefined,
      append() {
        queue.holding = { letters: 1, items: 1_200, error: coded('ENOSPC', 'no space left on device') };
        return done;
      },
    };
    const lines = await logOf((scheduler) => {
      scheduler.schedule(() => {
        queue.holding = undefined;
        done.complete();
      }, 5_500);
      return naturals(1).pipe(divert({ to: queue, when: () => true }));
    });
    expect(lines.slice(1)).toEqual([
      '1000 error the dead letters wait for their disk, 1,200 items wait, and nothing is lost: no space left on device',
      '5500 info the dead letters are on the disk again: the pipeline goes on',
    ]);
  });

  it('does not end the run where a line cannot be written', async () => {
    const log = runLog(
      () => {
        throw new Error('EPIPE');
      },
      { now: () => 0, every: () => () => {} },
    );
    const outcomes$ = naturals(1).pipe(divert({ to: kept<number>(), when: () => true }));
    expect(await run(outcomes$, { signals: [], log: false, observe: [log] })).toMatchObject({
      outcome: 'completed',
      diverted: 1,
    });
  });
});

describe('the option log', () => {
  const outcomes$ = () => naturals(2).pipe(divert({ to: kept<number>(), when: (n) => n === 1 }));

  it('is a function, or a logger', async () => {
    const lines: string[] = [];
    await run(outcomes$(), { signals: [], log: (line) => lines.push(line) });
    const note = (fields: object, message?: string) => lines.push(`${JSON.stringify(fields)} ${message}`);
    await run(outcomes$(), { signals: [], log: { info: note, warn: note, error: note } });
    const line = 'divert: an item goes to the dead letters (diverted); it is 1';
    expect(lines).toEqual([line, `{} ${line}`]);
  });

  it.each([true, 'stderr', { warn() {} }])('refuses %j', (log) => {
    expect(() => run(NEVER, { log: log as never })).toThrow('run: log must be a function, a logger');
  });
});
