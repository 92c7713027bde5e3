import {
  asyncScheduler,
  buffer,
  bufferCount,
  bufferTime,
  bufferToggle,
  bufferWhen,
  concat,
  concatAll,
  concatMap,
  delay,
  delayWhen,
  EMPTY,
  expand,
  filter,
  groupBy,
  interval,
  map,
  merge,
  mergeAll,
  mergeMap,
  mergeScan,
  NEVER,
  type Observable,
  type OperatorFunction,
  observeOn,
  of,
  retry,
  Subject,
  scheduled,
  switchMap,
  timer,
  toArray,
  windowTime,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gatedFrom, record, upTo } from '../../test/support/record.js';
import { batch } from '../operators/batch.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { boundedMergeMap } from '../operators/boundedMergeMap.js';
import { dedupe } from '../operators/dedupe.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { writeTo } from '../operators/writeTo.js';
import { run } from '../pipelines/run.js';
import { memorySink } from '../sinks/memorySink.js';
import { Gate } from './gate.js';
import { PipelineMonitor } from './monitor.js';
import { withContext } from './withContext.js';

type Stock = OperatorFunction<number, unknown>;

const later = (n: number) => timer(5).pipe(map(() => n));

/** Everything that holds items of its source without a bound, with the remedy that is named. */
const HOLDING: readonly (readonly [string, Stock, RegExp])[] = [
  ['mergeMap to promises', mergeMap(async (n) => n), /^mergeMap.*boundedMergeMap/],
  ['mergeMap to timers', mergeMap(later), /^mergeMap.*boundedMergeMap/],
  ['mergeMap of limited concurrency', mergeMap(later, 2), /^mergeMap.*boundedMergeMap/],
  ['concatMap', concatMap(later), /^mergeMap.*boundedMergeMap/],
  ['mergeAll', (source$) => source$.pipe(map(later), mergeAll()), /^mergeMap.*boundedMergeMap/],
  ['concatAll', (source$) => source$.pipe(map(later), concatAll()), /^mergeMap.*boundedMergeMap/],
  ['mergeScan', mergeScan((sum: number, n: number) => later(sum + n), 0), /^mergeScan.*boundedMergeMap/],
  ['expand', expand((n) => (n < 100 ? later(n + 100) : EMPTY)), /^expand.*boundedMergeMap/],
  ['delay', delay(5), /^mergeMap.*boundedMergeMap/],
  ['delayWhen', delayWhen(() => timer(5)), /^mergeMap.*boundedMergeMap/],
  ['observeOn', observeOn(asyncScheduler), /^observeOn.*give the source the scheduler/],
  ['scheduled', (source$) => scheduled(source$, asyncScheduler), /^subscribeOn.*leave scheduled\(\) out/],
  ['buffer', buffer(interval(5)), /^buffer .*batch\(/],
  ['bufferTime', bufferTime(5), /^bufferTime.*batch\(/],
  ['bufferWhen', bufferWhen(() => timer(5)), /^bufferWhen.*batch\(/],
  ['bufferToggle', bufferToggle(interval(5), () => timer(5)), /^bufferToggle.*batch\(/],
  [
    'windowTime and toArray',
    (source$) =>
      source$.pipe(
        windowTime(5),
        mergeMap((window$) => window$.pipe(toArray())),
      ),
    /^windowTime.*batch\(/,
  ],
  [
    'groupBy and toArray',
    (source$) =>
      source$.pipe(
        groupBy((n) => n % 2, { duration: () => timer(5) }),
        mergeMap((group$) => group$.pipe(toArray())),
      ),
    /^groupBy.*lanes\(/,
  ],
  [
    'behind others',
    (source$) =>
      source$.pipe(
        map(String),
        mergeMap(async (n) => n),
        filter(Boolean),
      ),
    /^mergeMap/,
  ],
  ['in one of several sources', (source$) => merge(NEVER, source$.pipe(mergeMap(async (n) => n))), /^mergeMap/],
];

/** What passes everything on at once, or holds as much as it is told to. */
const PASSING: Readonly<Record<string, Stock>> = {
  'mergeMap to arrays': mergeMap((n) => [n, n]),
  'concatMap to what is there': concatMap((n) => of(n)),
  concat: (source$) => concat(source$, of(1)),
  merge: (source$) => merge(interval(5), source$),
  'merge of one that is late': (source$) => merge(later(1), source$),
  switchMap: switchMap((n) => of(n)),
  bufferCount: bufferCount(3),
  groupBy: (source$) =>
    source$.pipe(
      groupBy((n) => n % 2),
      mergeMap((group$) => group$.pipe(map((n) => n + 1))),
    ),
  'windowTime and mergeAll': (source$) => source$.pipe(windowTime(5), mergeAll()),
  'inner sources that obey': concatMap((n) => gatedFrom([n, n])),
  retry: retry(2),
  boundedMergeMap: boundedMergeMap(later, { concurrency: 2 }),
};

let warnings: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  warnings = [];
  vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

let names = 0;

/** `stock` above a buffer that a closed gate keeps full, with a name that has not been warned of. */
function above(stock: Stock, { count = 60, capacity = 20, endless = true } = {}) {
  const monitor = new PipelineMonitor();
  const gate = new Gate('closed');
  const name = `buffer${names++}`;
  const source$ = endless ? concat(gatedFrom(upTo(count)), NEVER) : gatedFrom(upTo(count));
  const result = record(source$.pipe(stock, boundedBuffer({ capacity, name }), withContext({ gate, monitor })));
  return { monitor, gate, name, result };
}

describe('an operator of RxJS that holds items without a bound', () => {
  it.each(HOLDING)(
    'causes a warning when it is subscribed, or with the first items that it holds: %s',
    async (_, stock, remedy) => {
      const { name } = above(stock, { capacity: 1_000 });
      await vi.advanceTimersByTimeAsync(20);
      const told = warnings.filter((warning) => warning.includes(name));
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(remedy);
    },
  );

  it.each(Object.entries(PASSING))('causes no warning where it is %s', async (_, stock) => {
    above(stock, { count: 10, capacity: 100 });
    await vi.advanceTimersByTimeAsync(20);
    expect(warnings).toEqual([]);
  });

  it('causes one warning, however often it is subscribed', async () => {
    const source$ = gatedFrom([1, 2]).pipe(
      mergeMap(async (n) => n),
      boundedBuffer({ name: 'again' }),
    );
    for (let n = 0; n < 5; n++) record(source$);
    await vi.advanceTimersByTimeAsync(1);
    expect(warnings).toHaveLength(1);
  });

  it('causes its warning before the first item where it holds whatever it is given', () => {
    above(bufferTime(5), { count: 0 });
    above(observeOn(asyncScheduler), { count: 0 });
    expect(warnings).toHaveLength(2);
  });

  it('is named by the error, with the remedy, instead of a source that does not obey', async () => {
    for (const below of [[], [dedupe<number>({ by: (n) => n })]] as OperatorFunction<number, number>[][]) {
      const gate = new Gate('closed');
      const stages: Observable<number> = below.reduce(
        (source$, stage) => source$.pipe(stage),
        gatedFrom(upTo(60)).pipe(mergeMap(async (n) => n)),
      );
      const result = record(stages.pipe(boundedBuffer({ capacity: 20 }), withContext({ gate })));
      await vi.advanceTimersByTimeAsync(1);
      gate.open();
      const { message } = result.error as Error;
      expect(message).toContain('mergeMap above it holds items without a bound');
      expect(message).toContain('boundedMergeMap(');
      expect(message).not.toContain('does not obey');
    }
  });

  it('is named by the error of a stage that is no buffer', async () => {
    const gate = new Gate('closed');
    const result = record(
      gatedFrom(upTo(2_000)).pipe(
        mergeMap(async (n) => n),
        batch({ size: 10 }),
        withContext({ gate }),
      ),
    );
    await vi.advanceTimersByTimeAsync(1);
    gate.open();
    expect((result.error as Error).message).toContain('use boundedMergeMap(project, { concurrency })');
  });

  it.each<[string, OperatorFunction<number, unknown>]>([
    ['a buffer', boundedBuffer({ capacity: 4 })],
    ['a batch', batch({ size: 4 })],
  ])('is named with lanes() where each group has %s, whose gate the source does not hear', (_, stage) => {
    const gate = new Gate('closed');
    const grouped = mergeMap((group$: Observable<number>) => group$.pipe(stage, withContext({ gate })));
    const result = record(
      gatedFrom(upTo(9_000)).pipe(
        groupBy((n) => n % 2),
        grouped,
      ),
    );
    gate.open();
    expect((result.error as Error).message).toMatch(/lanes\(\) instead of groupBy\(\)/);
  });

  it('is not blamed for a Subject', () => {
    const source = new Subject<number>();
    const gate = new Gate('closed');
    const result = record(source.pipe(boundedBuffer({ capacity: 2 }), withContext({ gate })));
    for (const n of upTo(4)) source.next(n);
    gate.open();
    expect((result.error as Error).message).toContain('Its source does not obey the gate');
    expect((result.error as Error).message).not.toContain('If its source does obey');
  });
});

describe('what such an operator had when its pipeline broke', () => {
  it.each(HOLDING.filter(([name]) => !name.startsWith('expand')))('is lost, and not filtered: %s', async (_, stock) => {
    const { monitor, result } = above(stock, { capacity: 4 });
    await vi.advanceTimersByTimeAsync(1);
    result.subscription.unsubscribe();
    const { received, held, filtered, delivered, dropped, conservation } = monitor.account();
    expect({ filtered, delivered, conservation }).toEqual({ filtered: 0, delivered: 0, conservation: 0 });
    expect(held + Object.values(dropped).reduce((sum, n) => sum + n, 0)).toBe(received);
    expect(held).toBeGreaterThan(0);
  });

  it('is told from what it made arrays of, which count as one item each where nobody writes them', async () => {
    const { monitor, gate, result } = above(bufferTime(5));
    gate.open();
    await vi.advanceTimersByTimeAsync(6);
    result.subscription.unsubscribe();
    expect(monitor.account()).toMatchObject({ received: 60, delivered: 1, filtered: 59, held: 0, conservation: 0 });
  });

  it('is exact where its arrays are written', async () => {
    const monitor = new PipelineMonitor();
    const late$ = timer(6).pipe(switchMap(() => gatedFrom(upTo(10))));
    const source$ = concat(gatedFrom(upTo(60)), late$, NEVER);
    const result = record(source$.pipe(bufferTime(5), writeTo(memorySink<number>()), withContext({ monitor })));
    await vi.advanceTimersByTimeAsync(8);
    result.subscription.unsubscribe();
    expect(monitor.account()).toMatchObject({ received: 70, written: 60, filtered: 0, held: 10, conservation: 0 });
  });

  it('is lost where nothing at all has come out of it', () => {
    const { monitor, name, result } = above(mergeMap(() => NEVER));
    result.subscription.unsubscribe();
    const heldAbove = { [name]: 60 };
    expect(monitor.account()).toMatchObject({ received: 60, held: 60, heldAbove, filtered: 0, conservation: 0 });
  });

  it('is named in the report of a run', async () => {
    const source$ = concat(gatedFrom(upTo(5_000)), NEVER);
    const stuck = { name: 'stuck', write: () => NEVER };
    const coordinator = writeCoordinator<number>(stuck, { capacity: 4, name: 'writer' });
    const stop = new AbortController();
    const promised = mergeMap(async (n: number) => n);
    const end = run(source$.pipe(promised, coordinator), {
      signals: [],
      stop: stop.signal,
      drainTimeoutMs: 10,
    });
    await vi.advanceTimersByTimeAsync(10);
    stop.abort();
    await vi.advanceTimersByTimeAsync(2_000);
    const report = await end;
    expect(Object.keys(report.heldBy)).toContain('above untilStopped');
    expect(warnings).toEqual([expect.stringContaining('mergeMap above writer holds items')]);
    expect(Object.values(report.heldBy).reduce((sum, held) => sum + held, 0)).toBe(report.held);
  });

  it('is filtered where it has completed, because then nothing is left in it', async () => {
    const stock: Stock = mergeMap((n) => (n % 3 === 0 ? later(n) : EMPTY));
    const { monitor, gate, result } = above(stock, { capacity: 100, endless: false });
    gate.open();
    await vi.advanceTimersByTimeAsync(10);
    expect(result.completed).toBe(true);
    expect(monitor.account()).toMatchObject({ received: 60, delivered: 20, filtered: 40, held: 0, conservation: 0 });
  });
});
