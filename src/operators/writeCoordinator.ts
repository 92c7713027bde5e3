import { defer, type Observable, type OperatorFunction } from 'rxjs';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import { CircuitBreaker, type CircuitBreakerConfig } from '../policies/circuitBreaker.js';
import { watermarks } from '../policies/watermarks.js';
import {
  requireBoolean,
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
} from '../primitives/validate.js';
import { batch } from './batch.js';
import { type BoundedBufferConfig, boundedBuffer } from './boundedBuffer.js';
import { lanes, MAX_LANES } from './lanes.js';
import { supervise } from './running/supervise.js';
import { untilStopped } from './untilStopped.js';
import { batchWriter } from './writing/batchWriter.js';
import { type RetryPolicy, WRITE_POLICIES, type WritePolicies, writerSettings } from './writing/writePolicies.js';

/** What stands around every write of a coordinator: the policies of `writeTo()`, switched on. */
export interface CoordinatorPolicies<T>
  extends Omit<WritePolicies<T>, 'concurrency' | 'name' | 'breaker' | 'timeoutMs' | 'retry'> {
  /** How long one attempt may take, in milliseconds. Above 0, `Infinity` for no limit; default 30,000. */
  readonly timeoutMs?: number;
  /** How transient failures are tried again; false for not at all. Default: five attempts, from 50 ms, with full jitter. */
  readonly retry?: RetryPolicy | false;
  /**
   * The breaker that all workers ask: its settings, one that others share, or false for none. Default: it opens after five
   * failures in a row and lets one write through after 60 s.
   */
  readonly breaker?: CircuitBreaker | CircuitBreakerConfig | false;
}

export interface WriteCoordinatorConfig<T> {
  /** The name in topology, metrics and errors: `coord_id`. Default: the sink's. */
  readonly name?: string;
  /** The most items held in front of the workers. Integer of at least 1, default 10,000. */
  readonly capacity?: number;
  /** The gate closes when so much of `capacity` is held. Above 0, at most 1; default 0.8. */
  readonly highWatermark?: number;
  /** The gate opens again when no more than this part of `capacity` is left. From 0, below `highWatermark`; default 0.5. */
  readonly lowWatermark?: number;
  /** What happens to an item of a source that does not obey the gate, when full. Default `'block'`: an error. */
  readonly overflow?: BoundedBufferConfig<T>['overflow'];
  /** Told of each item given up, with the reason. Default: nobody is told. */
  readonly onDrop?: BoundedBufferConfig<T>['onDrop'];
  /** How many writers work side by side. Integer from 1 to 4,096, default 4. */
  readonly workers?: number;
  /** The most items in a write. Integer of at least 1, default 500. */
  readonly batchSize?: number;
  /** The longest that an item waits for others, in milliseconds, 0 or more, where not `eager`. Default 250. */
  readonly lingerMs?: number;
  /** Write as soon as a writer is idle. Default true. */
  readonly eager?: boolean;
  /** The key of an item: one key is written by one worker, in order. Default: the sink's `keyOf`, else any free worker. */
  readonly by?: (item: T) => string | number;
  /** What stands around every write. Default: retries, a breaker and a time limit; no dead letters. */
  readonly policies?: CoordinatorPolicies<T>;
}

const OPTIONS = [
  'name',
  'capacity',
  'highWatermark',
  'lowWatermark',
  'overflow',
  'onDrop',
  'workers',
  'batchSize',
  'lingerMs',
  'eager',
  'by',
  'policies',
];

const POLICIES = WRITE_POLICIES.filter((option) => option !== 'concurrency' && option !== 'name');

const TIMEOUT_MS = 30_000;

/**
 * From items to committed rows in one operator: buffer, lanes, batches and writes. Several workers write side by side, and
 * one key is always written by the same one, in order.
 *
 * ```text
 * items       abcd------|          workers 2; a and c have one key, b and d another; a write takes three frames
 *             writeCoordinator(sink)
 * worker 0    a--c------           a at once, for its writer is idle; c when a is committed
 * worker 1    -b--d-----
 * outcomes    ---ab-cd--|
 * ```
 *
 * **Emits when**: a write is committed, its outcome.
 * **Backpressure**: installs a gate. It closes when the buffer reaches its high watermark and opens at the low one.
 * **Completes when**: the source has completed, or the pipeline was asked to drain, and everything held is written.
 * **Errors when**: the source has failed, after everything held is written; a write has failed for good and there are no
 * `deadLetters`; the sink cannot be written to at all (a missing table, a wrong password), after everything held is diverted;
 * more arrive than `capacity` from a source that does not obey the gate.
 * **On unsubscribe**: writes in flight are unsubscribed; what is held is abandoned, and shows as such in the account.
 *
 * **Delivery**: at least once to the sink while the process lives, in order for each key. With `policies.deadLetters` every
 * item ends written or in a durable letter, also when the time of a drain is over.
 *
 * **Gotchas**: while the sink is unreachable the breaker is open and the source paused, for as long as that lasts: nothing
 * fails by itself, so watch it. Without `by` and the sink's `keyOf` any worker takes any item, and order is not kept. Held
 * at most: `capacity`, and for each worker a batch in flight and another that grows.
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
  requireFunction(owner, 'the write of its sink', sink?.write);
  requireKnownOptions(owner, config, OPTIONS);
  const name = config.name ?? sink.name;
  const workers = requireInteger(owner, 'workers', config.workers ?? 4, 1, MAX_LANES);
  const batchSize = requireInteger(owner, 'batchSize', config.batchSize ?? 500);
  const lingerMs = requireDuration(owner, 'lingerMs', config.lingerMs ?? 250);
  const eager = requireBoolean(owner, 'eager', config.eager ?? true);
  const by = config.by ?? sink.keyOf;
  if (by) requireFunction(owner, 'by', by);
  const { breaker: guard = {}, retry = {}, timeoutMs = TIMEOUT_MS, ...policies } = config.policies ?? {};
  requireKnownOptions(`${owner}: policies`, config.policies ?? {}, POLICIES);
  watermarks(owner, config);
  const makeBreaker = breakerOf(`${owner}: policies: breaker`, guard);

  const { capacity, highWatermark, lowWatermark, overflow, onDrop } = config;
  const buffer = boundedBuffer<T>({ name, ...given({ capacity, highWatermark, lowWatermark, overflow, onDrop }) });
  const collect = batch<T>({ size: batchSize, lingerMs, eager, name: `${name}.batch` });
  const settings = (breaker: CircuitBreaker | undefined) =>
    writerSettings<T>(`${owner}: policies`, {
      ...given({ ...policies, retry, timeoutMs, breaker }),
      name: `${name}.write`,
    });
  const { scheduler } = settings(undefined);
  return (items$) =>
    defer(() => {
      const write = batchWriter<T>(sink, settings(makeBreaker()));
      const worker = (lane$: Observable<T>) => lane$.pipe(collect, write);
      return items$.pipe(
        untilStopped<T>({ foreignOnly: true }),
        buffer,
        lanes({ count: workers, name: `${name}.lanes`, ...given({ by }) }, worker),
        supervise({ scheduler }),
      );
    });
}

/** One that is given is shared; otherwise each subscription has its own. */
function breakerOf(
  owner: string,
  guard: CircuitBreaker | CircuitBreakerConfig | false,
): () => CircuitBreaker | undefined {
  if (guard === false) return () => undefined;
  if (guard instanceof CircuitBreaker) return () => guard;
  const make = () => new CircuitBreaker(guard, owner);
  make();
  return make;
}

/** Options that were given; one given as `undefined` is left to its default. */
function given<O extends object>(options: O): { [K in keyof O]?: Exclude<O[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof O]?: Exclude<O[K], undefined>;
  };
}
