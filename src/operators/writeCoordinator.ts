import { Observable, type OperatorFunction } from 'rxjs';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import { contextOf } from '../flow/context.js';
import { withContext } from '../flow/withContext.js';
import type { CircuitBreaker, CircuitBreakerConfig } from '../policies/circuitBreaker.js';
import { watermarks } from '../policies/watermarks.js';
import { boolean, duration, func, integer, nested, type OptionsOf, readOptions } from '../primitives/options.js';
import { batch } from './batch.js';
import { type BoundedBufferConfig, BUFFER_OPTIONS, boundedBuffer } from './boundedBuffer.js';
import { lanes, MAX_LANES } from './lanes.js';
import { supervise } from './running/supervise.js';
import { untilStopped } from './untilStopped.js';
import { batchWriter } from './writing/batchWriter.js';
import { type RetryPolicy, SINK, WRITE_POLICIES, type WritePolicies, writerSettings } from './writing/writePolicies.js';

/** What happens when a write of a coordinator fails: the policies of `writeTo()`, with defaults that are on. */
export interface CoordinatorPolicies<T>
  extends Omit<WritePolicies<T>, 'concurrency' | 'name' | 'breaker' | 'timeoutMs' | 'retry'> {
  /** How long one attempt may take, in milliseconds. Above 0, or `Infinity` for no limit; default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** How transient failures are tried again; false for not at all. Default: five attempts, from 50 ms, with full jitter. */
  readonly retry?: RetryPolicy | false | undefined;
  /**
   * The breaker that all workers ask: its settings, one that others share, or false for none. Default: it opens after five
   * failures in a row and lets one write through after a second, then less and less often, at least every 60 s.
   */
  readonly breaker?: CircuitBreaker | CircuitBreakerConfig | false | undefined;
}

export interface WriteCoordinatorConfig<T> extends Omit<BoundedBufferConfig<T>, 'name'> {
  /** The name in topology, metrics and errors: `coord_id`. Default: the sink's. */
  readonly name?: string;
  /** How many writers work side by side. Integer from 1 to 4,096, default 4. */
  readonly workers?: number;
  /** The most items per write. Integer of at least 1, default 500. */
  readonly batchSize?: number;
  /** The longest that an item waits for others, in milliseconds, 0 or more, unless `eager`. Default 250. */
  readonly lingerMs?: number;
  /** Write as soon as a writer is idle. Default true. */
  readonly eager?: boolean;
  /** The key of an item: each key is written by one worker, in order. Default: the sink's `keyOf`, else any free worker. */
  readonly by?: (item: T) => string | number;
  /** What happens when a write fails. Default: retries, a breaker and a time limit; no dead letters. */
  readonly policies?: CoordinatorPolicies<T>;
}

const { concurrency: _one, name: _given, ...SHARED } = WRITE_POLICIES;

const POLICIES = {
  ...SHARED,
  timeoutMs: SHARED.timeoutMs.default(30_000),
  retry: SHARED.retry.default({}),
  breaker: SHARED.breaker.default({}),
} satisfies OptionsOf<CoordinatorPolicies<unknown>>;

const OPTIONS = {
  ...BUFFER_OPTIONS,
  workers: integer({ min: 1, max: MAX_LANES }).default(4),
  batchSize: integer({ min: 1 }).default(500),
  lingerMs: duration().default(250),
  eager: boolean().default(true),
  by: func(),
  policies: nested(POLICIES).default({}),
} satisfies OptionsOf<WriteCoordinatorConfig<unknown>>;

/**
 * Takes items to committed rows in one operator: buffer, lanes, batches and writes. Several workers write side by side, and each
 * key is always written by the same worker, in order.
 *
 * ```text
 * items       abcd------|          workers 2; a and c have one key, b and d another; a write takes three frames
 *             writeCoordinator(sink)
 * worker 0    a--c------           a at once, for its writer is idle; c when a is committed
 * worker 1    -b--d-----
 * outcomes    ---ab-cd--|
 * ```
 *
 * **Emits when**: a write is committed: its outcome.
 * **Backpressure**: installs a gate. It closes when the buffer reaches its high watermark and opens at the low one.
 * **Completes when**: the source has completed, or the pipeline was asked to drain, and everything held is written.
 * **Errors when**: the source has failed, after everything held is written; a write has failed for good and there are no
 * `deadLetters`; the sink cannot be written to at all (a missing table, a wrong password), after everything held is diverted;
 * more items arrive than `capacity` from a source that does not obey the gate.
 * **On unsubscribe**: writes in flight are unsubscribed; what is held is abandoned, and shows as such in the account.
 *
 * **Delivery**: at least once to the sink while the process lives, in order for each key. With `policies.deadLetters` every item
 * ends written or in a durable letter, even when the time of a drain expires. What is held is lost with the process unless the
 * source can redeliver.
 *
 * **Gotchas**:
 * - While the sink is unreachable the breaker is open and the source paused, for as long as that lasts. Nothing fails by itself,
 *   so watch it.
 * - Without `by` and the sink's `keyOf` any worker takes any item, and order is not kept.
 * - At most `capacity` items are held in the buffer, and for each worker a batch in flight and another that grows.
 *
 * @example
 * ```ts
 * import { writeCoordinator } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * fromIterable(['AAPL 1', 'MSFT 1', 'AAPL 2'])
 *   .pipe(writeCoordinator(memorySink<string>(), { workers: 2, by: (quote) => quote.slice(0, 4) }))
 *   .subscribe((outcome) => console.log(outcome.status, outcome.items));
 * ```
 */
export function writeCoordinator<T>(
  sink: Sink<T>,
  config: WriteCoordinatorConfig<T> = {},
): OperatorFunction<T, WriteOutcome<T>> {
  const owner = 'writeCoordinator';
  SINK.read(owner, 'sink', sink);
  const { workers, batchSize, lingerMs, eager, policies, ...read } = readOptions(owner, config, OPTIONS);
  const { name = sink.name, by = sink.keyOf, ...buffering } = read;
  watermarks(owner, buffering);
  const buffer = boundedBuffer<T>({ ...buffering, name });
  const collect = batch<T>({ size: batchSize, lingerMs, eager, name: `${name}.batch` });
  const settings = writerSettings<T>(`${owner}: policies`, { ...policies, name: `${name}.write` });
  return (items$) =>
    new Observable((destination) => {
      const { group, worker: lane } = contextOf(destination);
      const breaker = settings.makeBreaker();
      const write = batchWriter<T>(sink, { ...settings, makeBreaker: () => breaker });
      const worker = (lane$: Observable<T>) => lane$.pipe(collect, write);
      const outcomes$ = items$.pipe(
        untilStopped<T>({ foreignOnly: true }),
        // Whatever stands above the buffer is no part of this coordinator.
        withContext<T>({ group, worker: lane }),
        buffer,
        lanes({ count: workers, name: `${name}.lanes`, by }, worker),
        supervise({ scheduler: settings.scheduler }),
        withContext({ group: name }),
      );
      return outcomes$.subscribe(destination);
    });
}
