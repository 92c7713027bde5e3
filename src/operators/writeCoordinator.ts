import { type OperatorFunction, pipe } from 'rxjs';
import type { Sink, WriteOutcome } from '../model/sink.js';
import { requireKnownOptions } from '../policies/validate.js';
import { batch } from './batch.js';
import { type BoundedBufferConfig, boundedBuffer } from './boundedBuffer.js';
import { lanes } from './lanes.js';
import { untilStopped } from './untilStopped.js';
import { type WritePolicies, writeTo } from './writeTo.js';

export interface WriteCoordinatorConfig<T> {
  /** The name in topology, metrics and errors: `coord_id`. Default: the sink's. */
  readonly name?: string;
  /** The most items held in front of the workers. Default 10,000. */
  readonly capacity?: number;
  readonly highWatermark?: number;
  readonly lowWatermark?: number;
  readonly overflow?: BoundedBufferConfig<T>['overflow'];
  readonly onDrop?: BoundedBufferConfig<T>['onDrop'];
  /** How many writers work side by side. Default 4. */
  readonly workers?: number;
  /** The most items in a write. Default 500. */
  readonly batchSize?: number;
  /** The longest that an item waits for others while its writer is idle, in milliseconds, where not `eager`. Default 250. */
  readonly lingerMs?: number;
  /** Write as soon as a writer is idle. Default true. */
  readonly eager?: boolean;
  /** The key of an item: one key is written by one worker, in order. Default: the sink's `keyOf`. */
  readonly by?: (item: T) => string | number;
  /** What stands around every write. */
  readonly policies?: Omit<WritePolicies<T>, 'concurrency' | 'name'>;
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

export function writeCoordinator<T>(
  sink: Sink<T>,
  config: WriteCoordinatorConfig<T> = {},
): OperatorFunction<T, WriteOutcome<T>> {
  requireKnownOptions('writeCoordinator', config, OPTIONS);
  const {
    name = sink.name,
    workers = 4,
    batchSize = 500,
    lingerMs = 250,
    eager = true,
    by = sink.keyOf,
    policies,
  } = config;
  const { capacity, highWatermark, lowWatermark, overflow, onDrop } = config;
  const buffer = boundedBuffer<T>({
    name,
    ...defined({ capacity, highWatermark, lowWatermark, overflow, onDrop }),
  });
  const collect = batch<T>({ size: batchSize, lingerMs, eager });
  const write = writeTo<T>(sink, policies);
  return pipe(
    untilStopped<T>(),
    buffer,
    lanes(by ? { count: workers, by } : { count: workers }, (lane$) => lane$.pipe(collect, write)),
  );
}

/** Options that were given; one given as `undefined` is left to its default. */
function defined<O extends object>(options: O): { [K in keyof O]?: Exclude<O[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof O]?: Exclude<O[K], undefined>;
  };
}
