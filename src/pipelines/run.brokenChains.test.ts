import { EventEmitter } from 'node:events';
import {
  connect,
  defer,
  map,
  merge,
  NEVER,
  Observable,
  type OperatorFunction,
  Subject,
  share,
  shareReplay,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { letterBox } from '../../test/support/diversions.js';
import { naturals } from '../../test/support/sources.js';
import type { Sink } from '../contracts/sink.js';
import { withContext } from '../flow/withContext.js';
import { boundedBuffer } from '../operators/boundedBuffer.js';
import { writeCoordinator } from '../operators/writeCoordinator.js';
import { run, type SignalEmitter } from './run.js';

const handMade =
  <T>(): OperatorFunction<T, T> =>
  (source) =>
    new Observable((destination) => {
      const subscription = source.subscribe({
        next: (item) => destination.next(item),
        error: (error) => destination.error(error),
        complete: () => destination.complete(),
      });
      return () => subscription.unsubscribe();
    });

/** What hides the context of what is downstream. */
const breaks: Record<string, <T>() => OperatorFunction<T, T>> = {
  'a hand-made Observable': handMade,
  'share()': share,
  'shareReplay({ refCount })': () => shareReplay({ bufferSize: 1, refCount: true }),
  'connect()': () => connect((shared$) => shared$),
  'both, and a context between them': () => (source) => source.pipe(share(), withContext({}), handMade()),
};

const hangs: Sink<number> = { name: 'hangs', write: () => NEVER };
const works = (scheduler: VirtualTimeScheduler): Sink<number> => ({
  name: 'works',
  write: (items) => timer(5, scheduler).pipe(map(() => ({ rows: items.length }))),
});

describe.each(Object.entries(breaks))('run() of a pipeline with %s', (_, broken) => {
  const places: Record<string, (sink: Sink<number>, options: object) => Observable<unknown>> = {
    'at the bottom': (sink, options) => endless().pipe(writeCoordinator(sink, options), broken()),
    'above the writer': (sink, options) => endless().pipe(broken(), writeCoordinator(sink, options)),
    'above a buffer and at the bottom': (sink, options) =>
      endless().pipe(broken(), boundedBuffer({ capacity: 50 }), broken(), writeCoordinator(sink, options), broken()),
  };
  const endless = () => naturals();
  const coordinated = { batchSize: 10, workers: 2, capacity: 100 };

  it.each(Object.entries(places))('%s drains, and its account is whole', async (_, build) => {
    const scheduler = new VirtualTimeScheduler();
    const emitter = new EventEmitter();
    const promise = run(build(works(scheduler), coordinated), {
      scheduler,
      emitter: emitter as unknown as SignalEmitter,
    });
    scheduler.schedule(() => emitter.emit('SIGTERM', 'SIGTERM'), 23);
    scheduler.flush();
    const report = await promise;
    expect(report).toMatchObject({ outcome: 'drained', held: 0, filtered: 0, conservation: 0 });
    expect(report.written).toBe(report.received);
    expect(report.written).toBeGreaterThan(80);
  });

  it.each(Object.entries(places))(
    '%s loses nothing where the sink hangs and there are dead letters',
    async (_, build) => {
      const scheduler = new VirtualTimeScheduler();
      const emitter = new EventEmitter();
      const { deadLetters, letters } = letterBox();
      const promise = run(build(hangs, { ...coordinated, policies: { deadLetters } }), {
        scheduler,
        emitter: emitter as unknown as SignalEmitter,
        drainTimeoutMs: 3_000,
      });
      scheduler.schedule(() => emitter.emit('SIGTERM', 'SIGTERM'), 23);
      scheduler.flush();
      const report = await promise;
      expect(report).toMatchObject({ outcome: 'drained', written: 0, held: 0, filtered: 0, conservation: 0 });
      expect(report.received).toBeGreaterThan(80);
      const items = letters.flatMap((letter) => letter.items).sort((a, b) => a - b);
      expect(items).toEqual(Array.from({ length: report.received }, (_, n) => n));
    },
  );
});

describe('a pipeline that a callback of another starts', () => {
  it('is its own: it neither waits, nor counts, nor drains with the other', async () => {
    const scheduler = new VirtualTimeScheduler();
    const emitter = new EventEmitter();
    const seen: number[] = [];
    const items = new Subject<number>();
    let ended = false;
    const started$ = defer(() => {
      naturals(500)
        .pipe(boundedBuffer({ capacity: 10 }))
        .subscribe((n) => seen.push(n));
      merge(items, naturals(1))
        .pipe(boundedBuffer({ capacity: 10 }))
        .subscribe({ complete: () => (ended = true) });
      return naturals();
    });
    const promise = run(started$.pipe(writeCoordinator(hangs, { batchSize: 10, capacity: 50 })), {
      scheduler,
      emitter: emitter as unknown as SignalEmitter,
      drainTimeoutMs: 100,
    });
    expect(seen).toHaveLength(500);
    scheduler.schedule(() => emitter.emit('SIGTERM', 'SIGTERM'), 10);
    scheduler.flush();
    const report = await promise;
    expect(report.stages.filter(({ kind }) => kind === 'naturals')).toHaveLength(1);
    expect(report.received).toBe(report.held);
    expect(ended).toBe(false);
  });
});
