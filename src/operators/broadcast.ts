import type { MonoTypeOperatorFunction } from 'rxjs';
import { broadcasting } from '../flow/broadcasting.js';
import { integer, type OptionsOf, readOptions, text } from '../primitives/options.js';

export interface BroadcastConfig {
  /**
   * How many subscribers there must be before the source is subscribed. Integer of at least 1; there is no default, because one
   * that comes after the source has begun misses what came before.
   */
  readonly branches: number;
  /** The name in topology, metrics and errors; branches are called `name[0]`, `name[1]`, … Default `broadcast`. */
  readonly name?: string;
}

/**
 * Gives every item to every subscriber, as `share()` does, with backpressure: the source waits while any of them is full.
 *
 * ```text
 * source      -a-b------c-|        a Subject, say: it knows no gate
 *             broadcast({ branches: 2 })
 * gate 0      o-c--o-------
 * gate 1      o---c--o-----
 * branch 0    -a-----b--c-|
 * branch 1    -a-----b--c-|
 * gate        o-c----o-----        open while both are
 * ```
 *
 * **Emits when**: an item arrives and all branches are open.
 * **Backpressure**: installs a gate, which is closed while that of any branch is. An item that arrives meanwhile waits.
 * **Completes when**: the source has completed and what waited is handed out; every branch completes then.
 * **Errors when**: the source has failed, after what waited is handed out: every branch gets the error. With
 * `BufferOverflowError` when a source that ignores the gate has 1,024 items wait.
 * **On unsubscribe**: a branch that leaves holds the others up no longer. When the last has left, the source is
 * unsubscribed, and what waits is abandoned.
 *
 * **Delivery**: each item once to each branch that was there when it came, in order. Each copy is an item of its own in the
 * account.
 *
 * **Gotchas**:
 * - The slowest branch sets the pace: give it a `boundedBuffer` or `conflate` of its own.
 * - Nothing is emitted before `branches` subscribers are there. Further ones, and those that left and come again (`retry`), get
 *   what comes from then on, and nothing of what waits for the others.
 * - Where all left for which an item waits, it is dropped with the reason `branchEnded`.
 * - When all have left or the source has ended, the next subscriber begins anew.
 * - `stopping` and the monitor of the source are those of the first branch; a branch of another pipeline completes when its own
 *   pipeline is asked to drain.
 *
 * @example
 * ```ts
 * import { map, merge } from 'rxjs';
 * import { batch, broadcast } from 'sluice/operators';
 * import { fromIterable } from 'sluice/sources';
 *
 * const prices$ = fromIterable([470.1, 470.3, 469.8]).pipe(broadcast({ branches: 2 }));
 * merge(
 *   prices$.pipe(map((price) => `last ${price}`)),
 *   prices$.pipe(batch({ size: 3 }), map((prices) => `highest ${Math.max(...prices)}`)),
 * ).subscribe((line) => console.log(line));
 * ```
 */
export function broadcast<T>(config: BroadcastConfig): MonoTypeOperatorFunction<T> {
  const owner = 'broadcast';
  const { branches, name } = readOptions<BroadcastConfig, typeof OPTIONS>(owner, config ?? {}, OPTIONS);
  return (source) => broadcasting(source, { kind: owner, name, branches });
}

const OPTIONS = { branches: integer({ min: 1 }).required(), name: text() } satisfies OptionsOf<BroadcastConfig>;
