import * as t from 'io-ts';
import { EMPTY, type MonoTypeOperatorFunction, map, type Observable, of, timer } from 'rxjs';
import type { WriteOutcome } from '../../src/contracts/sink.js';
import type { Gap } from '../../src/market/gap.js';
import { batch } from '../../src/operators/batch.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { boundedMergeMap } from '../../src/operators/boundedMergeMap.js';
import { broadcast } from '../../src/operators/broadcast.js';
import { circuitBreaker } from '../../src/operators/circuitBreaker.js';
import { conflate } from '../../src/operators/conflate.js';
import { decode } from '../../src/operators/decode.js';
import { dedupe } from '../../src/operators/dedupe.js';
import { detectGaps } from '../../src/operators/detectGaps.js';
import { divert } from '../../src/operators/divert.js';
import { lanes } from '../../src/operators/lanes.js';
import { pace } from '../../src/operators/pace.js';
import { retryWithJitter } from '../../src/operators/retryWithJitter.js';
import { route } from '../../src/operators/route.js';
import { untilStopped } from '../../src/operators/untilStopped.js';
import { watchdog } from '../../src/operators/watchdog.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { writeTo } from '../../src/operators/writeTo.js';
import { CircuitBreaker } from '../../src/policies/circuitBreaker.js';
import type { MarketCalendar } from '../../src/policies/marketCalendar.js';
import { SharedPacer } from '../../src/policies/sharedPacer.js';
import {
  type ConformanceTest,
  type OperatorRuleId,
  type OperatorSubject,
  operatorConformance,
  slowSink,
} from '../../src/testing/index.js';

const NO_CALLBACKS = {
  'OP-4.1': 'it takes no callback',
  'OP-4.2': 'it takes no callback',
} as const;

const index = (n: number) => n;

const byThree = (n: number) => n % 3;

const thousandfold = (n: number) => n * 1_000;

const OF_NUMBERS = {
  by: () => 'one',
  time: index,
  series: () => ({ vendor: 'own', symbol: 'one', of: 'number' }),
};

interface Tick {
  readonly kind: 'odd' | 'even';
  readonly n: number;
}

const tick = (n: number): Tick => ({ kind: n % 2 === 0 ? 'even' : 'odd', n });

/** Fails at the first item. */
const failing: MonoTypeOperatorFunction<number> = (source) =>
  source.pipe(
    map((): never => {
      throw new Error('of the source');
    }),
  );

const everyOtherHalfHour: MarketCalendar = {
  isOpen: (at) => at % 3_600_000 < 1_800_000,
  nextChange: (at) => (Math.floor(at / 1_800_000) + 1) * 1_800_000,
};

const outcomeItems = (outcome: WriteOutcome<number>) => outcome.items;

function subject<I, O>(
  given: OperatorSubject<I, O, OperatorRuleId>,
): {
  readonly name: string;
  readonly tests: readonly ConformanceTest[];
} {
  return { name: given.name, tests: operatorConformance(given) };
}

/** Every file of src/operators, with at least one subject that is held to the rules. */
export const operators: Readonly<Record<string, readonly ReturnType<typeof subject>[]>> = {
  boundedBuffer: [
    subject<number, number>({
      name: 'boundedBuffer',
      make: () => boundedBuffer({ capacity: 8 }),
      item: index,
      throwing: [
        {
          callback: 'onDrop',
          make: (onDrop) => boundedBuffer({ capacity: 2, overflow: 'dropOldest', onDrop }),
        },
        {
          callback: 'onDrop (dropIncoming)',
          make: (onDrop) => boundedBuffer({ capacity: 2, overflow: 'dropIncoming', onDrop }),
        },
      ],
    }),
    subject<number, number>({
      name: 'boundedBuffer of one item',
      make: () => boundedBuffer({ capacity: 1 }),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  batch: [
    subject<number, readonly number[]>({
      name: 'batch with a linger',
      make: () => batch({ size: 3, lingerMs: 5 }),
      item: index,
      itemsOf: (items) => items,
      throwing: [{ callback: 'sizeOf', make: (sizeOf) => batch({ size: 2, maxBytes: 10, sizeOf }) }],
    }),
    subject<number, readonly number[]>({
      name: 'batch, eager',
      make: () => batch({ size: 3, eager: true }),
      item: index,
      itemsOf: (items) => items,
      notApplicable: NO_CALLBACKS,
    }),
    subject<number, readonly number[]>({
      name: 'batch by bytes',
      make: () => batch({ size: 4, maxBytes: 9, sizeOf: (item) => 1 + (item % 5), lingerMs: 3 }),
      item: index,
      itemsOf: (items) => items,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  boundedMergeMap: [
    subject<number, number>({
      name: 'boundedMergeMap of synchronous work',
      make: () => boundedMergeMap((item) => of(item), { concurrency: 2 }),
      item: index,
      throwing: [{ callback: 'project', make: (project) => boundedMergeMap(project, { concurrency: 2 }) }],
    }),
    subject<number, number>({
      name: 'boundedMergeMap of slow work',
      make: () => boundedMergeMap((item) => timer(1 + (item % 3)).pipe(map(() => item)), { concurrency: 3 }),
      item: index,
      orderBy: (item) => item,
      throwing: [
        {
          callback: 'the work',
          make: (thrower) => boundedMergeMap(() => timer(1).pipe(map(thrower)), { concurrency: 2 }),
        },
      ],
    }),
  ],
  lanes: [
    subject<number, number>({
      name: 'lanes by key',
      make: () => lanes({ count: 3, by: index }, (lane$) => lane$),
      item: index,
      throwing: [
        { callback: 'by', make: (by) => lanes({ count: 2, by }, (lane$) => lane$) },
        { callback: 'project', make: (project) => lanes({ count: 2 }, project) },
        { callback: 'a lane', make: (thrower) => lanes({ count: 2 }, (lane$) => lane$.pipe(map(thrower))) },
      ],
    }),
    subject<number, number>({
      name: 'lanes with buffers',
      make: () => lanes({ count: 3, by: byThree }, (lane$) => lane$.pipe(boundedBuffer({ capacity: 2 }))),
      item: index,
      orderBy: (item) => byThree(item as number),
      notApplicable: NO_CALLBACKS,
    }),
    subject<number, number>({
      name: 'lanes without a key',
      make: () => lanes({ count: 3 }, (lane$) => lane$.pipe(boundedBuffer({ capacity: 2 }))),
      item: index,
      orderBy: (item) => item,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  broadcast: [
    subject<number, number>({
      name: 'broadcast to one branch',
      make: () => broadcast({ branches: 1 }),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  circuitBreaker: [
    subject<number, number>({
      name: 'circuitBreaker',
      make: () => circuitBreaker(new CircuitBreaker(), { whenOpen: 'wait', healthyAfterMs: 5 }),
      item: index,
      throwing: [
        {
          callback: 'classify',
          make: (classify) => (source) =>
            source.pipe(failing, circuitBreaker(new CircuitBreaker(), { whenOpen: 'wait', classify })),
        },
      ],
    }),
    subject<number, number>({
      name: 'circuitBreaker that fails',
      make: () => circuitBreaker(new CircuitBreaker(), { whenOpen: 'fail' }),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  conflate: [
    subject<number, number>({
      name: 'conflate of few keys',
      make: () => conflate({ by: index, maxKeys: 8 }),
      item: index,
      throwing: [
        { callback: 'by', make: (by) => conflate<number>({ by }) },
        { callback: 'merge', make: (merge) => conflate<number>({ by: () => 'one', merge }) },
      ],
    }),
  ],
  decode: [
    subject<unknown, number>({
      name: 'decode',
      make: () => decode(t.number, { divertTo: () => {} }),
      item: index,
      throwing: [
        {
          callback: 'codec.decode',
          make: (decodeWith) => decode({ decode: decodeWith }, { divertTo: () => {} }),
        },
        { callback: 'divertTo', make: (divertTo) => decode<number>(t.never, { divertTo }) },
        {
          callback: 'the diversion',
          make: (thrower) => decode<number>(t.never, { divertTo: () => timer(1).pipe(map(thrower)) }),
        },
      ],
    }),
  ],
  dedupe: [
    subject<number, number>({
      name: 'dedupe',
      make: () => dedupe({ by: index, windowMs: 10, maxKeys: 5 }),
      item: index,
      throwing: [{ callback: 'by', make: (by) => dedupe<number>({ by }) }],
    }),
  ],
  detectGaps: [
    subject<number, number | Gap>({
      name: 'detectGaps of a series without holes',
      make: () => detectGaps({ ...OF_NUMBERS, sequence: index, whenLower: 'restart' }),
      item: index,
      throwing: [
        { callback: 'by', make: (by) => detectGaps({ ...OF_NUMBERS, sequence: index, by }) },
        { callback: 'sequence', make: (sequence) => detectGaps({ ...OF_NUMBERS, sequence }) },
        { callback: 'time', make: (time) => detectGaps({ ...OF_NUMBERS, sequence: index, time }) },
        { callback: 'series', make: (series) => detectGaps({ ...OF_NUMBERS, sequence: index, series }) },
        {
          callback: 'calendar.isOpen',
          make: (isOpen) =>
            detectGaps({
              ...OF_NUMBERS,
              staleAfterMs: 1,
              calendar: { ...everyOtherHalfHour, isOpen },
              time: thousandfold,
            }),
        },
      ],
    }),
    subject<number, number | Gap>({
      name: 'detectGaps with a hole before every item',
      make: () => detectGaps({ ...OF_NUMBERS, sequence: thousandfold, whenLower: 'late' }),
      item: index,
      itemsOf: (output) => (typeof output === 'number' ? [output] : []),
      notApplicable: {
        ...NO_CALLBACKS,
        'OP-8.1': 'its gap records are in the account too',
        'OP-8.2': 'its gap records are in the account too',
      },
    }),
  ],
  divert: [
    subject<number, number>({
      name: 'divert',
      make: () => divert({ to: { append: () => EMPTY }, when: () => false }),
      item: index,
      throwing: [
        { callback: 'when', make: (when) => divert({ to: { append: () => EMPTY }, when }) },
        { callback: 'to.append', make: (append) => divert({ to: { append }, when: () => true }) },
        {
          callback: 'a letter',
          make: (thrower) =>
            divert({ to: { append: () => timer(1).pipe(map(thrower)) }, when: () => true, concurrency: 2 }),
        },
      ],
    }),
    // What is diverted is no output: only that the rest keeps all the rules beside it.
    subject<number, number>({
      name: 'divert with letters under way',
      make: () => (source) =>
        source.pipe(
          boundedMergeMap((item) => [item, -1], { concurrency: 1 }),
          divert({ to: { append: () => timer(2) }, when: (item) => item < 0, concurrency: 2 }),
        ),
      item: index,
      notApplicable: {
        ...NO_CALLBACKS,
        'OP-8.1': 'the items that it diverts are in the account too',
        'OP-8.2': 'the items that it diverts are in the account too',
      },
    }),
  ],
  pace: [
    subject<number, number>({
      name: 'pace by tokens',
      make: () => pace({ rate: 2, perMs: 5, burst: 3 }),
      item: index,
      throwing: [{ callback: 'weight', make: (weight) => pace({ rate: 2, perMs: 5, weight }) }],
    }),
    subject<number, number>({
      name: 'pace by a profile',
      make: () =>
        pace({
          profile: {
            windows: [
              { limit: 5, perMs: 7 },
              { limit: 2, perMs: 3, by: byThree },
            ],
          },
        }),
      item: index,
      throwing: [
        { callback: 'profile.by', make: (by) => pace({ profile: { windows: [{ limit: 1, perMs: 5, by }] } }) },
        {
          callback: 'profile.weight',
          make: (weight) => pace({ profile: { windows: [{ limit: 1, perMs: 5, weight }] } }),
        },
      ],
    }),
    subject<number, number>({
      name: 'pace by a pacer',
      make: () => pace({ pacer: new SharedPacer({ profile: { windows: [{ limit: 3, perMs: 7 }] } }) }),
      item: index,
      throwing: [
        {
          callback: 'profile.by of the pacer',
          make: (by) => pace({ pacer: new SharedPacer({ profile: { windows: [{ limit: 1, perMs: 5, by }] } }) }),
        },
      ],
    }),
    subject<number, number>({
      name: 'pace without a limit',
      make: () => pace({ rate: Number.POSITIVE_INFINITY, perMs: 1 }),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  retryWithJitter: [
    subject<number, number>({
      name: 'retryWithJitter',
      make: () => retryWithJitter({ maxAttempts: 3, initialMs: 3, healthyAfterMs: 5_000_000_000 }),
      item: index,
      throwing: [
        {
          callback: 'retryable',
          make: (retryable) => (source) => source.pipe(failing, retryWithJitter({ retryable })),
        },
        { callback: 'onRetry', make: (onRetry) => (source) => source.pipe(failing, retryWithJitter({ onRetry })) },
        { callback: 'random', make: (random) => (source) => source.pipe(failing, retryWithJitter({ random })) },
      ],
      notApplicable: { 'OP-1.6': 'the source has other attempts before its error goes on' },
    }),
    subject<number, number>({
      name: 'retryWithJitter of errors that are none of its business',
      make: () => retryWithJitter({ retryable: () => false }),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  route: [
    subject<Tick, Tick>({
      name: 'route',
      make: () => route('kind', { odd: (odd$) => odd$, even: (even$) => even$ }),
      item: tick,
      throwing: [
        { callback: 'by', make: (by) => route(by, { otherwise: (item$) => item$ }) },
        {
          callback: 'a branch',
          make: (thrower) =>
            route('kind', { odd: (odd$): Observable<Tick> => odd$.pipe(map(thrower)), even: (even$) => even$ }),
        },
      ],
    }),
    subject<Tick, Tick>({
      name: 'route with a buffer in each branch',
      make: () =>
        route('kind', {
          odd: (odd$) => odd$.pipe(boundedBuffer({ capacity: 2 })),
          even: (even$) => even$.pipe(boundedBuffer({ capacity: 3 })),
        }),
      item: tick,
      orderBy: (item) => (item as Tick).kind,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  untilStopped: [
    subject<number, number>({
      name: 'untilStopped',
      make: () => untilStopped(),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
  ],
  watchdog: [
    subject<number, number>({
      name: 'watchdog',
      // Longer than the rules let a source be silent.
      make: () => watchdog({ staleAfterMs: 10_000_000_000 }),
      item: index,
      notApplicable: NO_CALLBACKS,
    }),
    subject<number, number>({
      name: 'watchdog with a calendar',
      make: () => watchdog({ staleAfterMs: 10_000_000, calendar: everyOtherHalfHour }),
      item: index,
      throwing: [
        {
          callback: 'calendar.isOpen',
          make: (isOpen) => watchdog({ staleAfterMs: 5, calendar: { ...everyOtherHalfHour, isOpen } }),
        },
        {
          callback: 'calendar.nextChange',
          make: (nextChange) => watchdog({ staleAfterMs: 5, calendar: { ...everyOtherHalfHour, nextChange } }),
        },
      ],
    }),
  ],
  writeTo: [
    subject<readonly number[], WriteOutcome<number>>({
      name: 'writeTo',
      make: () => writeTo(slowSink({ serviceTimeMs: 2 })),
      item: (n) => [n],
      itemsOf: (outcome) => [outcome.items],
      throwing: [
        { callback: 'sink.write', make: (write) => writeTo({ name: 'broken', write }) },
        {
          callback: 'deadLetters.append',
          make: (append) => writeTo(slowSink({ serviceTimeMs: 2, failOn: () => true }), { deadLetters: { append } }),
        },
        {
          callback: 'classify',
          make: (classify) => writeTo(slowSink({ serviceTimeMs: 2, failOn: () => true }), { classify }),
        },
      ],
    }),
    subject<readonly number[], WriteOutcome<number>>({
      name: 'writeTo a sink that answers at once',
      make: () => writeTo<number>({ name: 'null', write: () => EMPTY }),
      item: (n) => [n],
      itemsOf: (outcome) => [outcome.items],
      notApplicable: NO_CALLBACKS,
    }),
  ],
  writeCoordinator: [
    subject<number, WriteOutcome<number>>({
      name: 'writeCoordinator',
      make: () => writeCoordinator(slowSink({ serviceTimeMs: 3 }), { workers: 1, batchSize: 4, capacity: 8 }),
      item: index,
      itemsOf: outcomeItems,
      throwing: [
        { callback: 'by', make: (by) => writeCoordinator(slowSink({ serviceTimeMs: 3 }), { by }) },
        {
          callback: 'sink.keyOf',
          make: (keyOf) => writeCoordinator(slowSink({ serviceTimeMs: 3, keyOf }), { capacity: 8 }),
        },
        {
          callback: 'sink.write',
          make: (write) => writeCoordinator({ name: 'broken', write }, { capacity: 8, policies: { retry: false } }),
        },
        {
          callback: 'onDrop',
          make: (onDrop) =>
            writeCoordinator(slowSink({ serviceTimeMs: 3 }), {
              capacity: 8,
              batchSize: 4,
              overflow: 'dropOldest',
              onDrop,
            }),
        },
      ],
    }),
    subject<number, WriteOutcome<number>>({
      name: 'writeCoordinator with four workers',
      make: () =>
        writeCoordinator(slowSink({ serviceTimeMs: 3 }), { by: byThree, batchSize: 2, capacity: 8, eager: false }),
      item: index,
      itemsOf: outcomeItems,
      orderBy: (item) => byThree(item as number),
      notApplicable: NO_CALLBACKS,
    }),
  ],
};
