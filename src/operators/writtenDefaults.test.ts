import { asyncScheduler, type OperatorFunction } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { letterBox } from '../../test/support/diversions.js';
import { gatedFrom, record } from '../../test/support/record.js';
import { CircuitBreaker } from '../policies/circuitBreaker.js';
import { batch } from './batch.js';
import { boundedBuffer } from './boundedBuffer.js';
import { boundedMergeMap } from './boundedMergeMap.js';
import { circuitBreaker } from './circuitBreaker.js';
import { conflate } from './conflate.js';
import { dedupe } from './dedupe.js';
import { divert } from './divert.js';
import { pace } from './pace.js';
import { retryWithJitter } from './retryWithJitter.js';
import { writeCoordinator } from './writeCoordinator.js';
import { writeTo } from './writeTo.js';

const scheduler = asyncScheduler;
const by = (n: number) => n;
const sink = { name: 'numbers', write: (items: readonly number[]) => [{ rows: items.length }] };
const window = { limit: 9, perMs: 100 };
const retry = { initialMs: 50, maxMs: 2_000, multiplier: 2, jitter: 'full' } as const;
const breaker = {
  window: { kind: 'count', size: 5 },
  minimumCalls: 5,
  failureRate: 1,
  slowCallRate: 1,
  openMs: 60_000,
  firstOpenMs: 1_000,
  halfOpenPermits: 1,
  halfOpenSuccesses: 1,
  maxHalfOpenMs: 60_000,
} as const;
const buffer = { capacity: 10_000, highWatermark: 0.8, lowWatermark: 0.5, overflow: 'fail' } as const;
const given = <C>(make: (defaults: C) => OperatorFunction<number, unknown>, defaults: C) =>
  [make as (defaults: never) => OperatorFunction<number, unknown>, defaults as Record<string, unknown>] as const;
const { deadLetters } = letterBox<number>();
const lone = batch<number>({ size: 1 });

/** Each operator with what it requires, and the defaults of all its other options as its documentation gives them. */
const OPERATORS = {
  batch: given((d) => batch({ size: 2, ...d }), { eager: false, maxBytes: Infinity, name: 'batch' }),
  boundedBuffer: given((d) => boundedBuffer(d), { ...buffer, name: 'boundedBuffer' }),
  boundedMergeMap: given((d) => boundedMergeMap((n) => [n], { concurrency: 1, ...d }), { onStop: 'finish' as const }),
  circuitBreaker: given((d) => circuitBreaker(new CircuitBreaker(), { whenOpen: 'wait', ...d }), {
    healthyAfterMs: 30_000,
    scheduler,
    name: 'circuitBreaker',
  }),
  conflate: given((d) => conflate({ by, ...d }), { maxKeys: 100_000, name: 'conflate' }),
  dedupe: given((d) => dedupe({ by, ...d }), { maxKeys: 100_000, scheduler, name: 'dedupe' }),
  divert: given((d) => divert({ to: deadLetters, when: () => false, ...d }), { concurrency: 64, name: 'divert' }),
  'pace by rate': given((d) => pace({ rate: 1_000, perMs: 1_000, ...d }), { burst: 1, scheduler, name: 'pace' }),
  'pace by profile': given((d) => pace({ profile: { windows: [window] }, ...d }), { scheduler, name: 'pace' }),
  'a window of pace': given((d) => pace({ profile: { windows: [{ ...window, ...d }] } }), { maxKeys: 100_000 }),
  retryWithJitter: given((d) => retryWithJitter(d), {
    ...retry,
    maxAttempts: 5,
    healthyAfterMs: 30_000,
    maxElapsedMs: Infinity,
    scheduler,
    name: 'retryWithJitter',
  }),
  writeTo: given((d) => (items$) => items$.pipe(lone, writeTo(sink, d)), {
    concurrency: 1,
    timeoutMs: Infinity,
    retry: false as const,
    breaker: false as const,
    whenTableRefuses: 'hold' as const,
    scheduler,
    name: 'writeTo',
  }),
  'retry of writeTo': given((d) => (items$) => items$.pipe(lone, writeTo(sink, { retry: d })), {
    ...retry,
    maxAttempts: 5,
  }),
  'breaker of writeTo': given((d) => (items$) => items$.pipe(lone, writeTo(sink, { breaker: d })), breaker),
  writeCoordinator: given((d) => writeCoordinator(sink, d), {
    ...buffer,
    workers: 4,
    batchSize: 500,
    lingerMs: 250,
    eager: true,
    name: 'numbers',
    policies: { timeoutMs: 30_000, retry: { ...retry, maxAttempts: 5 }, breaker },
  }),
};

describe('an option that is given its default', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const cases = Object.entries(OPERATORS).flatMap(([name, [make, defaults]]) =>
    [...Object.keys(defaults).map((option) => [option]), Object.keys(defaults)].map(
      (options) => [name, options.join(', '), make, defaults] as const,
    ),
  );
  it.each(cases)('changes nothing: %s { %s }', async (_, options, make, defaults) => {
    const written = Object.fromEntries(options.split(', ').map((option) => [option, defaults[option]]));
    const plain = record(gatedFrom([1, 2, 3]).pipe(make({} as never)));
    const spelled = record(gatedFrom([1, 2, 3]).pipe(make(written as never)));
    await vi.advanceTimersByTimeAsync(20);
    expect(plain.values.length).toBeGreaterThan(0);
    expect(spelled.values.length).toBe(plain.values.length);
    expect(spelled.error).toBe(plain.error);
  });
});
