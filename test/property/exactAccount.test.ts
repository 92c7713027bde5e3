import fc from 'fast-check';
import {
  defer,
  EMPTY,
  type MonoTypeOperatorFunction,
  merge,
  type Observable,
  type OperatorFunction,
  of,
  ReplaySubject,
  Subject,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { bufferCount, filter, finalize, map, mergeMap, take, tap } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { Gate } from '../../src/flow/gate.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import type { Stage } from '../../src/flow/stage.js';
import { withContext } from '../../src/flow/withContext.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { broadcast } from '../../src/operators/broadcast.js';
import { conflate } from '../../src/operators/conflate.js';
import { decode } from '../../src/operators/decode.js';
import { dedupe } from '../../src/operators/dedupe.js';
import { divert } from '../../src/operators/divert.js';
import { lanes } from '../../src/operators/lanes.js';
import { pace } from '../../src/operators/pace.js';
import { route } from '../../src/operators/route.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { coded } from '../support/errors.js';
import { holds } from './holds.js';

/** Items are numbers, each once: what became of every one of them can be told by itself. */
type Batch = readonly number[];

/** What a stage was seen to do, from outside: by a `tap` before it and one behind it, and by its fates. */
interface Seen {
  readonly took: number[];
  readonly gave: number[];
  readonly settled: Map<string, number[]>;
  /** Of a transform: what it was given to project, of which of that it has made nothing yet, and what its inner observables made. */
  projected?: number;
  working?: number;
  made?: number;
}

/** One pipeline with the naive account beside it. */
class Bench {
  readonly clock = new VirtualTimeScheduler();
  readonly seen = new Map<string, Seen>();
  readonly written: number[] = [];
  readonly letters: number[] = [];
  readonly filteredOut: number[] = [];
  readonly gate = new Gate();
  readonly monitor = new PipelineMonitor({
    observer: {
      fate: (stage, fate, reason, items) => {
        const { settled } = this.of(stage.name);
        const key = `${fate} ${reason}`;
        settled.set(key, [...(settled.get(key) ?? []), ...(items as number[])]);
      },
    },
  });

  of(stage: string): Seen {
    const seen = this.seen.get(stage) ?? { took: [], gave: [], settled: new Map() };
    this.seen.set(stage, seen);
    return seen;
  }

  /** `stage` between two spies. */
  watched(stage: string, operator: MonoTypeOperatorFunction<Batch>): MonoTypeOperatorFunction<Batch> {
    return (source) => source.pipe(this.before(stage), operator, this.behind(stage));
  }

  before<T>(stage: string): MonoTypeOperatorFunction<T> {
    return tap((value) => void this.of(stage).took.push(...([value].flat() as number[])));
  }

  behind<T>(stage: string): MonoTypeOperatorFunction<T> {
    return tap((value) => void this.of(stage).gave.push(...([value].flat() as number[])));
  }
}

interface Link {
  (bench: Bench, name: string): MonoTypeOperatorFunction<Batch>;
  /** It may turn anything into batches, and batches into anything: those above it are known only if `batch()` made them. */
  readonly isTransform?: boolean;
}

const small = fc.integer({ min: 1, max: 3 });
/** Where diverted batches go: nowhere at once, or somewhere in a while. */
const later = (bench: Bench, ms: number | undefined) => () => (ms === undefined ? EMPTY : timer(ms, bench.clock));
const delay = fc.option(fc.nat(9), { nil: undefined });

const MERGES: Record<string, ((older: Batch, newer: Batch) => Batch) | undefined> = {
  newest: undefined,
  concat: (older, newer) => [...older, ...newer],
  half: (older, newer) => [...older.slice(0, 1), ...newer],
};

const link: fc.Arbitrary<Link> = fc.oneof(
  fc.record({ capacity: small, overflow: fc.constantFrom('fail', 'dropOldest', 'dropIncoming') }).map(
    (config): Link =>
      (bench, name) =>
        bench.watched(name, boundedBuffer({ ...config, overflow: config.overflow as 'fail', name })),
  ),
  fc.record({ keys: small, maxKeys: small, how: fc.constantFrom(...Object.keys(MERGES)) }).map(
    ({ keys, maxKeys, how }): Link =>
      (bench, name) => {
        const merge = MERGES[how];
        const by = (items: Batch) => items[0]! % keys;
        return bench.watched(name, conflate({ by, maxKeys, name, ...(merge ? { merge } : {}) }));
      },
  ),
  fc.record({ keys: fc.integer({ min: 1, max: 20 }), maxKeys: small }).map(
    ({ keys, maxKeys }): Link =>
      (bench, name) =>
        bench.watched(name, dedupe({ by: (items) => items[0]! % keys, maxKeys, name, scheduler: bench.clock })),
  ),
  fc.record({ every: fc.integer({ min: 1, max: 4 }), concurrency: small, ms: delay }).map(
    ({ every, concurrency, ms }): Link =>
      (bench, name) => {
        const when = (items: Batch) => items[0]! % every === 0 && 'unwanted';
        return bench.watched(name, divert({ to: { append: later(bench, ms) }, when, concurrency, name }));
      },
  ),
  fc.record({ every: fc.integer({ min: 2, max: 4 }), ms: delay, now: fc.boolean() }).map(
    ({ every, ms, now }): Link =>
      (bench, name) => {
        const codec = {
          decode: (input: unknown) =>
            (input as Batch)[0]! % every === 0
              ? ({ _tag: 'Left', left: [] } as const)
              : ({ _tag: 'Right', right: input as Batch } as const),
        };
        return bench.watched(
          name,
          decode<Batch>(codec as never, { divertTo: now ? () => {} : later(bench, ms), name }) as never,
        );
      },
  ),
  fc.integer({ min: 2, max: 4 }).map(
    (every): Link =>
      (bench) =>
        filter((items) => {
          const passes = items[0]! % every !== 0;
          if (!passes) bench.filteredOut.push(...items);
          return passes;
        }),
  ),
  fc.record({ count: small, keyed: fc.boolean(), early: fc.boolean() }).map(
    ({ count, keyed, early }): Link =>
      (bench, name) =>
      (source) =>
        source.pipe(
          bench.before(name),
          lanes({ count, name, ...(keyed ? { by: (items: Batch) => items[0]! } : {}) }, (lane$, index) =>
            lane$.pipe(
              bench.behind(name),
              bench.watched(`${name}.buffer${index}`, boundedBuffer({ capacity: 1, name: `${name}.buffer${index}` })),
              early && index === 0 ? take(1) : map((items) => items),
            ),
          ),
        ),
  ),
  fc.record({ rate: small, perMs: fc.integer({ min: 1, max: 20 }) }).map(
    (config): Link =>
      (bench, name) =>
        bench.watched(name, pace({ ...config, name, scheduler: bench.clock })),
  ),
  fc.record({ concurrency: small, ms: delay, results: fc.constantFrom('same', 'none', 'single') }).map(
    ({ concurrency, ms, results }): Link =>
      Object.assign(
        (bench: Bench, name: string) => {
          const project = (items: Batch) => {
            const seen = bench.of(name);
            seen.projected = (seen.projected ?? 0) + items.length;
            seen.working = (seen.working ?? 0) + items.length;
            let left = items.length;
            const made = results === 'same' ? [items] : results === 'none' ? [] : items.map((item) => [item]);
            const result$ = ms === undefined ? of(...made) : timer(ms, bench.clock).pipe(mergeMap(() => made));
            return result$.pipe(
              tap((result) => {
                seen.made = (seen.made ?? 0) + result.length;
                seen.working! -= result.length;
                left -= result.length;
              }),
              finalize(() => {
                seen.working! -= left;
              }),
            );
          };
          return bench.watched(name, boundedMergeMap(project, { concurrency, name }));
        },
        { isTransform: true },
      ),
  ),
);

/** Stages that end by themselves while items wait above them. */
const endingLink: fc.Arbitrary<Link> = fc.oneof(
  { weight: 2, arbitrary: link },
  fc.record({ count: small, keyed: fc.boolean(), first: small, perMs: fc.integer({ min: 1, max: 20 }) }).map(
    ({ count, keyed, first, perMs }): Link =>
      (bench, name) =>
      (source) =>
        source.pipe(
          bench.before(name),
          lanes({ count, name, ...(keyed ? { by: (items: Batch) => items[0]! } : {}) }, (lane$, index) => {
            const inner = `${name}.pace${index}`;
            const paced = pace<Batch>({ rate: 1, perMs, name: inner, scheduler: bench.clock });
            return lane$.pipe(bench.behind(name), bench.watched(inner, paced), take(first + index));
          }),
        ),
  ),
  fc.record({ keys: small, maxKeys: small, first: small }).map(
    ({ keys, maxKeys, first }): Link =>
      (bench, name) =>
      (source) => {
        const by = (items: Batch) => items[0]! % keys;
        return source.pipe(bench.watched(name, conflate({ by, maxKeys, name })), take(first));
      },
  ),
);

/** Two chains for the batches: by their first item, or each of them for both. */
const fork: fc.Arbitrary<
  (bench: Bench, write: (name: string) => OperatorFunction<Batch, unknown>) => OperatorFunction<Batch, unknown>
> = fc.oneof(
  fc.constant((_: Bench, write: (name: string) => OperatorFunction<Batch, unknown>) => write('writer')),
  fc.constant(
    (bench: Bench, write: (name: string) => OperatorFunction<Batch, unknown>) => (source: Observable<Batch>) =>
      source.pipe(
        bench.before('route'),
        route((items: Batch) => (items[0]! % 2 === 0 ? 'even' : 'odd'), {
          even: (even$: Observable<Batch>) => even$.pipe(bench.behind('route'), write('writer')),
          odd: (odd$: Observable<Batch>) => odd$.pipe(bench.behind('route'), write('other')),
        }),
      ),
  ),
  fc.constant((_: Bench, write: (name: string) => OperatorFunction<Batch, unknown>) => (source: Observable<Batch>) => {
    const shared$ = source.pipe(broadcast({ branches: 2 }));
    return merge(shared$.pipe(write('writer')), shared$.pipe(write('other')));
  }),
);

type Action =
  | { readonly push: number }
  | { readonly ms: number }
  | 'open'
  | 'close'
  | 'complete'
  | 'fail'
  | 'stop'
  | 'leave';

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 30 }).map((push) => ({ push })) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }).map((ms) => ({ ms })) },
  { weight: 3, arbitrary: fc.constantFrom('open' as const, 'close' as const) },
  { weight: 1, arbitrary: fc.constantFrom('complete' as const, 'fail' as const, 'stop' as const, 'leave' as const) },
);

/** The law for one stage, against what was seen of it. */
function checkStage(stage: Stage, seen: Seen): void {
  const label = stage.name;
  const kept = stage.held + stage.abandoned;
  expect(stage.conservation, label).toBe(0);
  expect(stage.in, `${label} in`).toBe(seen.took.length);
  if (stage.role !== 'writer') expect(stage.out, `${label} out`).toBe(seen.gave.length);
  const settled = [...seen.settled.values()].flat();
  for (const [key, items] of seen.settled) {
    const [fate, reason = ''] = key.split(' ');
    const counted =
      fate === 'written' ? stage.written : (fate === 'dropped' ? stage.dropped : stage.divertedBy).get(reason);
    expect(counted, `${label} ${key}`).toBe(items.length);
  }
  expect(stage.written + stage.diverted + stage.droppedTotal, `${label} named`).toBe(settled.length);
  if (stage.role === 'transform') {
    const { took, gave, projected = 0, working = 0, made = 0 } = seen;
    // When it is torn down its inner observables end, and what they worked on is abandoned.
    if (stage.isLive) {
      const held = took.length - projected + working + made - gave.length - settled.length;
      expect(stage.held, `${label} held`).toBe(held);
    }
    return;
  }
  // Each item that came in is in one place: handed on, settled for one reason, or still there.
  const gone = new Set([...settled, ...(stage.role === 'writer' ? [] : seen.gave)]);
  const took = new Set(seen.took);
  for (const item of gone) expect(took.has(item), `${label}: ${item} came in`).toBe(true);
  expect(kept, `${label} held`).toBe(took.size - gone.size);
}

describe('the account is exact', () => {
  const totals = new Map<string, number>();

  const exactWith = (links: fc.Arbitrary<Link[]>, atMost: fc.Arbitrary<number>) =>
    fc.property(
      fc.noBias(
        fc.record({
          size: fc.integer({ min: 1, max: 5 }),
          foreign: fc.boolean(),
          writes: fc.constantFrom('writer', 'writer', 'writer', 'nobody'),
          ms: fc.integer({ min: 1, max: 40 }),
          poison: fc.integer({ min: 5, max: 60 }),
          failAt: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined, freq: 3 }),
          diverts: fc.boolean(),
        }),
      ),
      links,
      fork,
      fc.noBias(fc.array(action, { minLength: 1, maxLength: 20, size: 'max' })),
      atMost,
      ({ size, foreign, writes, ms, poison, failAt, diverts }, links, fork, actions, atMost) => {
        const bench = new Bench();
        const { clock, monitor, gate } = bench;
        const source = new Subject<number>();
        const stopping = new ReplaySubject<void>(1);
        let attempts = 0;
        const isTransformed = links.some(({ isTransform }) => isTransform);
        const isUnended = writes === 'nobody';
        const sink = (name: string) => ({
          name,
          write: (items: Batch) =>
            defer(() => {
              attempts += 1;
              if (attempts === failAt) return throwError(() => coded('42P01', 'gone'));
              if (items.some((n) => n % poison === 0)) {
                return throwError(() => coded('22P02', 'bad'));
              }
              return timer(ms, clock).pipe(map(() => ({ rows: items.length })));
            }),
        });
        const letters = diverts ? { deadLetters: { append: () => timer(3, clock) } } : {};
        const write = (name: string) => (batches$: Observable<Batch>) =>
          isUnended
            ? batches$.pipe(tap((items) => void bench.written.push(...items)))
            : batches$.pipe(bench.before(name), writeTo(sink(name), { name, scheduler: clock, ...letters }));
        const collect: OperatorFunction<number, Batch> =
          foreign && !isUnended && !isTransformed
            ? bufferCount(size)
            : (items$) => items$.pipe(bench.before('batch'), batch({ size }), bench.behind('batch'));
        const chain = links
          .reduce((batches$, link, index) => batches$.pipe(link(bench, `stage${index}`)), source.pipe(collect))
          .pipe(take(atMost));
        let got = 0;
        const subscription = chain.pipe(fork(bench, write), withContext({ monitor, gate, stopping })).subscribe({
          next: (value) => {
            if (isUnended) got += (value as Batch).length;
          },
          error: () => {},
        });

        let next = 1;
        let receivedBefore = 0;
        for (const action of actions) {
          if (action === 'open') gate.open();
          else if (action === 'close') gate.close();
          else if (action === 'complete') source.complete();
          else if (action === 'fail') source.error(new Error('line cut'));
          else if (action === 'stop') stopping.next();
          else if (action === 'leave') subscription.unsubscribe();
          else if ('push' in action) for (let i = 0; i < action.push; i++) source.next(next++);
          else {
            clock.maxFrames = clock.frame + action.ms;
            clock.flush();
          }
          for (const stage of monitor.stages) {
            const seen = bench.seen.get(stage.name);
            if (seen) checkStage(stage, seen);
            else expect(stage.conservation, stage.name).toBe(0);
          }
          const account = monitor.account();
          const dropped = Object.values(account.dropped).reduce((sum, count) => sum + count, 0);
          const { received, written, diverted, filtered, delivered, held } = account;
          expect(received).toBe(written + diverted + dropped + filtered + delivered + held);
          expect(received).toBeGreaterThanOrEqual(receivedBefore);
          receivedBefore = received;
          expect(delivered).toBe(got);
        }
        for (const [name, { settled }] of bench.seen) {
          for (const [key, items] of settled) {
            const kind = name.startsWith('stage') ? key : `writer ${key}`;
            totals.set(kind, (totals.get(kind) ?? 0) + items.length);
          }
        }
      },
    );

  it('by stage and by reason at every quiet moment, whatever is between the batches and the writers', () => {
    const links = fc.noBias(fc.array(link, { maxLength: 4, size: 'max' }));
    const property = exactWith(links, fc.constant(Number.POSITIVE_INFINITY));
    holds('the account is exact', property, { seed: 8, numRuns: 300 });
    // The scenarios were not idle.
    const seen = [
      ...['dropped conflated', 'dropped duplicate', 'dropped dropOldest', 'dropped dropIncoming'],
      ...['dropped branchEnded', 'diverted unwanted', 'diverted decode'],
      ...['writer written undefined', 'writer diverted poison', 'writer diverted fatal'],
    ];
    for (const key of seen) expect(totals.get(key) ?? 0, key).toBeGreaterThan(3);
    expect(totals.get('dropped overflow')).toBeGreaterThan(1);
  });

  it('where stages end by themselves while items wait', () => {
    const links = fc.noBias(fc.array(endingLink, { minLength: 1, maxLength: 3, size: 'max' }));
    const property = exactWith(links, fc.noBias(fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY)));
    holds('the account is exact where stages end', property, { seed: 12, numRuns: 300 });
  });
});
