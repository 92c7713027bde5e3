import { of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../test/support/diversions.js';
import type { Sink } from '../contracts/sink.js';
import { PipelineMonitor } from '../flow/monitor.js';
import type { SettledWrite, WatchedBreaker } from '../flow/stage.js';
import type { RunReport } from '../operators/running/runReport.js';
import { writeTo } from '../operators/writeTo.js';
import { run } from '../pipelines/run.js';
import { createLogger, type Logger, type LogLevel } from './createLogger.js';
import { logPipeline } from './logPipeline.js';

type Line = Readonly<Record<string, unknown>>;

function logger(level: LogLevel = 'info') {
  const written: string[] = [];
  return {
    logger: createLogger({ level, destination: { write: (line) => written.push(line) } }),
    written,
    lines: () => written.map((line) => JSON.parse(line) as Line),
  };
}

const stage = (name = 'bars.write') => new PipelineMonitor().register({ kind: 'writeTo', name, role: 'writer' }).stage;

/** A breaker that changes when it is told to. */
function breaker(state = 'closed') {
  const listeners = new Set<(state: string) => void>();
  const watched: WatchedBreaker & { state: string } = {
    state,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const change = (next: string) => {
    watched.state = next;
    for (const listener of listeners) listener(next);
  };
  return { watched, change, listeners };
}

describe('the log of a pipeline', () => {
  it('tells each change of a breaker once, though several workers share it', () => {
    const { logger: log, lines } = logger();
    const { watched, change, listeners } = breaker();
    const { attach, close } = logPipeline(log);
    const observer = attach();
    const first = stage();
    observer.guarded?.(first, watched);
    observer.guarded?.(stage(), watched);
    change('open');
    change('halfOpen');
    // A permit came free; the state is what it was.
    change('halfOpen');
    change('closed');
    expect(lines().map(({ level, stage, from, to, msg }) => [level, stage, from, to, msg])).toEqual([
      ['warn', 'bars.write', 'closed', 'open', 'the circuit breaker is open'],
      ['info', 'bars.write', 'open', 'halfOpen', 'the circuit breaker is halfOpen'],
      ['info', 'bars.write', 'halfOpen', 'closed', 'the circuit breaker is closed'],
    ]);
    close();
    expect(listeners.size).toBe(0);
  });

  it('stops watching the breaker that a retried stage had, unless another stage still has it', () => {
    const observer = logPipeline(logger().logger).attach();
    const shared = breaker();
    const next = breaker();
    const one = stage();
    const other = stage();
    observer.guarded?.(one, shared.watched);
    observer.guarded?.(other, shared.watched);
    observer.guarded?.(one, next.watched);
    expect([shared.listeners.size, next.listeners.size]).toEqual([1, 1]);
    observer.guarded?.(other, next.watched);
    expect([shared.listeners.size, next.listeners.size]).toEqual([0, 1]);
  });

  it('tells the same trouble of a stage now and then, with how often it was there in between', () => {
    const clock = { now: 0 };
    const { logger: log, lines } = logger();
    const observer = logPipeline(log, { repeatMs: 1_000, now: () => clock.now }).attach();
    const writer = stage();
    const fail = (type: string) => observer.writeFailed?.(writer, { type, class: 'transient' });
    for (const now of [0, 10, 999]) {
      clock.now = now;
      fail('ECONNREFUSED');
      observer.retrying?.(writer, 50);
    }
    fail('57P01');
    clock.now = 1_000;
    fail('ECONNREFUSED');
    expect(lines().map(({ msg, type, repeated }) => [msg, type, repeated])).toEqual([
      ['a write failed', 'ECONNREFUSED', undefined],
      ['a write will be retried', undefined, undefined],
      ['a write failed', '57P01', undefined],
      ['a write failed', 'ECONNREFUSED', 2],
    ]);
  });

  it('tells every fatal failure, diverted items and nothing of what is written', () => {
    const { logger: log, lines } = logger();
    const observer = logPipeline(log).attach();
    const writer = stage();
    const outcome: SettledWrite = { status: 'written', items: [1, 2], rows: 2, attempts: 1, durationMs: 3 };
    observer.settled?.(writer, outcome);
    observer.settled?.(writer, { ...outcome, status: 'diverted' });
    for (let i = 0; i < 2; i++) observer.writeFailed?.(writer, { type: '42P01', class: 'fatal' });
    expect(lines().map(({ level, msg, items }) => [level, msg, items])).toEqual([
      ['warn', 'items went to the dead letters', 2],
      ['error', 'the sink cannot be written to', undefined],
      ['error', 'the sink cannot be written to', undefined],
    ]);
    expect(JSON.stringify(lines())).not.toContain('[1,2]');
  });

  it.each<[what: string, failureClass: string, isFailed: boolean]>([
    ['of a failed write', 'transient', true],
    ['of a fatal failure', 'fatal', true],
    ['of diverted items', 'poison', false],
  ])('tells what is wrong and what to do %s, without secrets and cut off', (_what, failureClass, isFailed) => {
    // A logger of the user's, which masks nothing by itself.
    const lines: Line[] = [];
    const keep = (fields: object) => lines.push(fields as Line);
    const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
    const observer = logPipeline(log, { repeatMs: 0 }).attach();
    const message = 'cannot reach postgres://me:hunter2@db/bars: start the server, or correct DATABASE_URL';
    for (const error of [new Error(message), `password=hunter2 ${'x'.repeat(5_000)}`, undefined]) {
      const writer = stage();
      if (isFailed) observer.writeFailed?.(writer, { type: 'X', class: failureClass, error });
      else {
        const how = { status: 'diverted', items: [1], rows: 0, attempts: 1, durationMs: 3, reason: 'poison' } as const;
        observer.settled?.(writer, { ...how, error });
      }
    }
    const said = lines.map(({ error }) => error as string | undefined);
    expect(said[0]).toBe(message.replace('hunter2', '***'));
    expect(said[1]).toMatch(/^password=\*\*\* x+$/);
    expect(said[1]).toHaveLength(2_000);
    expect(said[2]).toBeUndefined();
  });

  it.each(['transient', 'poison', 'fatal'] as const)(
    'tells of a write what its sink said: %s',
    async (failureClass) => {
      const { logger: log, lines } = logger();
      const sink: Sink<number> = {
        name: 'shop',
        write: () => throwError(() => Object.assign(new Error('the shop is closed: come again'), { failureClass })),
      };
      const { deadLetters } = letterBox();
      const retry = { maxAttempts: 2, initialMs: 1 };
      const written$ = of([1], [2]).pipe(writeTo<number>(sink, { deadLetters, retry }));
      await run(written$, { observe: [logPipeline(log, { repeatMs: 0 })], signals: [] }).catch(() => {});
      const failed = lines().filter(({ msg }) => /write failed|cannot be written|dead letters/.test(String(msg)));
      expect(failed.length).toBeGreaterThan(0);
      for (const line of failed) expect(line.error).toBe('the shop is closed: come again');
    },
  );

  it('tells holds, the drain and the report', () => {
    const { logger: log, lines } = logger();
    const { holding, draining, hurrying, finished } = logPipeline(log);
    const account = {
      received: 5,
      written: 3,
      diverted: 1,
      divertedBy: {},
      dropped: {},
      filtered: 0,
      delivered: 0,
      held: 1,
      conservation: 0,
    };
    const report: RunReport = {
      ...account,
      outcome: 'drained',
      durationMs: 7,
      batches: 1,
      rows: 3,
      divertedBy: { poison: 1 },
      heldBy: { bars: 1 },
      unstopped: [],
      stages: [],
    };
    holding(true, new Error('no space left'));
    holding(false);
    draining('SIGTERM');
    hurrying('SIGTERM', 'hurry');
    hurrying('SIGTERM', 'end');
    finished({ ...report, signal: 'SIGTERM' });
    finished({ ...report, held: 0, heldBy: {} });
    finished({ ...report, conservation: 2 });
    finished({ ...report, outcome: 'failed', error: new Error('no table') });
    expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
      ['error', 'dead letters cannot be stored: the pipeline holds its items'],
      ['info', 'dead letters can be stored again: the pipeline goes on'],
      ['info', 'draining'],
      ['warn', 'asked again to stop: writing ends now, and what is held goes to the dead letters'],
      ['warn', 'asked again to stop: the run ends now'],
      ['error', 'items were held at the end: lost unless their source gives them again'],
      ['info', 'the pipeline has ended'],
      ['error', 'items are unaccounted for'],
      ['error', 'the pipeline failed'],
    ]);
    expect(lines()[5]).toMatchObject({ ...account, signal: 'SIGTERM', heldBy: { bars: 1 }, rows: 3 });
    expect(lines()[8]).toMatchObject({ error: { message: 'no table' } });
  });

  it('does not end the pipeline where a line cannot be written', () => {
    const log = createLogger({
      destination: {
        write() {
          throw new Error('no space left');
        },
      },
    });
    const observer = logPipeline(log).attach();
    expect(() => observer.writeFailed?.(stage(), { type: 'x', class: 'fatal' })).not.toThrow();
  });

  it('remembers a bounded number of troubles', () => {
    const { logger: log, written } = logger();
    const observer = logPipeline(log, { now: () => 0 }).attach();
    const writer = stage();
    for (let i = 0; i < 257; i++) observer.writeFailed?.(writer, { type: `e${i}`, class: 'transient' });
    expect(written).toHaveLength(257);
    // The first was forgotten for the last, the second was not.
    observer.writeFailed?.(writer, { type: 'e2', class: 'transient' });
    expect(written).toHaveLength(257);
    observer.writeFailed?.(writer, { type: 'e0', class: 'transient' });
    expect(written).toHaveLength(258);
  });
});
