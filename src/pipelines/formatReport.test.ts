import { EMPTY, interval, merge, NEVER, type Observable, of, throwError, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { coded } from '../../test/support/errors.js';
import { chain, endless, settle, signals, slow } from '../../test/support/runBench.js';
import type { Sink } from '../contracts/sink.js';
import { batch } from '../operators/batch.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { divert } from '../operators/divert.js';
import { retryWithJitter } from '../operators/retryWithJitter.js';
import type { RunReport } from '../operators/running/runReport.js';
import { untilStopped } from '../operators/untilStopped.js';
import { writeTo } from '../operators/writeTo.js';
import { formatReport, isSettled } from './formatReport.js';
import { run } from './run.js';
import type { RunError } from './runError.js';

const oneItem = () => of(1).pipe(batch({ size: 2 }), writeTo<number>({ name: 's', write: () => [{ rows: 1 }] }));

describe('formatReport', () => {
  it('counts a reason whatever it is called', async () => {
    const to = { append: () => EMPTY };
    const report = await run(of(1, 2).pipe(divert({ to, when: () => 'constructor' })), { signals: [] });
    expect(report.divertedBy).toEqual({ constructor: 2 });
  });

  it('counts the batches that were written, and not those that went to the dead letters', async () => {
    const picky: Sink<number> = {
      name: 'picky',
      write: (items) => (items.includes(3) ? throwError(() => coded('23514', 'no 3')) : of({ rows: 2 })),
    };
    const outcomes$ = of(1, 2, 3, 3, 3, 4).pipe(
      batch({ size: 2 }),
      writeTo(picky, { deadLetters: { append: () => EMPTY } }),
    );
    const report = await run(outcomes$, { signals: [] });
    expect(report).toMatchObject({ written: 3, diverted: 3, batches: 2 });
  });

  it('says in words what the report says in numbers', async () => {
    const scheduler = new VirtualTimeScheduler();
    const { emitter, send } = signals();
    const stuck: Sink<number> = { name: 'stuck', write: () => NEVER };
    const promise = run(endless().pipe(...chain(stuck)), { scheduler, emitter, drainTimeoutMs: 0 });
    scheduler.schedule(() => send('SIGTERM'), 5);
    expect(formatReport(await settle(promise, scheduler))).toBe(
      [
        'stopped at the deadline of its drain (SIGTERM) in 0.01 s, 0 items/s',
        'received  100',
        'written   0 (0 rows inserted or changed, 0 batches)',
        'diverted  0',
        'dropped   0',
        'held      100 (boundedBuffer 80, batch 10, writeTo 10)',
        'NOT SETTLED: 100 items were held at the end, lost unless their source gives them again',
      ].join('\n'),
    );
  });

  it.each([
    ['that ended well', {}, true, ['every item is accounted for']],
    ['that held items', { held: 2, heldBy: { batch: 2 } }, false, ['NOT SETTLED: 2 items were held at the end']],
    ['that lost count', { conservation: 1 }, false, ['UNACCOUNTED FOR: 1 items']],
    ['that did both', { held: 2, conservation: 1 }, false, ['NOT SETTLED: 2 items', 'UNACCOUNTED FOR: 1 items']],
  ])('says every item is accounted for only where none is lost: a run %s', async (_, changes, settled, lines) => {
    const report = { ...(await run(oneItem(), { signals: [] })), ...changes };
    expect(isSettled(report)).toBe(settled);
    const text = formatReport(report);
    expect(text.match(/every item is accounted for|NOT SETTLED|UNACCOUNTED/g)).toHaveLength(lines.length);
    for (const line of lines) expect(text).toContain(line);
  });
});

describe('what must not be overlooked', () => {
  const reportOf = async (changes: Partial<RunReport>) =>
    formatReport({ ...(await run(oneItem(), { signals: [] })), ...changes });

  it('of a failed run is in its last line, whatever else there is to say', async () => {
    const failed = throwError(() => new Error('no table:\u001b[2J password=hunter2\nmigrate'));
    const { report } = (await run(failed, { signals: [] }).catch((error: unknown) => error)) as RunError;
    const text = formatReport({ ...report, held: 3, conservation: 1, dropped: { badRow: 1 } });
    expect(text).toMatch(
      /\nNOT SETTLED: 3 items[\s\S]*\nBAD ROWS: 1 [\s\S]*\nFAILED: no table:\\u001b\[2J password=\*\*\* *(migrate)?$/,
    );
    expect(await reportOf({})).not.toContain('FAILED');
  });

  it('of a run that changed no row is why, and how to restate', async () => {
    const text = await reportOf({ written: 1_000, rows: 0 });
    expect(text).toMatch(
      /\nNO ROW CHANGED: the store holds all of these records already.*higher seq.*seqFrom: 'mtime'/,
    );
    expect(await reportOf({ written: 1_000, rows: 1 })).not.toContain('NO ROW CHANGED');
    expect(await reportOf({ written: 0, rows: 0 })).not.toContain('NO ROW CHANGED');
  });

  it.each<[Partial<RunReport>, string]>([
    [{ dropped: { badRow: 1_200 } }, 'BAD ROWS: 1,200 rows could not be read; 1,200 dropped: badRows keeps them'],
    [{ divertedBy: { badRow: 2 } }, 'BAD ROWS: 2 rows could not be read; 2 went to the dead letters'],
    [
      { dropped: { badRow: 1 }, divertedBy: { badRow: 2 } },
      'BAD ROWS: 3 rows could not be read; 2 went to the dead letters, 1 dropped',
    ],
  ])('of a file with bad rows is how many and where they went: %j', async (changes, line) => {
    expect(await reportOf(changes)).toContain(`\n${line}`);
    expect(await reportOf({ dropped: { stale: 1 } })).not.toContain('BAD ROWS');
  });
});

describe('a source that did not hear the request to stop', () => {
  const stopAt = async (items$: Observable<unknown>, scheduler: VirtualTimeScheduler) => {
    const stop = new AbortController();
    const promise = run(items$, { scheduler, signals: [], stop: stop.signal, drainTimeoutMs: 300 });
    scheduler.schedule(() => stop.abort(), 10);
    scheduler.maxFrames = 1_000;
    return settle(promise, scheduler);
  };
  const ticks = (scheduler: VirtualTimeScheduler) => interval(5, scheduler);

  it.each<[string, (scheduler: VirtualTimeScheduler) => Observable<unknown>, string[]]>([
    [
      'a foreign one',
      (scheduler) => ticks(scheduler).pipe(...chain(slow(1, scheduler))),
      ['the source of boundedBuffer'],
    ],
    ['one without a stage', (scheduler) => ticks(scheduler), ['the source of the pipeline']],
    [
      'one behind untilStopped()',
      (scheduler) => ticks(scheduler).pipe(untilStopped(), ...chain(slow(1, scheduler))),
      [],
    ],
    [
      'one beside a source that did',
      (scheduler) => merge(endless(), ticks(scheduler)).pipe(...chain(slow(1, scheduler))),
      ['the source of boundedBuffer'],
    ],
    [
      'one in a branch',
      (scheduler) =>
        merge(endless().pipe(batch({ size: 3 })), ticks(scheduler).pipe(batch({ size: 2 }))).pipe(
          writeTo(slow(1, scheduler) as Sink<unknown>),
        ),
      ['the source of batch#2'],
    ],
    [
      'one that is subscribed again after a failure',
      (scheduler) => ticks(scheduler).pipe(retryWithJitter({ scheduler }), ...chain(slow(1, scheduler))),
      ['the source of retryWithJitter'],
    ],
    ['none, where a write hangs', () => endless().pipe(...chain({ name: 'stuck', write: () => NEVER })), []],
    [
      'none, where the sources of a stage have ended and those inside it hang',
      () => endless().pipe(boundedMergeMap(() => NEVER, { concurrency: 2 })),
      [],
    ],
  ])('is named, with the remedy: %s', async (_, make, unstopped) => {
    const scheduler = new VirtualTimeScheduler();
    const report = await stopAt(make(scheduler), scheduler);
    expect(report.unstopped).toEqual(unstopped);
    const text = formatReport(report);
    for (const source of unstopped) {
      expect(text).toContain(`${source} did not hear the request to stop: put untilStopped() directly behind it`);
    }
    expect(text.includes('untilStopped')).toBe(unstopped.length > 0);
  });
});
