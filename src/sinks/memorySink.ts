import { defer, of } from 'rxjs';
import type { Sink } from '../contracts/sink.js';
import { func, type OptionsOf, readOptions, text } from '../primitives/options.js';

export interface MemorySinkConfig<T> {
  /** The key of an item, for lanes: items with one key are written in order. Default: none. */
  readonly keyOf?: (item: T) => string | number;
  /** The name in metrics, errors and the report. Default `memory`. */
  readonly name?: string;
}

/** A sink that keeps what is written, for tests and examples. */
export interface MemorySink<T> extends Sink<T> {
  /** Everything written, in the order of writing. */
  readonly items: readonly T[];
  /** The batches, in the order of writing. */
  readonly batches: readonly (readonly T[])[];
}

const OPTIONS = { keyOf: func(), name: text().default('memory') } satisfies OptionsOf<MemorySinkConfig<unknown>>;

/**
 * Keeps what is written in memory, for tests and examples.
 *
 * ```text
 * batches   --[a b]----[c]--
 * items       a b       c
 * receipts  --2--------1----
 * ```
 *
 * **Emits when**: a write is subscribed to, immediately: one receipt with as many rows as items.
 * **Backpressure**: none: every batch is accepted immediately.
 * **Completes when**: its batch is kept, immediately after the receipt.
 * **Errors when**: never.
 * **On unsubscribe**: nothing, because the write is already complete.
 *
 * **Delivery**: a batch that is written again is kept again. Nothing survives the process.
 *
 * **Gotchas**: it grows without bound.
 *
 * @example
 * ```ts
 * import { memorySink, sinkSubscriber } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * const sink = memorySink<number>();
 * const writer = sinkSubscriber(sink, { batchSize: 2 });
 * fromIterable([1, 2, 3]).subscribe(writer);
 * await writer.whenFinished();
 * console.log(sink.items);
 * ```
 */
export function memorySink<T>(config: MemorySinkConfig<T> = {}): MemorySink<T> {
  const { keyOf, name } = readOptions('memorySink', config, OPTIONS);
  const items: T[] = [];
  const batches: (readonly T[])[] = [];
  return {
    name,
    ...(keyOf && { keyOf }),
    items,
    batches,
    write: (batch) =>
      defer(() => {
        batches.push(batch);
        for (const item of batch) items.push(item);
        return of({ rows: batch.length });
      }),
  };
}
