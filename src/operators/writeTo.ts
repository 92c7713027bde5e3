import type { OperatorFunction } from 'rxjs';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import { having, readArgument } from '../primitives/options.js';
import { supervise } from './running/supervise.js';
import { batchWriter } from './writing/batchWriter.js';
import { type WritePolicies, writerSettings } from './writing/writePolicies.js';

/**
 * Writes batches to a sink, one at a time unless told otherwise, and emits what became of each. What fails is tried again
 * with jitter, guarded by a breaker, limited in time; rows that the sink refuses are isolated; what cannot be written goes
 * to the dead letters.
 *
 * ```text
 * batches     -x-y-z|              a write takes three frames; the source is paused meanwhile
 *             writeTo(sink)
 * outcomes    ----x----y----z|
 * gate        oc--o-c--o-c--o      closed while a write is in flight
 * ```
 *
 * A failure is of one of three classes (`classifyFailure`). *Transient*: the write is tried again after a wait, up to
 * `retry.maxAttempts`; then its items are diverted as `exhausted`. *Poison*: the batch is bisected; its good rows are
 * written, and each bad one is diverted alone as `poison`, with the sink's error of that row. *Fatal*: the pipeline ends with
 * the `WriteError`, after everything that it holds is diverted as `fatal`.
 *
 * **Emits when**: every item of a batch is settled, if downstream is open, else when it opens: one outcome for what is
 * written, one for each diversion.
 * **Backpressure**: installs a gate, closed while `concurrency` batches are in flight (being written, waiting to be tried
 * again, waiting for the breaker or for their dead letter) or an outcome waits for downstream.
 * **Completes when**: the source has completed and all batches are settled and their outcomes delivered.
 * **Errors when**: the source has failed, after all writes; a write has failed for good and there are no `deadLetters`, or the
 * failure is fatal: a `WriteError` with cause and items, after the outcomes held; the dead letters fail.
 * **On unsubscribe**: writes in flight are unsubscribed, no new one begins; their items are abandoned. They may have been
 * committed, if their sink cannot take a write back.
 *
 * **Delivery**: at least once: an item counts as written after its commit, and as diverted when its letter is durable. A write
 * that failed, timed out or lost its reply is written anew.
 *
 * **Gotchas**: empty batches are passed over. With `concurrency` above 1 the order of batches is the sink's: use `lanes()` to
 * write side by side and keep the order of a key. Waiting for an open breaker spends no attempt, and neither does the failure
 * that opens it, one while it is open, or a probe of a half-open one, if its error carries a code: an outage may last as long
 * as it likes. A sink that hangs needs `timeoutMs`. When the time of a drain is over, what is not written is diverted as
 * `drain`, if there are `deadLetters`.
 *
 * @example
 * ```ts
 * import { batch, writeTo } from 'sluice/operators';
 * import { memorySink } from 'sluice/sinks';
 * import { fromIterable } from 'sluice/sources';
 *
 * fromIterable([1, 2, 3, 4, 5])
 *   .pipe(batch({ size: 2 }), writeTo(memorySink<number>(), { retry: { maxAttempts: 3 }, timeoutMs: 5_000 }))
 *   .subscribe((outcome) => console.log(outcome.status, outcome.items));
 * ```
 */
export function writeTo<T>(
  sink: Sink<T>,
  policies: WritePolicies<T> = {},
): OperatorFunction<readonly T[], WriteOutcome<T>> {
  const owner = 'writeTo';
  readArgument(owner, 'sink', sink, having('write'));
  const settings = writerSettings(owner, policies);
  const write = batchWriter(sink, settings);
  return (batches$) => batches$.pipe(write, supervise({ scheduler: settings.scheduler }));
}
