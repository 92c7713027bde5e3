import type { OperatorFunction } from 'rxjs';
import type { Sink, WriteOutcome } from '../contracts/sink.js';
import { supervise } from './running/supervise.js';
import { batchWriter } from './writing/batchWriter.js';
import { SINK, type WritePolicies, writerSettings } from './writing/writePolicies.js';

/**
 * Writes batches to a sink, one at a time unless `concurrency` says otherwise, and emits what became of each. Failed writes are
 * tried again with jitter, guarded by a breaker and limited in time; rows that the sink refuses are isolated; what cannot be
 * written goes to the dead letters.
 *
 * ```text
 * batches     -x-y-z|              a write takes three frames; the source is paused meanwhile
 *             writeTo(sink)
 * outcomes    ----x----y----z|
 * gate        oc--o-c--o-c--o      closed while a write is in flight
 * ```
 *
 * A failure has one of three classes, which `classify`, the sink and `classifyFailure` decide, in this order. *Transient*: the
 * write is tried again after a wait, up to `retry.maxAttempts` writes; then its items are diverted as `exhausted`. *Poison*: the
 * batch is bisected; its good rows are written, and each bad one is diverted alone as `poison`, with the sink's error for that row.
 * Where one row after the other is refused by one rule, the table is to blame: nothing more is given up, and the writes wait as in an
 * outage. *Fatal*: the pipeline ends with the `WriteError`, after everything it holds is diverted as `fatal`.
 *
 * **Emits when**: every item of a batch is settled and downstream is open: one outcome for what is written, one for each
 * diversion.
 * **Backpressure**: installs a gate, closed while `concurrency` batches are in flight (being written, waiting for the next
 * attempt, for the breaker or for their dead letter) or an outcome waits for downstream.
 * **Completes when**: the source has completed, all batches are settled and their outcomes delivered.
 * **Errors when**: the source has failed, after all writes; a write has failed for good and there are no `deadLetters`, or the
 * failure is fatal: a `WriteError` with cause and items, after the outcomes held; the dead letters fail.
 * **On unsubscribe**: writes in flight are unsubscribed and no new one begins; their items are abandoned. They may have been
 * committed, if the sink cannot undo a write.
 *
 * **Delivery**: at least once: an item counts as written after its commit, and as diverted when its letter is durable. A write
 * that failed, timed out or lost its reply is repeated. What is held is lost with the process unless the source can redeliver.
 *
 * **Gotchas**:
 * - Empty batches are skipped.
 * - With `concurrency` above 1 the order of batches is up to the sink: use `lanes()` to write side by side and keep the order per
 *   key.
 * - Outcomes name the items as they came in; dead letters hold them as the sink stamped them.
 * - An outage may last any time: waiting for an open breaker spends no attempt, and neither does a failure that opens it or
 *   leaves it open, if its error carries a code.
 * - A sink may repeat statements within one write, as the Postgres sinks do up to five times after a deadlock. `maxAttempts`, the
 *   breaker and `attempts` see one write.
 * - A sink that hangs needs `timeoutMs`.
 * - A sink of your own says with a `SinkError` of which class a failure is, which items it refuses, and how long all writers must wait.
 * - A drain begins with an attempt of what waits for one. When its time has expired, what is not written is diverted as `drain`, if there are `deadLetters`.
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
  SINK.read(owner, 'sink', sink);
  const settings = writerSettings(owner, policies);
  const write = batchWriter(sink, settings);
  return (batches$) => batches$.pipe(write, supervise({ scheduler: settings.scheduler }));
}
